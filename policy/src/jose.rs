//! Tokens that somebody signed (JWS compact serialisation, RFC 7515; JWT, RFC 7519): read as
//! strictly as can be, verified with the keys that a credential names and no others.
//!
//! A token says which key and algorithm it wants; what it may have is the credential's. Nothing is
//! ever fetched because a token asks for it.

mod algorithm;
mod base64url;
mod claims;
mod header;
mod invalid;
mod key;
mod object;
mod pss;
mod signature;
#[cfg(any(test, feature = "secrets"))]
mod source;
mod token;
mod verifier;

pub(crate) use self::object::Value;
pub use self::{
    algorithm::{Algorithm, Algorithms, Curve, Hash, UnknownAlgorithm},
    claims::{ClaimChecks, InvalidClaims, Requirement, Scalar},
    invalid::InvalidToken,
    key::{InvalidKey, Key, KeyMaterial},
    object::{InvalidObject, Object},
    signature::{Question, Signatures},
    token::{MAX_TOKEN_BYTES, claims_text},
    verifier::{Keys, MAX_KEYS_TRIED, MAX_TRIES, Refused, Trial, Verified, Verifier},
};

#[cfg(any(test, feature = "secrets"))]
pub(crate) use self::source::rsa_numbers;
#[cfg(any(test, feature = "secrets"))]
pub use self::source::{
    InvalidJwk, InvalidKeySet, InvalidPem, KeySet, MAX_SET_BYTES, MAX_SET_KEYS, Numbers, PublicKey,
    read_jwk, read_key_set, read_pem,
};

#[cfg(test)]
mod tests;
