//! What is remembered of a call.

use crate::{
    authn::AuthType,
    denial::Denial,
    id::{CredentialId, OrganisationId, ProxyId},
};

/// Metadata of one call; no content, no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Tenant and proxy, when the proxy is known.
    pub proxy: Option<(OrganisationId, ProxyId)>,
    /// The credential that the caller used, once it was found right.
    pub credential: Option<(CredentialId, AuthType)>,
    /// The refusal; none when the call was let through, or ended before it was judged.
    pub denial: Option<Denial>,
}
