//! Proxies: what binds callers' credentials, a target and its credential.

use std::num::NonZeroU64;

use super::alias::Alias;
use super::cors::Cors;
use super::region::RegionName;
use crate::domain::guard::effect::Effect;
use crate::domain::id::{CredentialId, OrganisationId, ProxyId, TargetId};
use crate::domain::label::Labels;
use crate::domain::moment::Moment;
use crate::domain::name::Name;

/// A proxy holds at most so many credentials of callers.
pub const MAX_PROXY_CREDENTIALS: usize = 100;
/// `proxyTimeoutSeconds`
pub const TIMEOUT_SECONDS: Range = Range {
    least: 1,
    most: 60,
    default: 30,
};
/// `proxyMaxResponseBytes`: 1 KiB to 1 GiB
pub const RESPONSE_BYTES: Range = Range {
    least: 1024,
    most: 1024 * 1024 * 1024,
    default: 6 * 1024 * 1024,
};
/// `proxyMaxInspectedBytes`: 1 KiB to 16 MiB
pub const INSPECTED_BYTES: Range = Range {
    least: 1024,
    most: 16 * 1024 * 1024,
    default: 1024 * 1024,
};
/// Limits stay exact in every reader of JSON.
pub const LARGEST_LIMIT: u64 = (1 << 53) - 1;

/// What a number may be.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// At least.
    pub least: u64,
    /// At most.
    pub most: u64,
    /// When it is left out.
    pub default: u64,
}

/// What a caller decides about a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyForm {
    /// For people; several may share it.
    pub name: Name,
    /// Whose calls it takes; the first match in this order counts.
    pub proxy_credentials: Vec<CredentialId>,
    /// Where calls go.
    pub target: TargetId,
    /// What the target is given.
    pub target_credential: CredentialId,
    /// Whether it serves.
    pub is_active: bool,
    /// What its layer decides when no rule matches.
    pub default_rule_effect: Effect,
    /// How long a target may take.
    pub timeout_seconds: u64,
    /// Calls a minute.
    pub max_requests_per_minute: Option<NonZeroU64>,
    /// Calls a day.
    pub max_requests_per_day: Option<NonZeroU64>,
    /// Larger responses are refused.
    pub max_response_bytes: u64,
    /// Larger bodies cannot be inspected.
    pub max_inspected_bytes: u64,
    /// Stands for its id in its URL.
    pub alias: Option<Alias>,
    /// Which pages of other origins may call it.
    pub cors: Option<Cors>,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// What callers and the API name it by.
    pub id: ProxyId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it is served.
    pub region: RegionName,
    /// What its owner decided. Ids of records deleted by force stay.
    pub form: ProxyForm,
    /// By what it is found.
    pub labels: Labels,
    /// Its target still exists.
    pub has_target: bool,
    /// Its target credential still exists.
    pub has_target_credential: bool,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// User id.
    pub created_by: String,
    /// Its version; every stored change alters it.
    pub revision: u64,
}

/// A proxy beside what its URL and its status depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedProxy {
    /// The record.
    pub proxy: Proxy,
    /// Public base URL of its region; none before that first connected.
    pub region_base_url: Option<String>,
    /// Newest revision of it and of all that it uses.
    pub desired_revision: u64,
}

impl Proxy {
    /// Its target or target credential is gone.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        !(self.has_target && self.has_target_credential)
    }
}
