//! What a layer decides when no rule matches.

use std::str::FromStr;

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The layer lets the call pass.
    Allow,
    /// The layer refuses the call.
    Deny,
}

impl Effect {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Allow, Self::Deny];

    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Neither `allow` nor `deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `allow` or `deny`")]
pub struct InvalidEffect;

impl FromStr for Effect {
    type Err = InvalidEffect;

    fn from_str(raw: &str) -> Result<Self, InvalidEffect> {
        match raw {
            "allow" => Ok(Self::Allow),
            "deny" => Ok(Self::Deny),
            _ => Err(InvalidEffect),
        }
    }
}
