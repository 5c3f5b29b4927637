//! Proxy → what its asynchronous requests go by in the region server.

use std::time::Duration;

use crate::records::region_config::ProxyConfig;

/// The most of a request's body that is kept.
const MAX_BODY_BYTES: u64 = 16 << 20;
/// How long a response is kept.
const KEPT: Duration = Duration::from_hours(24);

/// What asynchronous requests of a proxy go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyPassage {
    /// Whose proxy it is.
    pub organisation_id: String,
    /// Where it leads.
    pub target_id: String,
    /// What an attempt may take.
    pub timeout: Duration,
    /// The longest body that is taken.
    pub max_body_bytes: u64,
    /// How long a response is kept; zero: not at all.
    pub kept: Duration,
    /// A POST or PATCH without an idempotency key of its caller's is sent with one.
    pub sends_key: bool,
    /// Hosts that may be told of outcomes, as people write them.
    pub callback_hosts: Vec<String>,
}

pub(super) fn of(config: &ProxyConfig) -> ProxyPassage {
    ProxyPassage {
        organisation_id: config.organisation_id.clone(),
        target_id: config.target_id.clone(),
        timeout: Duration::from_secs(config.timeout_seconds.get().into()),
        max_body_bytes: MAX_BODY_BYTES,
        kept: KEPT,
        sends_key: true,
        callback_hosts: Vec::new(),
    }
}
