//! `signedJwt`: tokens that the gateway mints for a target.

use serde_json::{Map, Value, json};

use super::{
    place::{self, Place},
    private_key::{JwsKey, PrivateKey, private_key},
    value::{MAX_NAME_BYTES, prefix, shared_key},
};
use crate::{
    form::{
        fields::{Fields, integer, string},
        problem::{Fault, Invalid},
    },
    jose::Algorithm,
    secret::SecretBytes,
};

/// Also of tokens that serve one call.
const DEFAULT_TTL_SECONDS: u64 = 60;
const MAX_TTL_SECONDS: u64 = 3_600;
/// Of tokens that the region mints: each is sent to every Envoy, with the proxies that use it.
const MIN_AHEAD_SECONDS: u64 = 30;
/// Of the claims, as JSON text.
const MAX_CLAIMS_BYTES: usize = 4_096;
/// Claims of the moment a token is minted.
const OWN_CLAIMS: [&str; 3] = ["iat", "exp", "jti"];

/// What tokens say and who signs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedJwt {
    /// `alg`
    pub algorithm: Algorithm,
    /// Fits the algorithm.
    pub key: SigningKey,
    /// The token's header, as JSON text.
    pub header: String,
    /// The claims that are always the same, as JSON text of an object.
    pub claims: String,
    /// Life of a token; 60 by default.
    pub ttl_seconds: u64,
    /// Each call has a token of its own.
    pub is_each_call: bool,
    /// Header or parameter; a header by default.
    pub location: Place,
    /// Of the header or parameter; `Authorization` by default.
    pub name: String,
    /// Put before the token; `Bearer ` in headers by default, else empty.
    pub prefix: String,
}

/// What signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// For `HS…`.
    Shared(SecretBytes),
    /// For all others.
    Private(PrivateKey),
}

impl SignedJwt {
    /// The key, if the region has to mint tokens ahead: Envoy, which signs for RSA, knows PKCS #1
    /// v1.5 alone.
    #[must_use]
    pub fn minted_ahead(&self) -> Option<JwsKey> {
        let (Algorithm::Ps(_), SigningKey::Private(key)) = (self.algorithm, &self.key) else {
            return None;
        };
        JwsKey::new(key.clone(), self.algorithm)
    }
}

/// `{algorithm, privateKey | sharedSecret, keyId?, claims?, ttlSeconds?, location?, name?, prefix?}`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<SignedJwt> {
    let algorithm = fields.required("algorithm", algorithm);
    let key = if let Some(algorithm) = algorithm {
        key(fields, algorithm)
    } else {
        // Nobody knows which of them it is to be.
        for name in ["privateKey", "sharedSecret"] {
            fields.take(name);
        }
        None
    };
    let key_id = fields.optional("keyId", key_id);
    let claims = fields.optional("claims", claims);
    let ttl_seconds = fields.optional("ttlSeconds", ttl_seconds(algorithm));
    let (location, name) = place::read(fields);
    let prefix = fields.optional("prefix", prefix);
    let default_prefix = match location {
        Place::Header => "Bearer ",
        Place::Query => "",
    };
    let algorithm = algorithm?;
    Some(SignedJwt {
        algorithm,
        key: key?,
        header: header(algorithm, key_id.as_deref()),
        claims: claims.unwrap_or_else(|| "{}".to_owned()),
        ttl_seconds: ttl_seconds
            .filter(|ttl_seconds| *ttl_seconds > 0)
            .unwrap_or(DEFAULT_TTL_SECONDS),
        is_each_call: ttl_seconds == Some(0),
        location,
        name,
        prefix: prefix.unwrap_or_else(|| default_prefix.to_owned()),
    })
}

fn algorithm(value: &Value) -> Result<Algorithm, Invalid> {
    string(value)?.parse().map_err(|_| {
        Invalid::value(
            "must be one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, \
             ES256, ES384, ES512, EdDSA",
        )
    })
}

/// 0 for a token for each call.
fn ttl_seconds(algorithm: Option<Algorithm>) -> impl Fn(&Value) -> Result<u64, Invalid> {
    move |value| {
        let least = match algorithm {
            // A signature of RSA takes about a millisecond of the worker that serves all others.
            Some(Algorithm::Rs(_)) => 1,
            Some(Algorithm::Ps(_)) => MIN_AHEAD_SECONDS,
            Some(Algorithm::Hs(_) | Algorithm::Es(_) | Algorithm::EdDsa) | None => 0,
        };
        let seconds = integer(0, MAX_TTL_SECONDS)(value)?;
        match algorithm {
            Some(algorithm) if seconds < least => Err(Invalid::value(format!(
                "must be {least} to {MAX_TTL_SECONDS} with {}",
                algorithm.as_str()
            ))),
            _ => Ok(seconds),
        }
    }
}

/// The one that the algorithm needs; the other is not to be there.
fn key(fields: &mut Fields<'_>, algorithm: Algorithm) -> Option<SigningKey> {
    let (wanted, other) = match algorithm {
        Algorithm::Hs(_) => ("sharedSecret", "privateKey"),
        Algorithm::Rs(_) | Algorithm::Ps(_) | Algorithm::Es(_) | Algorithm::EdDsa => {
            ("privateKey", "sharedSecret")
        }
    };
    if fields.take(other).is_some() {
        let text = format!("is not what {} signs with", algorithm.as_str());
        fields.problem(Fault::InvalidSecret, other, text);
    }
    if let Algorithm::Hs(_) = algorithm {
        return fields.required(wanted, shared_key).map(SigningKey::Shared);
    }
    let key = fields.required(wanted, |value| {
        let key = private_key(value)?;
        if key.kind.fits(algorithm) {
            return Ok(key);
        }
        let text = format!("must be a key that {} signs with", algorithm.as_str());
        Err(Invalid::new(Fault::InvalidSecret, text))
    });
    key.map(SigningKey::Private)
}

fn key_id(value: &Value) -> Result<String, Invalid> {
    let text = string(value)?;
    if (1..=MAX_NAME_BYTES).contains(&text.len()) {
        return Ok(text);
    }
    Err(Invalid::value(format!(
        "must be 1 to {MAX_NAME_BYTES} bytes"
    )))
}

fn claims(value: &Value) -> Result<String, Invalid> {
    let Value::Object(members) = value else {
        return Err(Invalid::value("must be an object"));
    };
    if let Some(own) = OWN_CLAIMS.iter().find(|own| members.contains_key(**own)) {
        return Err(Invalid::value(format!(
            "must not have `{own}`, which is set here"
        )));
    }
    let text = value.to_string();
    if text.len() > MAX_CLAIMS_BYTES {
        let text = format!("must be at most {MAX_CLAIMS_BYTES} bytes");
        return Err(Invalid::value(text));
    }
    Ok(text)
}

/// The header of a token that is signed so, as JSON text.
#[must_use]
pub fn header(algorithm: Algorithm, key_id: Option<&str>) -> String {
    let mut members = Map::new();
    members.insert("alg".to_owned(), json!(algorithm.as_str()));
    members.insert("typ".to_owned(), json!("JWT"));
    members.extend(key_id.map(|key_id| ("kid".to_owned(), json!(key_id))));
    Value::Object(members).to_string()
}
