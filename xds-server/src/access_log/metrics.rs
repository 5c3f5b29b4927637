//! What is counted of the log.

use metrics::{counter, describe_counter, describe_gauge, gauge};

const RECORDED: &str = "rr_calls_recorded_total";
const MISSING: &str = "rr_calls_without_record";
const LEFT_OUT: &str = "rr_calls_left_out_total";
const DELAYED: &str = "rr_call_log_failures_total";

/// Makes every metric known with its help text.
pub(super) fn describe() {
    describe_counter!(RECORDED, "Calls whose records are in the log.");
    describe_gauge!(MISSING, "Calls without a record: lost, or not over.");
    describe_counter!(DELAYED, "Times that the log could not be written.");
    describe_counter!(LEFT_OUT, "Calls that were not recorded for lack of room.");
    counter!(LEFT_OUT).increment(0);
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

/// So many calls are not recorded for lack of room.
pub(super) fn left_out(calls: usize) {
    counter!(LEFT_OUT).increment(u64::try_from(calls).unwrap_or(u64::MAX));
}

/// They could not be written, and wait.
pub(super) fn delayed() {
    counter!(DELAYED).increment(1);
}
