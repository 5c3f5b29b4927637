//! Target and target credential.

use std::sync::Arc;

use prost::Message as _;
use requestrocket_proto::policy::v1 as wire;

use super::{
    InvalidPolicy, Supply, attached,
    computed::{self, InvalidComputed},
};
use crate::{
    admission::Admission,
    authz::{Layer, LayerName},
    echo::{self, Guard},
    envelope::{Binding, InvalidEnvelope, Location},
    id::{CredentialId, InvalidId},
    policy::Policy,
    renewal::Renewable,
    secret::SecretBytes,
    sign::Scheme,
    swap::{Apart, Availability, HeaderInjection, InvalidInjection, QueryInjection, Upstream},
};

/// Not a target with its credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUpstream {
    /// `target.base_path`.
    #[error("base path must start with a slash, not end with one, and be a plain URL path")]
    BasePath,
    /// `target.host`.
    #[error("host must be the plain text of an authority")]
    Host,
    /// `target_credential.credential_id`.
    #[error("target credential id: {0}")]
    CredentialId(#[from] InvalidId),
    /// What came for `target_credential` by itself.
    #[error("token is none of this policy")]
    Token,
    /// One of `target_credential.injections` names no location.
    #[error("injection {0} has no known location")]
    Location(usize),
    /// One of `target_credential.injections` does not open.
    #[error("injection {position}: {source}")]
    Sealed {
        /// Place in the list, from 0.
        position: usize,
        /// Why.
        source: InvalidEnvelope,
    },
    /// One of `target_credential.injections` must not be put on a request.
    #[error("injection {position}: {source}")]
    Injection {
        /// Place in the list, from 0.
        position: usize,
        /// Why.
        source: InvalidInjection,
    },
    /// One of `target_credential.injections` cannot be computed.
    #[error("injection {position}: {source}")]
    Computed {
        /// Place in the list, from 0.
        position: usize,
        /// Why.
        source: InvalidComputed,
    },
}

/// What a target and its credential come to: no upstream when one of them is gone, but the layers
/// of those that are there.
type Compiled = (Option<Upstream>, Option<Layer>, Option<Layer>);

pub(super) fn compile(
    target: Option<wire::Target>,
    credential: Option<wire::TargetCredential>,
    admission: &Admission,
    supply: &mut Supply,
) -> Result<Compiled, InvalidPolicy> {
    let target = target
        .map(|target| compile_target(target, supply))
        .transpose()?;
    let credential = credential
        .map(|credential| compile_credential(credential, admission, supply))
        .transpose()?;
    let (places, target_layer) = target.unzip();
    let (given, credential_layer) = credential.unzip();
    let upstream = places.zip(given);
    let upstream = upstream.map(|((host, base_path), (injections, availability))| Upstream {
        host,
        base_path,
        headers: injections.headers.into(),
        query: injections.query.into(),
        computed: injections.computed,
        availability,
        guard: Guard::of(injections.echoed).map(Arc::new),
        serves_until_ms: injections.serves_until_ms,
        renewable: injections.renewable,
        apart: injections.apart.map(|credential| Apart {
            credential,
            serial: Box::default(),
        }),
    });
    Ok((upstream, target_layer, credential_layer))
}

/// Host and base path.
type Places = (Box<[u8]>, Box<[u8]>);

/// What is put on requests, and how long.
#[derive(Default)]
pub(crate) struct Injections {
    pub(crate) headers: Vec<HeaderInjection>,
    pub(crate) query: Vec<QueryInjection>,
    computed: Option<Box<dyn Scheme>>,
    /// Values that responses may repeat.
    pub(crate) echoed: Vec<SecretBytes>,
    serves_until_ms: Option<u64>,
    renewable: Option<Renewable>,
    apart: Option<(CredentialId, u64)>,
}

fn compile_target(
    target: wire::Target,
    supply: &mut Supply,
) -> Result<(Places, Layer), InvalidPolicy> {
    let wire::Target {
        base_path,
        layer,
        host,
    } = target;
    if !host.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(InvalidUpstream::Host.into());
    }
    let places = (host.into_bytes().into(), compile_base_path(base_path)?);
    Ok((places, attached(LayerName::Target, layer, supply)?))
}

fn compile_credential(
    credential: wire::TargetCredential,
    admission: &Admission,
    supply: &mut Supply,
) -> Result<((Injections, Availability), Layer), InvalidPolicy> {
    let wire::TargetCredential {
        credential_id,
        version,
        injections,
        layer,
        ends_at_ms,
        serves_until_ms,
        refresh_on,
        is_token_apart,
    } = credential;
    let availability = match ends_at_ms {
        0 => Availability::Always,
        end => Availability::Before(end),
    };
    let id = credential_id
        .parse()
        .map_err(InvalidUpstream::CredentialId)?;
    let mut injections = compile_injections(injections, (id, version), admission)?;
    injections.serves_until_ms = serves_until_ms;
    injections.renewable = Renewable::of((id, version), serves_until_ms, &refresh_on);
    injections.apart = is_token_apart.then_some((id, version));
    Ok((
        (injections, availability),
        attached(LayerName::TargetCredential, layer, supply)?,
    ))
}

fn compile_base_path(base_path: String) -> Result<Box<[u8]>, InvalidUpstream> {
    let is_plain = base_path
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"?#\\".contains(&b));
    // What is put behind it begins with a slash.
    let is_rooted = base_path.starts_with('/') && !base_path.ends_with('/');
    if base_path.is_empty() || (is_rooted && is_plain) {
        Ok(base_path.into_bytes().into())
    } else {
        Err(InvalidUpstream::BasePath)
    }
}

