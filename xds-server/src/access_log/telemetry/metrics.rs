//! What is counted of telemetry.

use metrics::{counter, describe_counter};

const COUNTED: &str = "rr_telemetry_calls_total";
const DELAYED: &str = "rr_telemetry_failures_total";
const UNPLACED: &str = "rr_telemetry_unplaced_total";

/// Makes every metric known with its help text.
pub(super) fn describe() {
    describe_counter!(COUNTED, "Recorded calls that telemetry has counted.");
    describe_counter!(DELAYED, "Times that telemetry could not be written.");
    describe_counter!(
        UNPLACED,
        "Calls left out of the sums of a proxy or credential, of which their organisation has too many."
    );
    for name in [COUNTED, DELAYED, UNPLACED] {
        counter!(name).increment(0);
    }
}

/// So many calls are counted.
pub(super) fn counted(calls: usize, unplaced: u64) {
    counter!(COUNTED).increment(u64::try_from(calls).unwrap_or(u64::MAX));
    counter!(UNPLACED).increment(unplaced);
}

/// They could not be, and wait in the log.
pub(super) fn delayed() {
    counter!(DELAYED).increment(1);
}
