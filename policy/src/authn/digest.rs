//! Keyed digests: the only form in which secrets that are compared are kept.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Length of a digest.
pub const DIGEST_BYTES: usize = 32;

/// An organisation's digest key, ready to hash: HMAC-SHA256 with the key already worked in.
#[derive(Clone)]
pub struct DigestKey(Hmac<Sha256>);

/// The key material is not a digest key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("digest key must be 32 bytes")]
pub struct InvalidDigestKey;

impl DigestKey {
    /// Takes 32 bytes of key material.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidDigestKey> {
        let bytes: &[u8; DIGEST_BYTES] = bytes.try_into().map_err(|_| InvalidDigestKey)?;
        Hmac::new_from_slice(bytes)
            .map(Self)
            .map_err(|_| InvalidDigestKey)
    }

    /// Digest of a presented or stored value.
    pub fn digest(&self, value: &[u8]) -> [u8; DIGEST_BYTES] {
        self.0
            .clone()
            .chain_update(value)
            .finalize()
            .into_bytes()
            .into()
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
