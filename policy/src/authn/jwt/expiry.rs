//! `exp` of a token that nobody verifies: it only ends the token's acceptance.

use std::fmt;

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use zeroize::Zeroizing;

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The token has claims that cannot be read, or an `exp` that is no moment in time, so nobody can
/// say when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`exp` of the token must be a number of seconds")]
pub struct InvalidExpiry;

/// When a token ends: Unix time in milliseconds, never 0; none without `exp`.
///
/// A text that is no JWT has no end. Its claims are read as leniently as any reader would, so that
/// none sees an `exp` that is overlooked here; of several the earliest counts.
pub fn expiry_ms(token: &str) -> Result<Option<u64>, InvalidExpiry> {
    let Some(claims) = token.split('.').nth(1).and_then(claims) else {
        return Ok(None);
    };
    match serde_json::from_slice::<Expiries>(&claims) {
        Ok(Expiries(Earliest::None)) => Ok(None),
        Ok(Expiries(Earliest::At(ms))) => Ok(Some(ms)),
        Ok(Expiries(Earliest::Invalid)) | Err(_) => Err(InvalidExpiry),
    }
}

/// The second part of a token, decoded, if it begins like an object. As many decoders do, this takes
/// both alphabets of base64 and passes over what belongs to none of them.
fn claims(part: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut letters: Zeroizing<Vec<u8>> =
        part.bytes().filter_map(letter).collect::<Vec<_>>().into();
    // Six bits are no byte: lenient decoders drop them.
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    let claims = ANY_PADDING.decode(&*letters).map(Zeroizing::new).ok()?;
    // Some readers pass over a BOM. The parser here does not: such claims are refused, not endless.
    let text = claims.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&claims);
    text.trim_ascii_start().starts_with(b"{").then_some(claims)
}

fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'+' => Some(b'-'),
        b'/' => Some(b'_'),
        b'-' | b'_' => Some(byte),
        _ => byte.is_ascii_alphanumeric().then_some(byte),
    }
}

struct Expiries(Earliest);

#[derive(Clone, Copy)]
enum Earliest {
    None,
    At(u64),
    Invalid,
}

impl Earliest {
    fn and(self, seconds: &serde_json::Value) -> Self {
        match (self, milliseconds(seconds)) {
            (Self::Invalid, _) | (_, None) => Self::Invalid,
            (Self::None, Some(ms)) => Self::At(ms),
            (Self::At(earlier), Some(ms)) => Self::At(earlier.min(ms)),
        }
    }
}

fn milliseconds(seconds: &serde_json::Value) -> Option<u64> {
    if let Some(whole) = seconds.as_u64() {
        // 0 means "no end" on the wire.
        return Some(whole.saturating_mul(1000).max(1));
    }
    let seconds = seconds.as_f64()?;
    // Also negative ones, which `Duration` takes for out of range as well.
    if seconds < 1.0 {
        return Some(1);
    }
    // Beyond the range of `Duration` is beyond every clock.
    let duration = std::time::Duration::try_from_secs_f64(seconds);
    let ms = duration.map_or(u64::MAX, |d| {
        u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
    });
    Some(ms.max(1))
}

impl<'de> Deserialize<'de> for Expiries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Expiries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claims object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Expiries, A::Error> {
        let mut earliest = Earliest::None;
        while let Some(name) = claims.next_key::<String>()? {
            if name == "exp" {
                earliest = earliest.and(&claims.next_value()?);
            } else {
                claims.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Expiries(earliest))
    }
}

#[cfg(test)]
mod tests;
