//! HMAC under a key that is worked in once.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Sha256, Sha384, Sha512};

use crate::jose::Hash;

/// A key of HMAC, worked in.
#[derive(Clone)]
pub(crate) enum MacKey {
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl MacKey {
    /// Any key does; none is as good as one of zeros, so whoever calls sees to its length.
    pub(crate) fn new(hash: Hash, key: &[u8]) -> Option<Self> {
        Some(match hash {
            Hash::Sha256 => Self::Sha256(Hmac::new_from_slice(key).ok()?),
            Hash::Sha384 => Self::Sha384(Hmac::new_from_slice(key).ok()?),
            Hash::Sha512 => Self::Sha512(Hmac::new_from_slice(key).ok()?),
        })
    }

    pub(crate) fn mac(&self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256(key) => key
                .clone()
                .chain_update(text)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Sha384(key) => key
                .clone()
                .chain_update(text)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Sha512(key) => key
                .clone()
                .chain_update(text)
                .finalize()
                .into_bytes()
                .to_vec(),
        }
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
