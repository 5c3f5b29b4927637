//! What is counted of the log.

use metrics::{counter, describe_counter, describe_gauge, gauge};

const RECORDED: &str = "rr_calls_recorded_total";
const MISSING: &str = "rr_calls_without_record";
const DELAYED: &str = "rr_call_log_failures_total";

/// Makes every metric known with its help text.
pub(super) fn describe() {
    describe_counter!(RECORDED, "Calls whose records are in the log.");
    describe_gauge!(MISSING, "Calls without a record: lost, or not over.");
    describe_counter!(DELAYED, "Times that the log could not be written.");
    counter!(RECORDED).increment(0);
    counter!(DELAYED).increment(0);
}

/// So many records are in the log.
pub(super) fn recorded(calls: usize) {
    counter!(RECORDED).increment(u64::try_from(calls).unwrap_or(u64::MAX));
}

/// So many calls have none.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(super) fn missing(calls: u64) {
    gauge!(MISSING).set(calls as f64);
}

/// They could not be written, and wait.
pub(super) fn delayed() {
    counter!(DELAYED).increment(1);
}
