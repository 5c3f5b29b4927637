//! From wire to policy: every message is taken apart field by field, every secret is opened.
//!
//! Nothing is repaired. A policy that is wrong anywhere is no policy, and its proxy refuses.

pub(crate) mod conditions;
mod credential;
pub(crate) mod layer;
mod meter;
mod upstream;
pub(crate) mod weight;

use std::num::NonZeroU64;

use prost::Message as _;
use requestrocket_proto::policy::v1 as wire;

pub use self::{
    conditions::{InvalidConditions, MAX_CONDITIONS, MAX_NODE_PATHS},
    credential::InvalidCredential,
    layer::{
        InvalidLayer, InvalidRedaction, InvalidRule, MAX_PRIORITY, MAX_REDACTION_PATHS,
        MAX_REDACTIONS, MAX_RULES, check_layer,
    },
    meter::{InvalidLimit, InvalidMeter, InvalidMeters, MAX_METERS, check_meters},
    upstream::InvalidUpstream,
    weight::{MAX_WEIGHT, TooHeavy},
};
use crate::{
    authn::{DigestKey, InvalidDigestKey},
    authz::{Layer, LayerName},
    envelope::{Binding, InvalidEnvelope, InvalidKey, Key, KeyRing},
    id::{Alias, InvalidAlias, InvalidId, InvalidRegion, OrganisationId, ProxyId, Region},
    limit::CounterKind,
    policy::{AttachedLayers, Names, Policy, Standing},
};
use weight::{MAX_ENCODED_BYTES, Weight};

/// The bytes are not a usable policy. Never says anything of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// Not an encoded `ProxyPolicy`.
    #[error("policy cannot be decoded")]
    Encoding,
    /// Longer than any policy whose parts are within their limits.
    #[error("policy is longer than {MAX_ENCODED_BYTES} bytes")]
    TooLong,
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
    /// `max_inspected_bytes` is 0, or more than is ever held.
    #[error("limit of inspected bodies must be 1 to {MAX_INSPECTED_BYTES} bytes")]
    MaxInspectedBytes,
    /// `limits`.
    #[error(transparent)]
    Limits(#[from] InvalidLimit),
    /// `meters`.
    #[error(transparent)]
    Meters(#[from] InvalidMeters),
    /// `layer`, or that of `target` or `target_credential`.
    #[error("{}: {source}", layer.as_str())]
    Layer {
        /// Which of them.
        layer: LayerName,
        /// What is wrong with it.
        source: InvalidLayer,
    },
}

/// Most that a proxy may hold of a request's body.
pub const MAX_INSPECTED_BYTES: u64 = 16 << 20;

/// What envelopes of one organisation are opened with.
struct Vault<'a> {
    region: &'a Region,
    organisation: OrganisationId,
    data_key: KeyRing,
}

pub(crate) fn compile(bytes: &[u8], keys: &KeyRing) -> Result<Policy, InvalidPolicy> {
    if bytes.len() > MAX_ENCODED_BYTES {
        return Err(InvalidPolicy::TooLong);
    }
    let policy = wire::ProxyPolicy::decode(bytes).map_err(|_| InvalidPolicy::Encoding)?;
    let inspects_responses = inspects_responses(&policy);
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
        max_inspected_bytes,
        layer,
        limits,
        meters,
    } = policy;

    let names = names(&proxy_id, &alias)?;
    let proxy = *names.id.as_uuid();
    let organisation = organisation_id
        .parse()
        .map_err(InvalidPolicy::OrganisationId)?;
    let region: Region = region.parse()?;
    let vault = Vault::open(&region, organisation, (keys, &data_key))?;
    let mut weight = Weight::default();
    let (upstream, target, target_credential) =
        upstream::compile(target, target_credential, &vault, &mut weight)?;
    Ok(Policy {
        names,
        organisation,
        standing: standing(is_active, is_suspended),
        digest_key: vault.digest_key(&digest_key)?,
        credentials: credential::compile_all(proxy_credentials, &mut weight)?,
        upstream,
        max_response_bytes: NonZeroU64::new(max_response_bytes)
            .ok_or(InvalidPolicy::MaxResponseBytes)?,
        max_inspected_bytes: inspected(max_inspected_bytes)?,
        layers: AttachedLayers {
            target_credential,
            target,
            proxy: attached(LayerName::Proxy, layer, &mut weight)?,
        },
        charge: meter::charge(CounterKind::Proxy, proxy, limits)?,
        meters: meter::compile_all(meters, &mut weight)?,
        weight: weight.get(),
        inspects_responses,
    })
}

/// Whether more of a response than its length can matter: something may be redacted, or a meter
/// takes its value from there. Envoy passes by itself what nobody has to look at, and the filter
/// forgets such calls, so both must go by this.
pub fn inspects_responses(policy: &wire::ProxyPolicy) -> bool {
    let callers = policy.proxy_credentials.iter();
    let of_callers = callers.filter_map(|caller| caller.layer.as_ref());
    let injected = policy.target_credential.as_ref();
    let mut layers = of_callers
        .chain(injected.and_then(|credential| credential.layer.as_ref()))
        .chain(policy.target.as_ref().and_then(|it| it.layer.as_ref()))
        .chain(&policy.layer);
    layers.any(|layer| !layer.redactions.is_empty())
        || policy.meters.iter().any(|meter| meter.extraction.is_some())
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

fn attached(
    name: LayerName,
    layer: Option<wire::Layer>,
    weight: &mut Weight,
) -> Result<Layer, InvalidPolicy> {
    layer::compile(layer, weight).map_err(|source| InvalidPolicy::Layer {
        layer: name,
        source,
    })
}

fn inspected(bytes: u64) -> Result<NonZeroU64, InvalidPolicy> {
    NonZeroU64::new(bytes)
        .filter(|bytes| bytes.get() <= MAX_INSPECTED_BYTES)
        .ok_or(InvalidPolicy::MaxInspectedBytes)
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
