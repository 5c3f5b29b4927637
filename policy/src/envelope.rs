//! Secrets at rest: AES-256-GCM envelopes that name their key and are bound to their owner.
//!
//! An envelope opens only under its key and only for the very record, field and version it was
//! sealed for. Layout: version (1 byte), length of the key id (1 byte), key id, nonce (12 bytes),
//! ciphertext with its tag.

mod binding;
mod key;
mod ring;
#[cfg(feature = "secrets")]
pub mod sealing;

pub use binding::{Binding, Location};
pub use key::{InvalidKey, Key, KeyId, NoRandomness, Nonce, PlaintextTooLong};
pub use ring::{InvalidKeyRing, KeyRing};

/// Why an envelope did not open. Says nothing about what is inside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEnvelope {
    /// Fewer bytes than an envelope has.
    #[error("envelope is truncated")]
    Truncated,
    /// A format this build does not know.
    #[error("envelope has unknown version {0}")]
    UnknownVersion(u8),
    /// The key is not in the ring.
    #[error("envelope names a key that is not at hand")]
    UnknownKey,
    /// Wrong key bytes, another owner, or changed bytes.
    #[error("envelope is not authentic")]
    NotAuthentic,
}

#[cfg(test)]
mod tests;
