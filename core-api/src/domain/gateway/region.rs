//! The name of a region.

use std::fmt;
use std::str::FromStr;

/// A region's name such as `eu-west-1`.
///
/// Invariant: 2 to 32 lowercase letters, digits and dashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionName(Box<str>);

/// No region can have this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("region must be 2 to 32 lowercase letters, digits or dashes")]
pub struct InvalidRegionName;

impl RegionName {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RegionName {
    type Err = InvalidRegionName;

    fn from_str(text: &str) -> Result<Self, InvalidRegionName> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (2..=32).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidRegionName)
        }
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lowercase_letters_digits_and_dashes() {
        let longest = "a".repeat(32);
        for name in ["local-1", "eu", "0-", longest.as_str()] {
            assert_eq!(name.parse::<RegionName>().unwrap().to_string(), name);
        }
        let too_long = "a".repeat(33);
        for name in ["", "a", "EU", "eu_1", "eu.1", "*", "é1", too_long.as_str()] {
            assert_eq!(name.parse::<RegionName>(), Err(InvalidRegionName), "{name}");
        }
    }
}
