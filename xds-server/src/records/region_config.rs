//! Region config (IR): all that is to be known of one proxy before translation to Envoy resources.

use std::num::NonZeroU32;

use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::region::v1::Cors;

use super::record::PreviousSecret;

/// One proxy with what its organisation, credentials and target contribute.
///
/// Secrets are digests and envelopes only, in the form the filter's policy carries them.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyConfig {
    /// UUID text.
    pub proxy_id: String,
    /// UUID text.
    pub organisation_id: String,
    /// Slug usable in place of the id.
    pub alias: Option<String>,
    /// `proxyActive`.
    pub is_active: bool,
    /// The organisation is suspended.
    pub is_suspended: bool,
    /// From the end of the request to the target's response head.
    pub timeout_seconds: NonZeroU32,
    /// `proxyMaxResponseBytes`.
    pub max_response_bytes: u64,
    /// `proxyMaxInspectedBytes`.
    pub max_inspected_bytes: u64,
    /// UUID text; it may be deleted.
    pub target_id: String,
    /// None: deleted; the proxy is incomplete.
    pub target: Option<TargetConfig>,
    /// In list order; credentials that are gone are left out.
    pub proxy_credentials: Vec<CallerConfig>,
    /// None: deleted, inactive or its secret never arrived; the proxy is incomplete.
    pub target_credential: Option<wire::TargetCredential>,
    /// Rules and redactions of the proxy itself.
    pub layer: wire::Layer,
    /// Limits of the proxy over all its callers.
    pub limits: wire::Limits,
    /// Active meters.
    pub meters: Vec<wire::Meter>,
    /// None: pages of other origins cannot call it.
    pub cors: Option<Cors>,
    /// Wrapped data key of the organisation (an envelope).
    pub data_key: Vec<u8>,
    /// Wrapped digest key of the organisation (an envelope).
    pub digest_key: Vec<u8>,
}

/// A credential that callers of a proxy present.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerConfig {
    /// UUID text.
    pub credential_id: String,
    /// Inactive ones match, and let nobody in.
    pub is_active: bool,
    /// Unix time in milliseconds from which it matches and lets nobody in; 0 for never.
    pub ends_at_ms: u64,
    /// Digests of what is presented.
    pub presented: wire::proxy_credential::Presented,
    /// What was presented before and is still accepted.
    pub previous: Option<PreviousSecret>,
    /// Rules and redactions of the credential.
    pub layer: wire::Layer,
    /// The plan's limits.
    pub limits: wire::Limits,
}

/// Where a proxy forwards to.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetConfig {
    /// Decides the cluster.
    pub scheme: Scheme,
    /// Host, with `:port` when the base URL has one; the `Host` header of every request.
    pub authority: String,
    /// Path of the base URL without its trailing slash; empty for none.
    pub base_path: String,
    /// Rules and redactions of the target.
    pub layer: wire::Layer,
}

impl TargetConfig {
    /// `Host` of what is forwarded: a port that the scheme implies is not said.
    pub fn host(&self) -> &str {
        let implied = match self.scheme {
            Scheme::Http => ":80",
            Scheme::Https => ":443",
        };
        self.authority
            .strip_suffix(implied)
            .unwrap_or(&self.authority)
    }
}

/// Scheme of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS with verification.
    Https,
}

/// What the publisher is told of a revision.
#[derive(Clone, Debug)]
pub enum RegionUpdate {
    /// These proxies are new or differ, or are gone (`None`).
    Delta(Vec<(String, Option<ProxyConfig>)>),
    /// This is all there is.
    Full(Vec<ProxyConfig>),
}
