//! Who is let in to a proxy: all that a call costs before its caller is known.

use std::num::NonZeroU64;

use crate::{
    authn::{DigestKey, ProxyCredential},
    envelope::KeyRing,
    id::{Alias, CredentialId, OrganisationId, ProxyId, Region},
    shares::Holder,
};

/// The light part of a proxy's policy, compiled. What it weighs does not depend on rules, filters
/// and meters.
#[derive(Debug)]
pub struct Admission {
    pub(crate) names: Names,
    pub(crate) organisation: OrganisationId,
    pub(crate) region: Region,
    /// Opens what the policy injects, too.
    pub(crate) data_key: KeyRing,
    pub(crate) digest_key: DigestKey,
    /// In list order.
    pub(crate) credentials: Box<[ProxyCredential]>,
    pub(crate) max_response_bytes: NonZeroU64,
    /// See [`inspects_responses`](crate::compile::inspects_responses).
    pub(crate) inspects_responses: bool,
    pub(crate) weight: usize,
}

/// What a proxy is called in a URL.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) id: ProxyId,
    pub(crate) id_text: Box<str>,
    pub(crate) alias: Option<Alias>,
}

impl Admission {
    /// Whose proxy it is.
    pub fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// Whoever calls it with that credential.
    pub(crate) fn holder(&self, credential: Option<CredentialId>) -> Holder {
        Holder {
            organisation: self.organisation,
            proxy: self.names.id,
            credential,
        }
    }

    /// About as many bytes as it takes.
    pub fn weight(&self) -> usize {
        self.weight
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
