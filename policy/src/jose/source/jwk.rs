//! One JWK (RFC 7517, RFC 7518 §6, RFC 8037).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{Algorithm, Curve, Numbers, PublicKey, asn1};
use crate::jose::{base64url, key::InvalidKey};

/// Not a JWK that verifies signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwk {
    /// Not a JSON object.
    #[error("must be an object")]
    NoObject,
    /// `kty` or `crv` is unknown, or a secret's.
    #[error("`kty` must be RSA, EC (P-256, P-384, P-521) or OKP (Ed25519)")]
    Kind,
    /// `use`, `key_ops` or `alg` says that it is for something else.
    #[error("must be for signatures, by an algorithm that suits it")]
    Use,
    /// A member is missing or cannot be read.
    #[error("a member is missing or malformed")]
    Member,
    /// The certificate is of another key.
    #[error("`x5c` is of another key")]
    Certificate,
    /// A key, but none that may be used.
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

/// Reads one key.
pub fn read_jwk(jwk: &Value) -> Result<PublicKey, InvalidJwk> {
    let jwk = jwk.as_object().ok_or(InvalidJwk::NoObject)?;
    check_use(jwk)?;
    let numbers = numbers(jwk)?;
    let material = numbers.material()?;
    let algorithm = match text(jwk, "alg")? {
        Some(name) => Some(name.parse().map_err(|_| InvalidJwk::Use)?),
        None => None,
    };
    if algorithm.is_some_and(|algorithm: Algorithm| !material.suits(algorithm)) {
        return Err(InvalidJwk::Use);
    }
    Ok(PublicKey {
        id: text(jwk, "kid")?.map(str::to_owned),
        algorithm,
        numbers,
    })
}

fn check_use(jwk: &Map<String, Value>) -> Result<(), InvalidJwk> {
    let is_for_signatures = text(jwk, "use")?.is_none_or(|purpose| purpose == "sig");
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(operations) => {
            let operations = operations.as_array().ok_or(InvalidJwk::Member)?;
            operations.iter().any(|operation| operation == "verify")
        }
    };
    if is_for_signatures && verifies {
        Ok(())
    } else {
        Err(InvalidJwk::Use)
    }
}

/// Its own, which must be those of its certificate, or those if there are no others.
fn numbers(jwk: &Map<String, Value>) -> Result<Numbers, InvalidJwk> {
    let own = match text(jwk, "kty")? {
        Some("RSA") => rsa(jwk)?,
        Some("EC") => ec(jwk)?,
        Some("OKP") => okp(jwk)?,
        _ => return Err(InvalidJwk::Kind),
    };
    match (own, certified(jwk)?) {
        (Some(own), None) => Ok(own),
        (None, Some(certified)) if is_of_kind(&certified, jwk) => Ok(certified),
        (Some(own), Some(certified)) if own.is(&certified) => Ok(own),
        (Some(_) | None, Some(_)) => Err(InvalidJwk::Certificate),
        (None, None) => Err(InvalidJwk::Member),
    }
}

fn rsa(jwk: &Map<String, Value>) -> Result<Option<Numbers>, InvalidJwk> {
    match (number(jwk, "n")?, number(jwk, "e")?) {
        (Some(modulus), Some(exponent)) => Ok(Some(Numbers::Rsa { modulus, exponent })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(InvalidJwk::Member),
    }
}

fn ec(jwk: &Map<String, Value>) -> Result<Option<Numbers>, InvalidJwk> {
    let curve = match text(jwk, "crv")? {
        Some("P-256") => Curve::P256,
        Some("P-384") => Curve::P384,
        Some("P-521") => Curve::P521,
        Some(_) => return Err(InvalidJwk::Kind),
        None => return Ok(None),
    };
    match (number(jwk, "x")?, number(jwk, "y")?) {
        (Some(x), Some(y)) => Ok(Some(Numbers::Ec { curve, x, y })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(InvalidJwk::Member),
    }
}

fn okp(jwk: &Map<String, Value>) -> Result<Option<Numbers>, InvalidJwk> {
    match text(jwk, "crv")? {
        Some("Ed25519") => Ok(number(jwk, "x")?.map(Numbers::Ed25519)),
        _ => Err(InvalidJwk::Kind),
    }
}

/// The key of the first certificate, the leaf (RFC 7517 §4.7).
fn certified(jwk: &Map<String, Value>) -> Result<Option<Numbers>, InvalidJwk> {
    let Some(chain) = jwk.get("x5c") else {
        return Ok(None);
    };
    let leaf = chain.as_array().and_then(|chain| chain.first());
    let leaf = leaf.and_then(Value::as_str).ok_or(InvalidJwk::Member)?;
    let der = STANDARD.decode(leaf).map_err(|_| InvalidJwk::Member)?;
    let numbers = asn1::certified_key(&der).ok_or(InvalidJwk::Member)?;
    Ok(Some(numbers))
}

fn is_of_kind(numbers: &Numbers, jwk: &Map<String, Value>) -> bool {
    let kind = match numbers {
        Numbers::Rsa { .. } => "RSA",
        Numbers::Ec { .. } => "EC",
        Numbers::Ed25519(_) => "OKP",
    };
    jwk.get("kty").is_some_and(|named| named == kind)
}

fn text<'j>(jwk: &'j Map<String, Value>, name: &str) -> Result<Option<&'j str>, InvalidJwk> {
    match jwk.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(InvalidJwk::Member),
    }
}

fn number(jwk: &Map<String, Value>, name: &str) -> Result<Option<Vec<u8>>, InvalidJwk> {
    let Some(letters) = text(jwk, name)? else {
        return Ok(None);
    };
    let bytes = base64url::decode(letters.as_bytes());
    bytes.map(Some).map_err(|_| InvalidJwk::Member)
}
