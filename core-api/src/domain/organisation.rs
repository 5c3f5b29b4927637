//! What an organisation is, apart from its records.

use std::str::FromStr;

/// What an organisation pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// 100 requests a minute.
    Basic,
    /// 1,000 requests a minute.
    Team,
    /// Limits from the organisation's configuration.
    Business,
}

/// Whether an organisation's proxies serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganisationStatus {
    /// They do.
    Active,
    /// Authenticated callers are told 402.
    Suspended,
}

/// No plan has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("plan must be basic, team or business")]
pub struct InvalidPlan;

/// No status has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("status must be active or suspended")]
pub struct InvalidOrganisationStatus;

impl Plan {
    /// Its name in the API and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Team => "team",
            Self::Business => "business",
        }
    }
}

impl FromStr for Plan {
    type Err = InvalidPlan;

    fn from_str(text: &str) -> Result<Self, InvalidPlan> {
        match text {
            "basic" => Ok(Self::Basic),
            "team" => Ok(Self::Team),
            "business" => Ok(Self::Business),
            _ => Err(InvalidPlan),
        }
    }
}

impl OrganisationStatus {
    /// Its name in the API and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

impl FromStr for OrganisationStatus {
    type Err = InvalidOrganisationStatus;

    fn from_str(text: &str) -> Result<Self, InvalidOrganisationStatus> {
        match text {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(InvalidOrganisationStatus),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_printed_is_read_back() {
        for plan in [Plan::Basic, Plan::Team, Plan::Business] {
            assert_eq!(plan.as_str().parse(), Ok(plan));
        }
        for status in [OrganisationStatus::Active, OrganisationStatus::Suspended] {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("Basic".parse::<Plan>(), Err(InvalidPlan));
        assert_eq!(
            "".parse::<OrganisationStatus>(),
            Err(InvalidOrganisationStatus)
        );
    }
}
