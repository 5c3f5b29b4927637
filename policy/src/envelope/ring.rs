//! The key ring: the newest key seals, every key opens.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    Binding, InvalidEnvelope, InvalidKey, Key, KeyId, Nonce, PlaintextTooLong, key::ParsedEnvelope,
};
use crate::secret::SecretBytes;

/// Keys in order, newest first.
///
/// Invariant: at least one key, no two of one name. Text form: `keyid:base64`, comma separated.
#[derive(Debug)]
pub struct KeyRing {
    newest: Key,
    older: Vec<Key>,
}

/// The text is not a key ring. Positions count from 1; key material is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyRing {
    /// No key at all.
    #[error("key ring is empty")]
    Empty,
    /// An entry without `:`.
    #[error("key {0} must have the form `keyid:base64`")]
    Shape(usize),
    /// The part after `:` is not base64.
    #[error("key {0} is not valid base64")]
    Encoding(usize),
    /// Name or length is wrong.
    #[error("key {position}: {source}")]
    Key {
        /// Which entry.
        position: usize,
        /// What is wrong with it.
        source: InvalidKey,
    },
    /// A name that an earlier entry has.
    #[error("key {0} has the id of an earlier key")]
    Duplicate(usize),
}

impl KeyRing {
    /// A ring of one key.
    pub fn of(key: Key) -> Self {
        Self {
            newest: key,
            older: Vec::new(),
        }
    }

    /// The key that seals.
    pub fn newest(&self) -> &Key {
        &self.newest
    }

    /// All keys, newest first.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    /// The text form, for the key file.
    pub fn to_text(&self) -> SecretBytes {
        let entries: Vec<_> = self
            .keys()
            .map(|key| Zeroizing::new(format!("{}:{}", key.id(), STANDARD.encode(key.expose()))))
            .collect();
        let entries: Vec<&[u8]> = entries.iter().map(|entry| entry.as_bytes()).collect();
        SecretBytes::from(entries.join(&b','))
    }

    /// Encrypts under the newest key.
    pub fn seal(
        &self,
        plaintext: &[u8],
        binding: &Binding<'_>,
        nonce: Nonce,
    ) -> Result<Vec<u8>, PlaintextTooLong> {
        self.newest.seal(plaintext, binding, nonce)
    }

    /// Decrypts under the key that the envelope names.
    pub fn open(
        &self,
        envelope: &[u8],
        binding: &Binding<'_>,
    ) -> Result<SecretBytes, InvalidEnvelope> {
        let parsed = ParsedEnvelope::parse(envelope)?;
        let key = self
            .find(parsed.key_id)
            .ok_or(InvalidEnvelope::UnknownKey)?;
        key.open(&parsed, binding)
    }

    /// Whether an envelope names the newest key; one that does not is due for re-encryption.
    pub fn is_current(&self, envelope: &[u8]) -> Result<bool, InvalidEnvelope> {
        let parsed = ParsedEnvelope::parse(envelope)?;
        Ok(parsed.key_id == self.newest.id().as_str().as_bytes())
    }

    fn find(&self, id: &[u8]) -> Option<&Key> {
        self.keys().find(|key| key.id().as_str().as_bytes() == id)
    }
}

impl FromStr for KeyRing {
    type Err = InvalidKeyRing;

    fn from_str(text: &str) -> Result<Self, InvalidKeyRing> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidKeyRing::Empty);
        }
        let mut keys: Vec<Key> = Vec::new();
        for (position, entry) in (1..).zip(text.split(',')) {
            let key = parse_key(position, entry.trim())?;
            if keys.iter().any(|earlier| earlier.id() == key.id()) {
                return Err(InvalidKeyRing::Duplicate(position));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or(InvalidKeyRing::Empty)?;
        Ok(Self {
            newest,
            older: keys.collect(),
        })
    }
}

fn parse_key(position: usize, entry: &str) -> Result<Key, InvalidKeyRing> {
    let wrong = |source| InvalidKeyRing::Key { position, source };
    let (id, encoded) = entry
        .split_once(':')
        .ok_or(InvalidKeyRing::Shape(position))?;
    let id: KeyId = id.parse().map_err(wrong)?;
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|_| InvalidKeyRing::Encoding(position))?;
    Key::new(id, SecretBytes::from(bytes)).map_err(wrong)
}
