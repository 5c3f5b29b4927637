//! What is counted of the counting. Label values are words of this file.

use metrics::{counter, describe_counter, describe_gauge, gauge};

const REQUESTS: &str = "rr_meter_requests_total";
const REPORTS: &str = "rr_meter_reports_total";
const WAITING: &str = "rr_meter_waiting";
const COUNTS: &str = "rr_meter_counts";
const NODES: &str = "rr_meter_nodes";
const WRITTEN: &str = "rr_meter_rows_written_total";
const WRITES_FAILED: &str = "rr_meter_writes_failed_total";

/// Makes every metric known with its help text.
pub(crate) fn describe() {
    describe_counter!(
        REQUESTS,
        "Requests of Envoys that were answered, or why not."
    );
    describe_counter!(REPORTS, "Counts that Envoys told.");
    describe_gauge!(WAITING, "Questions that wait for room.");
    describe_gauge!(COUNTS, "Counters times windows in memory.");
    describe_gauge!(NODES, "Envoys that count now.");
    describe_counter!(WRITTEN, "Counts that were written to the store.");
    describe_counter!(WRITES_FAILED, "Writes to the store that failed.");
    gauge!(WAITING).set(0.0);
    counter!(WRITES_FAILED).increment(0);
    for outcome in Outcome::ALL {
        counter!(REQUESTS, "outcome" => outcome.word()).increment(0);
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Answered,
    Invalid,
    Unavailable,
    Overloaded,
}

impl Outcome {
    const ALL: [Self; 4] = [
        Self::Answered,
        Self::Invalid,
        Self::Unavailable,
        Self::Overloaded,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Invalid => "invalid",
            Self::Unavailable => "unavailable",
            Self::Overloaded => "overloaded",
        }
    }
}

pub(super) fn request_ended(outcome: Outcome) {
    counter!(REQUESTS, "outcome" => outcome.word()).increment(1);
}

pub(super) fn reports_taken(count: usize) {
    counter!(REPORTS).increment(u64::try_from(count).unwrap_or(u64::MAX));
}

pub(super) fn counts_kept(counts: usize, nodes: u32) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!(COUNTS).set(counts as f64);
    gauge!(NODES).set(nodes);
}

pub(super) fn rows_written(rows: usize) {
    counter!(WRITTEN).increment(u64::try_from(rows).unwrap_or(u64::MAX));
}

pub(super) fn write_failed() {
    counter!(WRITES_FAILED).increment(1);
}

/// Counts one question for as long as it waits.
pub(super) struct Waiting;

impl Waiting {
    pub(super) fn begin() -> Self {
        gauge!(WAITING).increment(1.0);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        gauge!(WAITING).decrement(1.0);
    }
}
