//! Names that people give to records.

use std::fmt;
use std::str::FromStr;

/// A display name.
///
/// Invariant: 1 to 200 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Too short, too long, or with control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 200 characters without control characters")]
pub struct InvalidName;

impl Name {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What search and sort compare.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(raw: &str) -> Result<Self, InvalidName> {
        // Counted no further than it matters: what was sent may be much longer.
        let length = raw.chars().take(201).count();
        if (1..=200).contains(&length) && !raw.chars().any(char::is_control) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidName)
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
