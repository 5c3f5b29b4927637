//! Aliases: slugs that stand for a proxy's id in its URL.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// An alias.
///
/// Invariant: 3 to 63 lower-case letters, digits and dashes, no dash at either end, no UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias(String);

/// Not an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 3 to 63 lower-case letters, digits and inner dashes, and no UUID")]
pub struct InvalidAlias;

impl Alias {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Alias {
    type Err = InvalidAlias;

    fn from_str(raw: &str) -> Result<Self, InvalidAlias> {
        let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_slug = (3..=63).contains(&raw.len())
            && raw.bytes().all(is_inner)
            && !raw.starts_with('-')
            && !raw.ends_with('-');
        // Ids and aliases share one place in a URL: an alias must not take another proxy's calls.
        // `try_parse` also knows UUIDs without dashes.
        if is_slug && Uuid::try_parse(raw).is_err() {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidAlias)
        }
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_only() {
        let (longest, too_long) = ("a".repeat(63), "a".repeat(64));
        for raw in ["abc", "a-b", "0-9", "stripe-v2", "a--b", longest.as_str()] {
            assert!(raw.parse::<Alias>().is_ok(), "{raw}");
        }
        for raw in [
            "",
            "a",
            "ab",
            "-ab",
            "ab-",
            "A-b",
            "a_b",
            "a b",
            "ä-b",
            "a/b",
            too_long.as_str(),
            "123e4567-e89b-42d3-a456-426614174000",
            "123e4567e89b42d3a456426614174000",
        ] {
            assert!(raw.parse::<Alias>().is_err(), "{raw}");
        }
    }
}
