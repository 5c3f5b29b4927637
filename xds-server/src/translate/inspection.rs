//! How much of a request Envoy keeps for the filter to look into.

use requestrocket_proto::policy::v1 as wire;

use crate::region_config::ProxyConfig;

/// More than this nobody may ask for.
const MOST_BYTES: u64 = 16 << 20;
/// The filter refuses what is longer, with its own words; it must get to see that it is.
const ROOM_BYTES: u64 = 128 << 10;

/// Bytes of a request body to keep; None where no condition looks into one.
pub(super) fn buffer_bytes(config: &ProxyConfig) -> Option<u64> {
    is_needed(config).then(|| config.max_inspected_bytes.min(MOST_BYTES) + ROOM_BYTES)
}

fn is_needed(config: &ProxyConfig) -> bool {
    let callers = config.proxy_credentials.iter();
    let of_credentials = callers.filter_map(|caller| caller.layer.as_ref());
    let injected = config.target_credential.as_ref();
    let mut layers = of_credentials
        .chain(injected.and_then(|credential| credential.layer.as_ref()))
        .chain(config.target.as_ref().map(|target| &target.layer))
        .chain([&config.layer]);
    let mut meters = config.meters.iter();
    layers.any(|layer| {
        layer
            .rules
            .iter()
            .any(|rule| reads_body(rule.conditions.as_ref()))
    }) || meters.any(|meter| reads_body(meter.conditions.as_ref()))
}

fn reads_body(conditions: Option<&wire::Conditions>) -> bool {
    conditions.is_some_and(|conditions| !conditions.body.is_empty())
}
