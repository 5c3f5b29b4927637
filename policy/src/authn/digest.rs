//! Keyed digests: the only form in which secrets that are compared are kept.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Length of a digest.
pub const DIGEST_BYTES: usize = 32;

/// An organisation's digest key, ready to hash: HMAC-SHA256 with the key already worked in.
#[derive(Clone)]
pub struct DigestKey(Hmac<Sha256>);

/// The key material is not a digest key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("digest key must be 32 bytes")]
pub struct InvalidDigestKey;

/// Digest of an accepted secret, with the moment until which it is accepted.
#[derive(Clone, Debug)]
pub(crate) struct SecretDigest {
    pub(crate) hmac: [u8; DIGEST_BYTES],
    /// Unix time in milliseconds; none for no end.
    pub(crate) valid_until_ms: Option<u64>,
}

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

impl SecretDigest {
    pub(crate) fn matches(&self, presented: &[u8; DIGEST_BYTES]) -> bool {
        self.hmac.ct_eq(presented).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_hmac_sha256() {
        // From Python's hmac module.
        let want = [0xbe, 0x5d, 0x06, 0x7d, 0x76, 0xac, 0x69, 0x3c, 0x4d, 0xea];
        let key = DigestKey::new(&[7; 32]).unwrap();
        assert_eq!(key.digest(b"rr_local_key")[..10], want);
        assert_ne!(key.digest(b"a"), key.digest(b"b"));
    }

    #[test]
    fn key_material_of_another_length_is_refused() {
        for length in [0, 16, 31, 33, 64] {
            assert_eq!(
                DigestKey::new(&vec![1; length]).err(),
                Some(InvalidDigestKey),
                "{length}"
            );
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(
            format!("{:?}", DigestKey::new(&[7; 32]).unwrap()),
            "[redacted]"
        );
    }
}
