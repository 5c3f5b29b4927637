//! A proxy's policy in the form that decides requests.

use std::num::NonZeroU64;

use crate::{
    authn::{DigestKey, ProxyCredential},
    envelope::KeyRing,
    id::{Alias, OrganisationId, ProxyId},
    swap::Upstream,
};

pub use crate::compile::InvalidPolicy;

/// Everything the filter knows about one proxy, compiled so that requests cost little: secrets
/// are decrypted, keys are worked in, names are checked.
#[derive(Debug)]
pub struct Policy {
    pub(crate) names: Names,
    pub(crate) organisation: OrganisationId,
    pub(crate) standing: Standing,
    pub(crate) digest_key: DigestKey,
    /// In list order.
    pub(crate) credentials: Box<[ProxyCredential]>,
    /// None: the proxy is incomplete.
    pub(crate) upstream: Option<Upstream>,
    pub(crate) max_response_bytes: NonZeroU64,
}

/// What a proxy is called in a URL.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) id: ProxyId,
    pub(crate) id_text: Box<str>,
    pub(crate) alias: Option<Alias>,
}

/// Whether calls may pass at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    Inactive,
    Suspended,
}

/// Where a target credential puts a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A request header.
    Header,
    /// A query parameter.
    Query,
}

impl Policy {
    /// Compiles an encoded `requestrocket.policy.v1.ProxyPolicy`, decrypting what it needs.
    pub fn compile(bytes: &[u8], keys: &KeyRing) -> Result<Self, InvalidPolicy> {
        crate::compile::compile(bytes, keys)
    }

    /// The proxy it belongs to.
    pub fn proxy(&self) -> ProxyId {
        self.names.id
    }
}

impl Names {
    pub(crate) fn contain(&self, segment: &[u8]) -> bool {
        segment == self.id_text.as_bytes()
            || self
                .alias
                .as_ref()
                .is_some_and(|alias| segment == alias.as_str().as_bytes())
    }
}
