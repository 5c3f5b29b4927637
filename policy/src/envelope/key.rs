//! One AES-256-GCM key.

use std::{fmt, str::FromStr};

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Generate as _, Payload},
};
use sha2::{Digest as _, Sha256};

use super::{Binding, InvalidEnvelope};
use crate::secret::SecretBytes;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const DOMAIN: &str = "requestrocket envelope";

/// Names a key inside envelopes and in the ring's text form.
///
/// Invariant: 1 to 64 letters, digits, `.`, `_` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

/// Not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The name is no [`KeyId`].
    #[error("key id must be 1 to 64 letters, digits, dots, underscores or dashes")]
    Id,
    /// The key material has another length.
    #[error("key must be 32 bytes")]
    Length,
}

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no randomness to be had from the system")]
pub struct NoRandomness;

/// More plaintext than AES-GCM takes under one nonce (64 GiB).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plaintext is too long to seal")]
pub struct PlaintextTooLong;

/// A random nonce. It is spent by one seal, so it can be neither copied nor made by hand.
#[derive(Debug)]
pub struct Nonce(aes_gcm::Nonce<aes_gcm::aead::consts::U12>);

/// A key with its name.
pub struct Key {
    id: KeyId,
    bytes: SecretBytes,
    cipher: Box<Aes256Gcm>,
}

impl KeyId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = InvalidKey;

    fn from_str(raw: &str) -> Result<Self, InvalidKey> {
        let is_legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=64).contains(&raw.len()) && raw.bytes().all(is_legal) {
            Ok(Self(raw.into()))
        } else {
            Err(InvalidKey::Id)
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Nonce {
    /// Draws one from the system.
    pub fn random() -> Result<Self, NoRandomness> {
        aes_gcm::Nonce::try_generate()
            .map(Self)
            .map_err(|_| NoRandomness)
    }
}

impl Key {
    /// A key with a given name.
    pub fn new(id: KeyId, bytes: SecretBytes) -> Result<Self, InvalidKey> {
        let cipher = Aes256Gcm::new_from_slice(bytes.expose()).map_err(|_| InvalidKey::Length)?;
        Ok(Self {
            id,
            bytes,
            cipher: Box::new(cipher),
        })
    }

    /// A key named after itself: the way of data keys, which are stored without a name.
    pub fn unnamed(bytes: SecretBytes) -> Result<Self, InvalidKey> {
        Self::new(fingerprint(bytes.expose()), bytes)
    }

    /// A fresh random key, named after itself.
    pub fn generate() -> Result<Self, NoRandomness> {
        let drawn = aes_gcm::Key::<Aes256Gcm>::try_generate().map_err(|_| NoRandomness)?;
        let mut drawn = zeroize::Zeroizing::new(<[u8; KEY_BYTES]>::from(drawn));
        let bytes = SecretBytes::from(drawn.as_mut_slice().to_vec());
        Self::unnamed(bytes).map_err(|_| NoRandomness)
    }

    /// Name of the key.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The key material, to be stored.
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// Encrypts `plaintext` for `binding`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a nonce is spent by its seal"
    )]
    pub fn seal(
        &self,
        plaintext: &[u8],
        binding: &Binding<'_>,
        nonce: Nonce,
    ) -> Result<Vec<u8>, PlaintextTooLong> {
        let header = self.header();
        // The header is authenticated as well: nobody can have another key or version tried.
        let aad = binding.encode(DOMAIN, &header);
        let payload = Payload {
            msg: plaintext,
            aad: &aad,
        };
        let ciphertext = self
            .cipher
            .encrypt(&nonce.0, payload)
            .map_err(|_| PlaintextTooLong)?;
        Ok([header.as_slice(), &nonce.0, &ciphertext].concat())
    }

    /// Decrypts an envelope that names this key.
    pub(super) fn open(
        &self,
        parsed: &ParsedEnvelope<'_>,
        binding: &Binding<'_>,
    ) -> Result<SecretBytes, InvalidEnvelope> {
        let aad = binding.encode(DOMAIN, parsed.header);
        let payload = Payload {
            msg: parsed.ciphertext,
            aad: &aad,
        };
        let plaintext = self.cipher.decrypt(&(*parsed.nonce).into(), payload);
        plaintext
            .map(SecretBytes::from)
            .map_err(|_| InvalidEnvelope::NotAuthentic)
    }

    fn header(&self) -> Vec<u8> {
        let id = self.id.0.as_bytes();
        let length = u8::try_from(id.len()).unwrap_or(u8::MAX);
        let mut header = Vec::with_capacity(2 + id.len());
        header.extend_from_slice(&[VERSION, length]);
        header.extend_from_slice(id);
        header
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// An envelope taken apart, nothing of it verified.
pub(super) struct ParsedEnvelope<'a> {
    header: &'a [u8],
    pub(super) key_id: &'a [u8],
    nonce: &'a [u8; NONCE_BYTES],
    ciphertext: &'a [u8],
}

impl<'a> ParsedEnvelope<'a> {
    pub(super) fn parse(envelope: &'a [u8]) -> Result<Self, InvalidEnvelope> {
        let truncated = InvalidEnvelope::Truncated;
        let (&[version, id_length], _) = envelope.split_first_chunk().ok_or(truncated.clone())?;
        if version != VERSION {
            return Err(InvalidEnvelope::UnknownVersion(version));
        }
        let (header, rest) = envelope
            .split_at_checked(2 + usize::from(id_length))
            .ok_or(truncated.clone())?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(truncated.clone())?;
        if ciphertext.len() < TAG_BYTES {
            return Err(truncated);
        }
        let key_id = header.get(2..).unwrap_or_default();
        Ok(Self {
            header,
            key_id,
            nonce,
            ciphertext,
        })
    }
}

fn fingerprint(key: &[u8]) -> KeyId {
    let hash = Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(key)
        .finalize();
    let hex = |byte: &u8| format!("{byte:02x}");
    // It names the key, and tells nothing of it.
    KeyId(hash.iter().take(8).map(hex).collect())
}
