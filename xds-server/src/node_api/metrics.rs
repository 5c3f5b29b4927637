//! What is counted of the streams. Label values are names of resource kinds.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::xds::resource::ResourceKind;

const STREAMS: &str = "rr_ads_streams";
const RESPONSES: &str = "rr_ads_responses_total";
const REFUSALS: &str = "rr_ads_refusals_total";
/// A kind that is none of ours.
const UNKNOWN: &str = "unknown";

/// Makes every metric known with its help text.
pub(crate) fn describe() {
    describe_gauge!(STREAMS, "Nodes with an open ADS stream.");
    describe_counter!(RESPONSES, "Responses that were sent to nodes.");
    describe_counter!(REFUSALS, "Responses that a node refused.");
    gauge!(STREAMS).set(0.0);
    let kinds = ResourceKind::ALL.map(ResourceKind::name);
    for kind in kinds.into_iter().chain([UNKNOWN]) {
        counter!(REFUSALS, "kind" => kind).increment(0);
    }
}

/// Counts one stream for as long as it is kept.
pub(crate) struct OpenStream;

impl OpenStream {
    pub(crate) fn begin() -> Self {
        gauge!(STREAMS).increment(1.0);
        Self
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        gauge!(STREAMS).decrement(1.0);
    }
}

pub(crate) fn response_sent(type_url: &str) {
    counter!(RESPONSES, "kind" => kind(type_url)).increment(1);
}

pub(crate) fn response_refused(type_url: &str) {
    counter!(REFUSALS, "kind" => kind(type_url)).increment(1);
}

fn kind(type_url: &str) -> &'static str {
    ResourceKind::of_type_url(type_url).map_or(UNKNOWN, ResourceKind::name)
}
