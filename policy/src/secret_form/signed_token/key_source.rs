//! Whose key signs tokens: exactly one of the members that say so.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    Kind,
    introspection::{self, Introspection},
    published::{self, Published},
};
use crate::{
    form::{
        fields::Fields,
        problem::{Fault, Invalid},
    },
    jose::{Algorithm, KeyMaterial, PublicKey, read_jwk, read_pem},
    secret::SecretBytes,
};

/// Of a PEM.
const MAX_PEM_BYTES: usize = 16 << 10;
/// Of a shared secret.
const MAX_SECRET_BYTES: usize = 8_192;
const BASE64_PREFIX: &str = "base64:";

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `publicKey`
    Public(PublicKey),
    /// `sharedSecret`
    Shared(SharedSecret),
    /// `jwksUri`, or `issuer` alone.
    Published(Published),
    /// `introspectionUrl`: its server is asked about each token.
    Introspected(Introspection),
}

/// A secret that the issuer has, too; of at least 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSecret(SecretBytes);

impl SharedSecret {
    /// Every call site of this name is a place to review.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl KeySource {
    /// Whether tokens of that algorithm can be verified with it.
    pub(super) fn suits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Public(key) => key.suits(algorithm),
            Self::Shared(SharedSecret(secret)) => {
                KeyMaterial::secret(secret.clone()).is_ok_and(|key| key.suits(algorithm))
            }
            // Nobody looks at a signature.
            Self::Introspected(_) => false,
            // Nobody publishes a secret.
            Self::Published(_) => !matches!(algorithm, Algorithm::Hs(_)),
        }
    }
}

/// Each says by itself whose key it is, or that there is none.
const SOURCES: [&str; 4] = ["jwksUri", "publicKey", "sharedSecret", "introspectionUrl"];

/// Without a member that names a key the issuer does. JWTs are not introspected.
pub(super) fn read(fields: &mut Fields<'_>, kind: Kind, issuer: Option<&str>) -> Option<KeySource> {
    let given: Vec<_> = SOURCES.into_iter().filter(|it| fields.has(it)).collect();
    let has_set = fields.has("jwksUri");
    let introspection = match kind {
        Kind::OAuth2 if fields.has("introspectionUrl") => Some(introspection::read(fields)),
        Kind::OAuth2 | Kind::Jwt => None,
    };
    let set = fields.optional("jwksUri", published::key_set);
    let public = fields.optional("publicKey", public_key);
    let shared = fields.optional("sharedSecret", shared_secret);
    match (given.as_slice(), issuer) {
        ([_], _) if introspection.is_some() => introspection?.map(KeySource::Introspected),
        ([_], _) if has_set => published::read(fields, set).map(KeySource::Published),
        ([_], _) => {
            let public = public.map(KeySource::Public);
            public.or(shared.map(KeySource::Shared))
        }
        ([first, .., last], _) => {
            let text = format!("must not be given beside `{first}`");
            fields.problem(Fault::InvalidSecret, last, text);
            None
        }
        ([], Some(issuer)) => {
            let place = fields.checked("issuer", published::discovery(issuer));
            published::read(fields, place).map(KeySource::Published)
        }
        ([], None) => {
            let text = "or `sharedSecret`, `jwksUri` or `issuer` is required";
            fields.problem(Fault::ValidationFailed, "publicKey", text);
            None
        }
    }
}

/// A PEM, or a JWK as an object.
fn public_key(value: &Value) -> Result<PublicKey, Invalid> {
    match value {
        Value::String(pem) if pem.len() <= MAX_PEM_BYTES => {
            read_pem(pem).map_err(|error| invalid(error.to_string()))
        }
        Value::String(_) => Err(invalid(format!("must be at most {MAX_PEM_BYTES} bytes"))),
        // Of private and of symmetric keys (RFC 7518 §6).
        Value::Object(members) if members.contains_key("d") || members.contains_key("k") => {
            Err(invalid("must not be a private or secret key"))
        }
        Value::Object(_) => read_jwk(value).map_err(|error| invalid(error.to_string())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(Invalid::value("must be a PEM or a JWK"))
        }
    }
}

fn shared_secret(value: &Value) -> Result<SharedSecret, Invalid> {
    let text = value
        .as_str()
        .ok_or_else(|| Invalid::value("must be a string"))?;
    let bytes = match text.strip_prefix(BASE64_PREFIX) {
        Some(letters) => STANDARD
            .decode(letters)
            .map_err(|_| invalid("must be base64 with padding behind `base64:`"))?,
        None => text.as_bytes().to_vec(),
    };
    let secret = SecretBytes::from(bytes);
    if secret.expose().len() > MAX_SECRET_BYTES {
        return Err(invalid(format!("must be at most {MAX_SECRET_BYTES} bytes")));
    }
    match KeyMaterial::secret(secret.clone()) {
        Ok(_) => Ok(SharedSecret(secret)),
        Err(weak) => Err(invalid(weak.to_string())),
    }
}

fn invalid(text: impl Into<String>) -> Invalid {
    Invalid::new(Fault::InvalidSecret, text)
}
