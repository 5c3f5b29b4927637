//! What is remembered of a call.

use crate::{
    denial::Denial,
    id::{CredentialId, OrganisationId, ProxyId},
};

/// Metadata of one call; no content, no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Tenant and proxy, when the proxy is known.
    pub proxy: Option<(OrganisationId, ProxyId)>,
    /// The credential that the caller used, once it was found right.
    pub credential: Option<CredentialId>,
    /// The refusal; none when the target's answer was passed on.
    pub denial: Option<Denial>,
}
