//! How much of a request's body Envoy keeps for the filter: what conditions look into, and what is
//! signed. The limit of the route raises the listener's and never lowers it. What is kept of
//! responses is kept by the filter.

use requestrocket_proto::policy::v1 as wire;

use crate::records::region_config::ProxyConfig;

/// More than this of a request nobody may ask for.
const MOST_REQUEST_BYTES: u64 = 16 << 20;
/// The filter refuses what is longer, with its own words; it must get to see that it is.
const ROOM_BYTES: u64 = 128 << 10;

/// Bytes to keep; None where the listener's limit will do.
pub(super) fn limit_bytes(config: &ProxyConfig) -> Option<u64> {
    let most = config.max_inspected_bytes.min(MOST_REQUEST_BYTES);
    inspects_requests(config).then(|| most.saturating_add(ROOM_BYTES))
}

fn inspects_requests(config: &ProxyConfig) -> bool {
    let mut rules = layers(config).flat_map(|layer| &layer.rules);
    let mut meters = config.meters.iter();
    rules.any(|rule| reads_body(rule.conditions.as_ref()))
        || meters.any(|meter| reads_body(meter.conditions.as_ref()))
        || signs_body(config)
}

fn signs_body(config: &ProxyConfig) -> bool {
    let credential = config.target_credential.iter();
    let mut injections = credential.flat_map(|credential| &credential.injections);
    injections.any(|injection| injection.reads_body)
}

fn layers(config: &ProxyConfig) -> impl Iterator<Item = &wire::Layer> {
    let callers = config.proxy_credentials.iter();
    let of_callers = callers.map(|caller| &caller.layer);
    let injected = config.target_credential.as_ref();
    of_callers
        .chain(injected.and_then(|credential| credential.layer.as_ref()))
        .chain(config.target.as_ref().map(|target| &target.layer))
        .chain([&config.layer])
}

fn reads_body(conditions: Option<&wire::Conditions>) -> bool {
    conditions.is_some_and(|conditions| !conditions.body.is_empty())
}
