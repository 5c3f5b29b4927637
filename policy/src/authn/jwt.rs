//! jwt: a literal JWT, compared as text. Its `exp` is read once, when the secret is stored.

/// The presented value as it is and nothing else.
pub(super) fn compared(value: &[u8]) -> &[u8] {
    value
}

#[cfg(any(test, feature = "secrets"))]
pub use expiry::{InvalidExpiry, expiry_ms};

#[cfg(any(test, feature = "secrets"))]
mod expiry;
