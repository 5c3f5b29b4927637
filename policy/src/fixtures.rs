//! Ready-made policies, for tests and benchmarks of this crate and of the filter.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "runs in tests and benchmarks only"
)]

pub mod addresses;
mod admitting;
mod ending;
pub mod fuzz;
mod obtained;
pub mod rules;
pub mod tokens;

use std::sync::Arc;

use prost::Message as _;
use requestrocket_proto::policy::v1 as wire;
use uuid::Uuid;
use wire::proxy_credential::Presented;

use crate::{
    admission::Admission,
    authn::DigestKey,
    authz::LayerName,
    compile::inspects_responses,
    envelope::{Binding, Key, KeyRing, Nonce},
    id::{CredentialId, OrganisationId},
    policy::{InvalidPolicy, Location, Policy},
    shares::Holder,
};

pub use self::admitting::Admitting;

/// Id of the fixture's proxy.
pub const PROXY_ID: &str = "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11";
/// Id of the fixture's organisation.
pub const ORGANISATION_ID: &str = "5f0c9a1e-33b1-4c55-8a70-0d8a4be1c201";
/// The fixture's region.
pub const REGION: &str = "local-1";

const TARGET_CREDENTIAL: (u128, u64) = (0xc0ff_ee00, 3);
const DIGEST_KEY: [u8; 32] = [7; 32];

/// A policy under construction: active, complete, with no credential that anyone could present
/// and nothing to inject.
#[derive(Debug)]
pub struct PolicyFixture {
    /// The message of who is let in, to be bent as a test needs it.
    pub admission: wire::Admission,
    /// The message of the rest.
    pub wire: wire::ProxyPolicy,
    /// The region's key ring.
    pub keys: KeyRing,
    data_key: Key,
    digest_key: DigestKey,
}

/// Somebody of that number, who has nothing in common with others.
pub fn holder(number: u128) -> Holder {
    let id = Uuid::from_u128(number);
    Holder {
        organisation: id.into(),
        proxy: id.into(),
        credential: Some(id.into()),
    }
}

/// Id of the n-th proxy credential (from 0) of a fixture.
pub fn credential_id(n: usize) -> CredentialId {
    let n = u128::try_from(n).expect("small");
    CredentialId::from(Uuid::from_u128(0x1000 + n))
}

/// A layer without rules that lets everything pass.
pub fn allowing() -> wire::Layer {
    wire::Layer {
        default_effect: wire::Effect::Allow.into(),
        ..wire::Layer::default()
    }
}

/// A sealed value needs a nonce, and tests do not run without randomness.
fn nonce() -> Nonce {
    Nonce::random().expect("randomness")
}

impl Default for PolicyFixture {
    fn default() -> Self {
        Self::new()
    }
}

impl PolicyFixture {
    /// The policy described above, for `/api/{PROXY_ID}`.
    pub fn new() -> Self {
        Self::of(ORGANISATION_ID.parse().expect("an id"))
    }

    /// The same of another organisation.
    pub fn of(organisation: OrganisationId) -> Self {
        let keys = KeyRing::of(Key::generate().expect("randomness"));
        let data_key = Key::generate().expect("randomness");
        let wrapped = keys.seal(
            data_key.expose(),
            &Binding::data_key(REGION, organisation),
            nonce(),
        );
        let binding = Binding::digest_key(REGION, organisation);
        let digest_key = data_key.seal(&DIGEST_KEY, &binding, nonce());
        let (credential, version) = TARGET_CREDENTIAL;
        let admission = wire::Admission {
            proxy_id: PROXY_ID.to_owned(),
            organisation_id: organisation.to_string(),
            region: REGION.to_owned(),
            alias: String::new(),
            data_key: wrapped.expect("short").into(),
            digest_key: digest_key.expect("short").into(),
            proxy_credentials: Vec::new(),
            max_response_bytes: 6 << 20,
            inspects_responses: false,
        };
        let wire = wire::ProxyPolicy {
            is_active: true,
            is_suspended: false,
            proxy_credentials: Vec::new(),
            target: Some(wire::Target {
                base_path: String::new(),
                layer: Some(allowing()),
                host: "api.example".to_owned(),
            }),
            target_credential: Some(wire::TargetCredential {
                is_token_apart: false,
                serves_until_ms: None,
                credential_id: Uuid::from_u128(credential).to_string(),
                version,
                injections: Vec::new(),
                layer: Some(allowing()),
                ends_at_ms: 0,
                refresh_on: Vec::new(),
            }),
            max_inspected_bytes: 1 << 20,
            layer: Some(allowing()),
            limits: None,
            meters: Vec::new(),
        };
        let digest_key = DigestKey::new(&DIGEST_KEY).expect("32 bytes");
        Self {
            admission,
            wire,
            keys,
            data_key,
            digest_key,
        }
    }

