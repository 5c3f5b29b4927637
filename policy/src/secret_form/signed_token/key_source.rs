//! Whose key signs tokens: exactly one of the members that say so.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

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
            Self::Public(key) => {
                let material = key.numbers.material();
                key.algorithm.is_none_or(|only| only == algorithm)
                    && material.is_ok_and(|material| material.suits(algorithm))
            }
            Self::Shared(SharedSecret(secret)) => {
                KeyMaterial::secret(secret.clone()).is_ok_and(|key| key.suits(algorithm))
            }
        }
    }
}

/// Members that are described, but not to be had yet.
const NOT_YET: [&str; 4] = ["jwksUri", "introspectionUrl", "clientId", "clientSecret"];

pub(super) fn read(fields: &mut Fields<'_>) -> Option<KeySource> {
    for name in NOT_YET {
        if fields.take(name).is_some() {
            fields.problem(Fault::InvalidSecret, name, "is not supported yet");
        }
    }
    let has_public = fields.has("publicKey");
    let has_shared = fields.has("sharedSecret");
    let public = fields.optional("publicKey", public_key);
    let shared = fields.optional("sharedSecret", shared_secret);
    match (has_public, has_shared) {
        (true, false) => public.map(KeySource::Public),
        (false, true) => shared.map(KeySource::Shared),
        (true, true) => {
            let text = "must not be given beside `publicKey`";
            fields.problem(Fault::InvalidSecret, "sharedSecret", text);
            None
        }
        (false, false) => {
            let text = "or `sharedSecret` is required";
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