impl Policy {
    /// What is put on requests is a token that travels by itself.
    pub fn awaits_token(&self) -> bool {
        self.apart().is_some()
    }

    /// Whether it has the token of that serial.
    pub fn has_token(&self, serial: &[u8]) -> bool {
        self.apart().is_some_and(|apart| *apart.serial == *serial)
    }

    /// The same policy with an encoded `TargetToken` of that serial, in the place of the one that it
    /// has. All else is shared.
    ///
    /// # Errors
    /// The token does not open, or is not of this policy's credential.
    pub fn with_token(&self, serial: &[u8], encoded: &[u8]) -> Result<Self, InvalidPolicy> {
        let upstream = match &self.upstream {
            Some(upstream) => Some(renewed(upstream, &self.admission, (serial, encoded))?),
            None => None,
        };
        Ok(Self {
            admission: Arc::clone(&self.admission),
            standing: self.standing,
            callers: Arc::clone(&self.callers),
            upstream,
            max_inspected_bytes: self.max_inspected_bytes,
            layers: Arc::clone(&self.layers),
            charge: self.charge,
            meters: Arc::clone(&self.meters),
            weight: self.weight,
        })
    }

    fn apart(&self) -> Option<&Apart> {
        self.upstream.as_ref()?.apart.as_ref()
    }
}

fn renewed(
    upstream: &Upstream,
    admission: &Admission,
    (serial, encoded): (&[u8], &[u8]),
) -> Result<Upstream, InvalidPolicy> {
    let apart = upstream.apart.as_ref();
    let credential = apart.ok_or(InvalidUpstream::Token)?.credential;
    let token = wire::TargetToken::decode(encoded).map_err(|_| InvalidUpstream::Token)?;
    let wire::TargetToken {
        injections,
        serves_until_ms,
        refresh_on,
    } = token;
    // Envelopes are bound to credential and version: no other's value opens here.
    let injections = compile_injections(injections, credential, admission)?;
    if injections.computed.is_some() {
        // Envoy would have to know of it before.
        return Err(InvalidUpstream::Token.into());
    }
    Ok(Upstream {
        host: upstream.host.clone(),
        base_path: upstream.base_path.clone(),
        headers: injections.headers.into(),
        query: injections.query.into(),
        computed: None,
        serves_until_ms: Some(serves_until_ms),
        renewable: Renewable::of(credential, Some(serves_until_ms), &refresh_on),
        apart: Some(Apart {
            credential,
            serial: serial.into(),
        }),
        availability: upstream.availability,
        guard: Guard::of(injections.echoed).map(Arc::new),
    })
}

/// Opens what is put on requests of a proxy.
pub(crate) fn compile_injections(
    injections: Vec<wire::Injection>,
    credential: (CredentialId, u64),
    admission: &Admission,
) -> Result<Injections, InvalidUpstream> {
    let mut compiled = Injections::default();
    for (position, injection) in injections.into_iter().enumerate() {
        let around = [injection.bytes_before, injection.bytes_behind];
        // Of more than there are, all of the value counts as secret.
        let [before, behind] = around.map(|bytes| bytes.try_into().unwrap_or(usize::MAX));
        let (location, name, value) = open(injection, credential, admission, position)?;
        let invalid = |source| InvalidUpstream::Injection { position, source };
        // What is secret in a computed value its scheme says for each call.
        if location != Location::Computed {
            compiled
                .echoed
                .push(echo::of_value(&value, (before, behind)));
        }
        match location {
            Location::Header => {
                compiled.echoed.extend(echo::of_header(&value));
                let injection = HeaderInjection::new(&name, value).map_err(invalid)?;
                compiled.headers.push(injection);
            }
            Location::Query => {
                let injection = QueryInjection::new(&name, &value).map_err(invalid)?;
                compiled.query.push(injection);
            }
            Location::Computed => {
                let invalid = |source| InvalidUpstream::Computed { position, source };
                let scheme = computed::compile(&value).map_err(invalid)?;
                if compiled.computed.replace(scheme).is_some() {
                    return Err(invalid(InvalidComputed::Several));
                }
            }
        }
    }
    Ok(compiled)
}

fn open(
    injection: wire::Injection,
    credential: (CredentialId, u64),
    admission: &Admission,
    position: usize,
) -> Result<(Location, String, SecretBytes), InvalidUpstream> {
    let wire::Injection {
        location,
        name,
        sealed_value,
        // Told to whoever has Envoy hold bodies; the scheme knows it by itself.
        reads_body: _,
        bytes_before: _,
        bytes_behind: _,
    } = injection;
    let location = match wire::Location::try_from(location) {
        Ok(wire::Location::Header) => Location::Header,
        Ok(wire::Location::Query) => Location::Query,
        Ok(wire::Location::Computed) => Location::Computed,
        Ok(wire::Location::Unspecified) | Err(_) => {
            return Err(InvalidUpstream::Location(position));
        }
    };
    let binding = Binding::injection(
        admission.region.as_str(),
        admission.organisation,
        credential,
        (location, &name),
    );
    let value = admission.data_key.open(&sealed_value, &binding);
    let value = value.map_err(|source| InvalidUpstream::Sealed { position, source })?;
    Ok((location, name, value))
}