    /// Adds an apiKey credential.
    #[must_use]
    pub fn api_key(self, key: &str) -> Self {
        let digests = self.digests(key);
        self.credential(Some(Presented::ApiKey(wire::ApiKey { digests })))
    }

    /// Adds a bearer credential.
    #[must_use]
    pub fn bearer(self, prefix: &str, token: &str) -> Self {
        let (prefix, digests) = (prefix.to_owned(), self.digests(token));
        self.credential(Some(Presented::Bearer(wire::Bearer { prefix, digests })))
    }

    /// Adds a basicAuth credential, given as `username:password`.
    #[must_use]
    pub fn basic_auth(self, pair: &str) -> Self {
        let digests = self.digests(pair);
        self.credential(Some(Presented::BasicAuth(wire::BasicAuth { digests })))
    }

    /// Adds a jwt credential.
    #[must_use]
    pub fn jwt(self, token: &str) -> Self {
        let digests = self.digests(token);
        self.credential(Some(Presented::Jwt(wire::JwtString { digests })))
    }

    /// Adds a credential of a type this build knows nothing of.
    #[must_use]
    pub fn unknown_credential(self) -> Self {
        self.credential(None)
    }

    /// Switches the last credential off.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.admission
            .proxy_credentials
            .last_mut()
            .expect("a credential")
            .is_active = false;
        self
    }

    /// Gives the last credential one more secret that ends at `valid_until_ms`.
    #[must_use]
    pub fn also(mut self, secret: &str, valid_until_ms: u64) -> Self {
        let digest = wire::SecretDigest {
            valid_until_ms,
            ..self.digest(secret)
        };
        self.last_digests().push(digest);
        self
    }

    /// Ends the last credential's last secret at `valid_until_ms`.
    #[must_use]
    pub fn until(mut self, valid_until_ms: u64) -> Self {
        self.last_digests()
            .last_mut()
            .expect("a digest")
            .valid_until_ms = valid_until_ms;
        self
    }

    /// Sets the target's base path.
    #[must_use]
    pub fn base_path(mut self, base_path: &str) -> Self {
        base_path.clone_into(&mut self.wire.target.as_mut().expect("a target").base_path);
        self
    }

    /// Attaches rules (see [`rules::layer`]), with a default effect, in place of what was there: to
    /// the proxy, its target, its target credential or the last proxy credential.
    #[must_use]
    pub fn rules(mut self, attached: LayerName, default_effect: &str, texts: &[&str]) -> Self {
        let wire::Layer {
            default_effect,
            rules,
            redactions: _,
        } = rules::layer(default_effect, texts);
        let layer = self.layer(attached);
        (layer.default_effect, layer.rules) = (default_effect, rules);
        self
    }

    /// Attaches redactions (see [`rules::redaction`], numbered from 1) in place of what was there.
    #[must_use]
    pub fn redactions(mut self, attached: LayerName, texts: &[&str]) -> Self {
        let numbered = (1..).zip(texts);
        let redactions = numbered.map(|(n, text)| rules::redaction(n, text));
        self.layer(attached).redactions = redactions.collect();
        self
    }

    /// What is attached to the proxy, its target, its target credential or the last proxy
    /// credential.
    pub fn layer(&mut self, attached: LayerName) -> &mut wire::Layer {
        let layer = match attached {
            LayerName::ProxyCredential => {
                let last = self.wire.proxy_credentials.last_mut();
                &mut last.expect("a credential").layer
            }
            LayerName::TargetCredential => {
                let credential = self.wire.target_credential.as_mut();
                &mut credential.expect("a target credential").layer
            }
            LayerName::Target => &mut self.wire.target.as_mut().expect("a target").layer,
            LayerName::Proxy => &mut self.wire.layer,
        };
        layer.as_mut().expect("a layer")
    }

    /// Injects a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        let location = (Location::Header, wire::Location::Header);
        self.inject(location, name, value.as_bytes())
    }

    /// Injects a query parameter.
    #[must_use]
    pub fn query(self, name: &str, value: &str) -> Self {
        let location = (Location::Query, wire::Location::Query);
        self.inject(location, name, value.as_bytes())
    }

    /// Computes a value for each call.
    #[must_use]
    pub fn computed(self, scheme: wire::computed::Scheme) -> Self {
        let message = wire::Computed {
            scheme: Some(scheme),
        };
        let location = (Location::Computed, wire::Location::Computed);
        self.inject(location, "scheme", &message.encode_to_vec())
    }

    /// The encoded parts, as they lie on a route and its virtual host.
    pub fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let admission = wire::Admission {
            inspects_responses: inspects_responses(&self.wire),
            ..self.admission.clone()
        };
        (admission.encode_to_vec(), self.wire.encode_to_vec())
    }

    /// Who is let in, compiled.
    pub fn admission(&self) -> Result<Arc<Admission>, InvalidPolicy> {
        Admission::compile(&self.encode().0, &self.keys).map(Arc::new)
    }

    /// The compiled policy.
    pub fn compile(&self) -> Result<Policy, InvalidPolicy> {
        Policy::compile(self.admission()?, &self.encode().1)
    }

    fn credential(mut self, presented: Option<Presented>) -> Self {
        let credential_id = credential_id(self.wire.proxy_credentials.len()).to_string();
        let credential = wire::ProxyCredential {
            credential_id: credential_id.clone(),
            is_active: true,
            ends_at_ms: 0,
            presented,
        };
        self.admission.proxy_credentials.push(credential);
        self.wire.proxy_credentials.push(wire::CredentialPolicy {
            credential_id,
            layer: Some(allowing()),
            limits: None,
        });
        self
    }

    fn digests(&self, secret: &str) -> Vec<wire::SecretDigest> {
        vec![self.digest(secret)]
    }

    fn digest(&self, secret: &str) -> wire::SecretDigest {
        let hmac_sha256 = self.digest_key.digest(secret.as_bytes()).to_vec().into();
        wire::SecretDigest {
            hmac_sha256,
            valid_until_ms: 0,
        }
    }

    fn last_digests(&mut self) -> &mut Vec<wire::SecretDigest> {
        let credential = self
            .admission
            .proxy_credentials
            .last_mut()
            .expect("a credential");
        match credential.presented.as_mut().expect("a known type") {
            Presented::ApiKey(wire::ApiKey { digests })
            | Presented::Bearer(wire::Bearer { prefix: _, digests })
            | Presented::BasicAuth(wire::BasicAuth { digests })
            | Presented::Jwt(wire::JwtString { digests }) => digests,
            Presented::SignedToken(_) => panic!("a token has no digest"),
        }
    }

    fn inject(
        mut self,
        (location, on_wire): (Location, wire::Location),
        name: &str,
        value: &[u8],
    ) -> Self {
        let organisation: OrganisationId = ORGANISATION_ID.parse().expect("an id");
        let (credential, version) = TARGET_CREDENTIAL;
        let credential = (CredentialId::from(Uuid::from_u128(credential)), version);
        let binding = Binding::injection(REGION, organisation, credential, (location, name));
        let sealed_value = self.data_key.seal(value, &binding, nonce());
        let sealed_value = sealed_value.expect("short").into();
        // As in `Bearer secret`.
        let scheme = value.iter().position(|byte| *byte == b' ').map(|at| at + 1);
        let injection = wire::Injection {
            location: on_wire.into(),
            name: name.to_owned(),
            sealed_value,
            reads_body: false,
            bytes_before: scheme.map_or(0, |bytes| bytes.try_into().expect("short")),
            bytes_behind: 0,
        };
        let credential = self
            .wire
            .target_credential
            .as_mut()
            .expect("a target credential");
        credential.injections.push(injection);
        self
    }
}
