//! The header of a token: which algorithm and key it says it is signed with. That is unverified and
//! only chooses among what the credential has.

use super::{
    algorithm::Algorithm,
    invalid::InvalidToken,
    object::{Object, Value},
};

/// What is used of a header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<Box<str>>,
}

/// Members by which a token would bring its own key (RFC 7515 §4.1.2 to §4.1.6).
const OWN_KEYS: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];

impl Header {
    pub(super) fn parse(text: &[u8]) -> Result<Self, InvalidToken> {
        let header = Object::parse(text).map_err(InvalidToken::Header)?;
        let algorithm = algorithm(header.get("alg"))?;
        if OWN_KEYS.into_iter().any(|name| header.has(name)) {
            return Err(InvalidToken::OwnKey);
        }
        // There is no extension that we understand.
        if header.has("crit") {
            return Err(InvalidToken::Critical);
        }
        // RFC 7797: with `false` the payload would be signed as it is, not in base64url.
        match header.get("b64") {
            None | Some(Value::Bool(true)) => {}
            Some(_) => return Err(InvalidToken::Unencoded),
        }
        Ok(Self {
            algorithm,
            key_id: key_id(header.get("kid"))?,
        })
    }
}

fn algorithm(alg: Option<Value<'_>>) -> Result<Algorithm, InvalidToken> {
    match alg {
        Some(Value::Text(name)) => name.parse().map_err(|_| InvalidToken::Algorithm),
        _ => Err(InvalidToken::Algorithm),
    }
}

fn key_id(kid: Option<Value<'_>>) -> Result<Option<Box<str>>, InvalidToken> {
    match kid {
        None => Ok(None),
        Some(Value::Text(kid)) => Ok(Some(kid.into())),
        Some(_) => Err(InvalidToken::KeyId),
    }
}
