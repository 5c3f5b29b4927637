//! A proxy's policy in the form that decides requests.

use std::num::NonZeroU64;

use crate::{
    authn::{DigestKey, ProxyCredential},
    authz::{Layer, Layers},
    envelope::KeyRing,
    id::{Alias, CredentialId, OrganisationId, ProxyId},
    limit::Charge,
    meter::Meters,
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
    /// How much of a request's body conditions may look into.
    pub(crate) max_inspected_bytes: NonZeroU64,
    pub(crate) layers: AttachedLayers,
    /// Counts every call; none when the proxy has no limit.
    pub(crate) charge: Option<Charge>,
    pub(crate) meters: Meters,
    pub(crate) weight: usize,
    /// See [`inspects_responses`](crate::compile::inspects_responses).
    pub(crate) inspects_responses: bool,
}

/// The layers that judge every call of the proxy; that of the credential is with the credential.
#[derive(Debug)]
pub(crate) struct AttachedLayers {
    /// None: the proxy is incomplete.
    pub(crate) target_credential: Option<Layer>,
    /// None: the proxy is incomplete.
    pub(crate) target: Option<Layer>,
    pub(crate) proxy: Layer,
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

    /// How much of a request's body is held for conditions.
    pub fn max_inspected_bytes(&self) -> NonZeroU64 {
        self.max_inspected_bytes
    }

    /// What its layers and meters weigh, in about as many bytes as they take; at most
    /// [`MAX_WEIGHT`](crate::compile::MAX_WEIGHT).
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// The layers that judge the calls of one of the proxy's credentials; none when the proxy is
    /// incomplete, or the credential is not one of its.
    pub fn layers(&self, used: CredentialId) -> Option<Layers<'_>> {
        let mut credentials = self.credentials.iter();
        Some(Layers {
            proxy_credential: &credentials.find(|credential| credential.id == used)?.layer,
            target_credential: self.layers.target_credential.as_ref()?,
            target: self.layers.target.as_ref()?,
            proxy: &self.layers.proxy,
        })
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
