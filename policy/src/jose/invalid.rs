//! Why a token is none, whatever the keys.

use super::object::InvalidObject;

/// Not a token that could be verified, whatever the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES), or a part of it is longer than it may be.
    #[error("token is too long")]
    TooLong,
    /// Not three parts.
    #[error("token must have three parts")]
    Parts,
    /// A part is not canonical base64url.
    #[error("token is not base64url without padding")]
    Encoding,
    /// The header is no such object.
    #[error("header: {0}")]
    Header(InvalidObject),
    /// `alg` is missing, `none` or unknown.
    #[error("`alg` must name a signature")]
    Algorithm,
    /// It brings a key, or says where to get one.
    #[error("a token must not bring its key")]
    OwnKey,
    /// `crit`.
    #[error("`crit` names extensions that are not understood")]
    Critical,
    /// `b64`.
    #[error("`b64` must be true")]
    Unencoded,
    /// `kid` is not a string.
    #[error("`kid` must be a string")]
    KeyId,
}
