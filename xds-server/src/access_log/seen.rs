//! What is counted of calls as Envoys tell of them. Label values are from the closed sets of
//! `requestrocket_policy::denial`.

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};
use requestrocket_proto::record::v1::Record;

const CALLS: &str = "rr_calls_total";
const DURATION: &str = "rr_call_duration_seconds";
const GATEWAY: &str = "rr_call_gateway_seconds";
/// Seconds.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];
const MICROSECONDS: f64 = 1e6;

/// With buckets for the durations of calls.
///
/// # Errors
/// Never: there are some.
pub fn with_buckets(builder: PrometheusBuilder) -> Result<PrometheusBuilder, BuildError> {
    [DURATION, GATEWAY]
        .into_iter()
        .try_fold(builder, |builder, name| {
            builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), &BUCKETS)
        })
}

/// Makes every metric known with its help text.
pub(super) fn describe() {
    describe_counter!(CALLS, "Calls that are over, by proxy code and code.");
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time of a call until its answer's end."
    );
    describe_histogram!(
        GATEWAY,
        Unit::Seconds,
        "The same without what its target took."
    );
}

/// A call is over.
pub(super) fn call(record: &Record) {
    let (proxy_code, code) = (record.proxy_code.clone(), record.code.clone());
    counter!(CALLS, "proxy_code" => proxy_code, "code" => code).increment(1);
    histogram!(DURATION).record(seconds(record.duration_us));
    let target_us = record.target_duration_us.unwrap_or_default();
    histogram!(GATEWAY).record(seconds(record.duration_us.saturating_sub(target_us)));
}

#[expect(clippy::cast_precision_loss, reason = "no call lasts for centuries")]
fn seconds(microseconds: u64) -> f64 {
    microseconds as f64 / MICROSECONDS
}
