//! basicAuth: `Basic` and base64 of `username:password` (RFC 7617).

use base64::Engine as _;

use crate::{echo::ANY_PADDING, secret::SecretBytes};

/// The pair as bytes, if the value is of that form and the pair is UTF-8.
pub(super) fn compared(value: &[u8]) -> Option<SecretBytes> {
    let (scheme, encoded) = value.split_at_checked(b"Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let pair = ANY_PADDING
        .decode(encoded.trim_ascii())
        .map(SecretBytes::from)
        .ok()?;
    let is_pair = std::str::from_utf8(pair.expose()).is_ok_and(|pair| pair.contains(':'));
    is_pair.then_some(pair)
}

#[cfg(test)]
mod tests;
