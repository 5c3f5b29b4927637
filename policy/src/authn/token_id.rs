//! What tokens are remembered by.

use super::DIGEST_BYTES;

/// A token as one version of a credential sees it: with other keys or checks it is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId {
    credential: [u8; DIGEST_BYTES],
    token: [u8; DIGEST_BYTES],
}

impl TokenId {
    pub(super) fn new(credential: [u8; DIGEST_BYTES], token: [u8; DIGEST_BYTES]) -> Self {
        Self { credential, token }
    }
}

#[cfg(test)]
impl TokenId {
    pub(super) fn of_number(number: u32) -> Self {
        Self {
            credential: [0; DIGEST_BYTES],
            token: <sha2::Sha256 as sha2::Digest>::digest(number.to_be_bytes()).into(),
        }
    }
}
