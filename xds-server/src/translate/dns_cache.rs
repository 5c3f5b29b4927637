//! Addresses of targets.

use envoy_types::pb::envoy::config::cluster::v3::cluster::DnsLookupFamily;
use envoy_types::pb::envoy::extensions::common::dynamic_forward_proxy::v3::{
    DnsCacheCircuitBreakers, DnsCacheConfig,
};

use super::Settings;
use super::address_guard;
use super::wire::{number, seconds};

/// Hosts whose addresses are kept at the same time.
const MAX_HOSTS: u32 = 100_000;
/// Calls that wait for an address; names that do not resolve must not stop those that do.
const MAX_PENDING_LOOKUPS: u32 = 5_000_000;

/// Filter and clusters must say the same of the cache that they share.
pub(super) fn dns_cache(settings: &Settings) -> DnsCacheConfig {
    DnsCacheConfig {
        name: "targets".to_owned(),
        // Both kinds of addresses are tried (`cluster::connection_options`).
        dns_lookup_family: DnsLookupFamily::All.into(),
        // A name whose TTL is zero would be asked for without a pause.
        dns_min_refresh_rate: seconds(5),
        // Envoy's own, said here because all share the cache: a name is asked for again each minute,
        // a server that does not answer is given up after 5 s, a name that nobody calls after 300 s.
        dns_refresh_rate: seconds(60),
        dns_query_timeout: seconds(5),
        host_ttl: seconds(300),
        max_hosts: number(MAX_HOSTS),
        dns_cache_circuit_breaker: Some(DnsCacheCircuitBreakers {
            max_pending_requests: number(MAX_PENDING_LOOKUPS),
        }),
        resolved_address_filter: Some(address_guard::build(&settings.allow_private_targets)),
        ..DnsCacheConfig::default()
    }
}
