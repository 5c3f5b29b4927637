//! What is counted of usage.

use metrics::{counter, describe_counter};

const COUNTS: &str = "rr_usage_counts_total";
const FAILED: &str = "rr_usage_writes_failed_total";
const LATE: &str = "rr_usage_late_total";
const ENDED: &str = "rr_usage_workers_ended_total";

/// Makes every metric known with its help text.
pub(super) fn describe() {
    describe_counter!(COUNTS, "Counts of usage that workers told.");
    describe_counter!(
        FAILED,
        "Writes of usage that failed; workers tell it again."
    );
    describe_counter!(
        LATE,
        "Counts of usage that came after their hour was closed."
    );
    describe_counter!(
        ENDED,
        "Workers that ended; what they let through last may be missing."
    );
    for name in [COUNTS, FAILED, LATE, ENDED] {
        counter!(name).increment(0);
    }
}

/// So many counts are durable.
pub(super) fn written(counts: usize) {
    counter!(COUNTS).increment(u64::try_from(counts).unwrap_or(u64::MAX));
}

/// A write failed.
pub(super) fn failed() {
    counter!(FAILED).increment(1);
}

/// A count came too late.
pub(super) fn late() {
    counter!(LATE).increment(1);
}

/// A worker ended.
pub(super) fn ended() {
    counter!(ENDED).increment(1);
}
