//! From wire to policy: every message is taken apart field by field, every secret is opened.
//!
//! Nothing is repaired. A policy that is wrong anywhere is no policy, and its proxy refuses.

mod credential;
mod upstream;

use std::num::NonZeroU64;

use prost::Message as _;
use requestrocket_proto::policy::v1 as wire;

pub use self::{credential::InvalidCredential, upstream::InvalidUpstream};
use crate::{
    authn::{DigestKey, InvalidDigestKey},
    envelope::{Binding, InvalidEnvelope, InvalidKey, Key, KeyRing},
    id::{Alias, InvalidAlias, InvalidId, InvalidRegion, OrganisationId, ProxyId, Region},
    policy::{Names, Policy, Standing},
};

/// The bytes are not a usable policy. Never says anything of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// Not an encoded `ProxyPolicy`.
    #[error("policy cannot be decoded")]
    Encoding,
    /// `proxy_id`.
    #[error("proxy id: {0}")]
    ProxyId(#[source] InvalidId),
    /// `organisation_id`.
    #[error("organisation id: {0}")]
    OrganisationId(#[source] InvalidId),
    /// `region`.
    #[error(transparent)]
    Region(#[from] InvalidRegion),
    /// `alias`.
    #[error(transparent)]
    Alias(#[from] InvalidAlias),
    /// `data_key` does not open.
    #[error("data key: {0}")]
    DataKey(#[source] InvalidEnvelope),
    /// `data_key` opens, but holds no key.
    #[error("data key: {0}")]
    DataKeyMaterial(#[source] InvalidKey),
    /// `digest_key` does not open.
    #[error("digest key: {0}")]
    DigestKey(#[source] InvalidEnvelope),
    /// `digest_key` opens, but holds no key.
    #[error(transparent)]
    DigestKeyMaterial(#[from] InvalidDigestKey),
    /// One of `proxy_credentials`.
    #[error("proxy credential {position}: {source}")]
    Credential {
        /// Place in the list, from 0.
        position: usize,
        /// What is wrong with it.
        source: InvalidCredential,
    },
    /// `target` or `target_credential`.
    #[error(transparent)]
    Upstream(#[from] InvalidUpstream),
    /// `max_response_bytes` is 0.
    #[error("response limit must not be 0")]
    MaxResponseBytes,
}

/// What envelopes of one organisation are opened with.
struct Vault<'a> {
    region: &'a Region,
    organisation: OrganisationId,
    data_key: KeyRing,
}

pub(crate) fn compile(bytes: &[u8], keys: &KeyRing) -> Result<Policy, InvalidPolicy> {
    let policy = wire::ProxyPolicy::decode(bytes).map_err(|_| InvalidPolicy::Encoding)?;
    // No `..`, here and below: a new wire field must fail to compile.
    let wire::ProxyPolicy {
        proxy_id,
        organisation_id,
        region,
        alias,
        is_active,
        is_suspended,
        data_key,
        digest_key,
        proxy_credentials,
        target,
        target_credential,
        max_response_bytes,
        max_inspected_bytes: _,
        layer: _,
        limits: _,
        meters: _,
    } = policy;

    let names = names(&proxy_id, &alias)?;
    let organisation = organisation_id
        .parse()
        .map_err(InvalidPolicy::OrganisationId)?;
    let region: Region = region.parse()?;
    let vault = Vault::open(&region, organisation, (keys, &data_key))?;
    Ok(Policy {
        names,
        organisation,
        standing: standing(is_active, is_suspended),
        digest_key: vault.digest_key(&digest_key)?,
        credentials: credential::compile_all(proxy_credentials)?,
        upstream: upstream::compile(target, target_credential, &vault)?,
        max_response_bytes: NonZeroU64::new(max_response_bytes)
            .ok_or(InvalidPolicy::MaxResponseBytes)?,
    })
}

fn names(proxy_id: &str, alias: &str) -> Result<Names, InvalidPolicy> {
    let id: ProxyId = proxy_id.parse().map_err(InvalidPolicy::ProxyId)?;
    let alias = if alias.is_empty() {
        None
    } else {
        Some(alias.parse::<Alias>()?)
    };
    Ok(Names {
        id,
        id_text: proxy_id.into(),
        alias,
    })
}

/// An inactive proxy of a suspended organisation is told to be inactive (details 22).
fn standing(is_active: bool, is_suspended: bool) -> Standing {
    match (is_active, is_suspended) {
        (false, _) => Standing::Inactive,
        (true, true) => Standing::Suspended,
        (true, false) => Standing::Active,
    }
}

impl<'a> Vault<'a> {
    fn open(
        region: &'a Region,
        organisation: OrganisationId,
        (keys, data_key): (&KeyRing, &[u8]),
    ) -> Result<Self, InvalidPolicy> {
        let binding = Binding::data_key(region.as_str(), organisation);
        let bytes = keys
            .open(data_key, &binding)
            .map_err(InvalidPolicy::DataKey)?;
        let key = Key::unnamed(bytes).map_err(InvalidPolicy::DataKeyMaterial)?;
        Ok(Self {
            region,
            organisation,
            data_key: KeyRing::of(key),
        })
    }

    fn digest_key(&self, envelope: &[u8]) -> Result<DigestKey, InvalidPolicy> {
        let binding = Binding::digest_key(self.region.as_str(), self.organisation);
        let bytes = self
            .data_key
            .open(envelope, &binding)
            .map_err(InvalidPolicy::DigestKey)?;
        Ok(DigestKey::new(bytes.expose())?)
    }
}

#[cfg(test)]
mod tests;
