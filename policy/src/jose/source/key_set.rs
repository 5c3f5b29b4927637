//! A JWK set (RFC 7517 §5), as issuers publish it: what one entry is does not matter to the others.

use serde_json::Value;

use super::{PublicKey, read_jwk};

/// Most bytes of a set.
pub const MAX_SET_BYTES: usize = 1 << 20;
/// Most entries of a set.
pub const MAX_SET_KEYS: usize = 500;

/// The keys of a set that verify signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    /// In the order of the set.
    pub keys: Vec<PublicKey>,
    /// Entries that are for something else, unknown, or malformed.
    pub skipped: usize,
}

/// Not a JWK set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeySet {
    /// More than [`MAX_SET_BYTES`].
    #[error("key set is longer than 1 MiB")]
    TooLong,
    /// Not JSON with an array `keys`.
    #[error("not a key set")]
    NoSet,
    /// More than [`MAX_SET_KEYS`].
    #[error("key set has more than {MAX_SET_KEYS} keys")]
    TooMany,
}

/// Reads a set, entry by entry.
pub fn read_key_set(document: &[u8]) -> Result<KeySet, InvalidKeySet> {
    if document.len() > MAX_SET_BYTES {
        return Err(InvalidKeySet::TooLong);
    }
    let set: Value = serde_json::from_slice(document).map_err(|_| InvalidKeySet::NoSet)?;
    let entries = set.get("keys").and_then(Value::as_array);
    let entries = entries.ok_or(InvalidKeySet::NoSet)?;
    if entries.len() > MAX_SET_KEYS {
        return Err(InvalidKeySet::TooMany);
    }
    let keys: Vec<_> = entries
        .iter()
        .filter_map(|entry| read_jwk(entry).ok())
        .collect();
    Ok(KeySet {
        skipped: entries.len() - keys.len(),
        keys,
    })
}
