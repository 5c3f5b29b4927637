//! From wire to policy: every message is taken apart field by field, every secret is opened.
//!
//! In two parts: who is let in is known without the rest. Nothing is repaired. A policy that is wrong anywhere is no policy, and its proxy refuses.

mod admission;
mod caller;
mod computed;
pub(crate) mod conditions;
mod credential;
pub(crate) mod layer;
pub(crate) mod meter;
pub(crate) mod pool;
mod steps;
mod token;
pub(crate) mod upstream;
pub(crate) mod weight;

use std::{num::NonZeroU64, sync::Arc};

use requestrocket_proto::policy::v1 as wire;

pub use self::{
    admission::MAX_ADMISSION_BYTES,
    conditions::{InvalidConditions, MAX_CONDITIONS, MAX_NODE_PATHS},
    credential::InvalidCredential,
    layer::{
        InvalidLayer, InvalidRedaction, InvalidRule, MAX_PRIORITY, MAX_REDACTION_PATHS,
        MAX_REDACTIONS, MAX_RULES, check_layer,
    },
    meter::{InvalidLimit, InvalidMeter, InvalidMeters, MAX_METERS, check_meters},
    steps::Compilation,
    upstream::InvalidUpstream,
    weight::{MAX_WEIGHT, TooHeavy},
};
use crate::{
    admission::Admission,
    authn::InvalidDigestKey,
    authz::{Layer, LayerName},
    envelope::{InvalidEnvelope, InvalidKey},
    id::{InvalidAlias, InvalidId, InvalidRegion},
    limit::CounterKind,
    policy::{AttachedLayers, Policy, Standing},
};
use pool::Pool;
use weight::Weight;

/// The bytes are not a usable policy. Never says anything of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// Not an encoded `Admission` or `ProxyPolicy`.
    #[error("policy cannot be decoded")]
    Encoding,
    /// Longer than any policy whose parts are within their limits.
    #[error("policy is longer than {0} bytes")]
    TooLong(usize),
    /// The policy goes with other credentials than the admission's.
    #[error("policy does not go with its admission")]
    AnotherAdmission,
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
    /// All patterns together.
    #[error(transparent)]
    TooHeavy(#[from] TooHeavy),
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

/// Compiles what goes with an admission, from parts that are compiled already.
fn put_together(
    admission: Arc<Admission>,
    policy: wire::ProxyPolicy,
    pool: Pool,
) -> Result<Policy, InvalidPolicy> {
    // Of a forgotten call only the admission is there to decide by, so both must say the same.
    if inspects_responses(&policy) != admission.inspects_responses {
        return Err(InvalidPolicy::AnotherAdmission);
    }
    // No `..`, here and below: a new wire field must fail to compile.
    let wire::ProxyPolicy {
        is_active,
        is_suspended,
        proxy_credentials,
        target,
        target_credential,
        max_inspected_bytes,
        layer,
        limits,
        meters,
    } = policy;
    let proxy = *admission.names.id.as_uuid();
    let mut supply = Supply::of(pool);
    let (upstream, target, target_credential) =
        upstream::compile(target, target_credential, &admission, &mut supply)?;
    Ok(Policy {
        standing: standing(is_active, is_suspended),
        callers: caller::compile_all(proxy_credentials, &admission, &mut supply)?.into(),
        upstream,
        max_inspected_bytes: inspected(max_inspected_bytes)?,
        layers: Arc::new(AttachedLayers {
            target_credential,
            target,
            proxy: attached(LayerName::Proxy, layer, &mut supply)?,
        }),
        charge: meter::charge(CounterKind::Proxy, proxy, limits)?,
        meters: meter::compile_all(meters, &mut supply)?.into(),
        weight: supply.weight.get(),
        admission,
    })
}

/// What the layers and meters of one policy are compiled with.
#[derive(Debug, Default)]
struct Supply {
    weight: Weight,
    pool: Pool,
}

impl Supply {
    fn of(pool: Pool) -> Self {
        Self {
            weight: Weight::default(),
            pool,
        }
    }
}

/// Whether more of a response than its length can matter: something may be redacted, or a meter
/// takes its value from there. Envoy passes by itself what nobody has to look at, and the filter
/// forgets such calls, so both must go by this.
pub fn inspects_responses(policy: &wire::ProxyPolicy) -> bool {
    let mut layers = layers(policy);
    layers.any(|layer| !layer.redactions.is_empty())
        || policy.meters.iter().any(|meter| meter.extraction.is_some())
}

/// Whether responses can say something of what their requests carried, so that the filter has to
/// see all of them.
pub fn searches_responses(policy: &wire::ProxyPolicy) -> bool {
    let credential = policy.target_credential.as_ref();
    credential
        .is_some_and(|credential| credential.is_token_apart || !credential.injections.is_empty())
}

fn layers(policy: &wire::ProxyPolicy) -> impl Iterator<Item = &wire::Layer> {
    let callers = policy.proxy_credentials.iter();
    let of_callers = callers.filter_map(|caller| caller.layer.as_ref());
    let injected = policy.target_credential.as_ref();
    of_callers
        .chain(injected.and_then(|credential| credential.layer.as_ref()))
        .chain(policy.target.as_ref().and_then(|it| it.layer.as_ref()))
        .chain(&policy.layer)
}

fn attached(
    name: LayerName,
    layer: Option<wire::Layer>,
    supply: &mut Supply,
) -> Result<Layer, InvalidPolicy> {
    layer::compile(layer, supply).map_err(|source| InvalidPolicy::Layer {
        layer: name,
        source,
    })
}

fn inspected(bytes: u64) -> Result<NonZeroU64, InvalidPolicy> {
    NonZeroU64::new(bytes)
        .filter(|bytes| bytes.get() <= MAX_INSPECTED_BYTES)
        .ok_or(InvalidPolicy::MaxInspectedBytes)
}

/// An inactive proxy of a suspended organisation is told to be inactive: the nearer cause.
fn standing(is_active: bool, is_suspended: bool) -> Standing {
    match (is_active, is_suspended) {
        (false, _) => Standing::Inactive,
        (true, true) => Standing::Suspended,
        (true, false) => Standing::Active,
    }
}

#[cfg(test)]
mod tests;
