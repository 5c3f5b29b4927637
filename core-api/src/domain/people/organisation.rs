//! An organisation: the tenant that owns everything else.

use std::num::NonZeroU64;
use std::str::FromStr;

use crate::domain::gateway::region::RegionName;
use crate::domain::id::OrganisationId;
use crate::domain::label::Labels;
use crate::domain::moment::Moment;
use crate::domain::name::Name;

/// What the organisation pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plan {
    /// 100 calls a minute.
    Basic,
    /// 1,000 calls a minute.
    Team,
    /// As configured.
    Business,
}

/// Whether its proxies serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganisationStatus {
    /// They do.
    Active,
    /// Its callers get 402.
    Suspended,
}

/// Whether an organisation's calls go on, as far as it pays for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They do.
    Ok,
    /// They do; little is left of the last credit.
    Low,
    /// Nothing is left: its callers get 402.
    Suspended,
}

/// A word that is not one of the enum's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {0}")]
pub struct InvalidWord(pub &'static str);

/// Ceilings; None is unlimited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Copied to new proxies.
    pub requests_per_minute: Option<NonZeroU64>,
    /// Copied to new proxies.
    pub requests_per_day: Option<NonZeroU64>,
    /// Per proxy credential, on plan business.
    pub credential_requests_per_minute: Option<NonZeroU64>,
    /// Per user token, on plan business.
    pub api_requests_per_minute: Option<NonZeroU64>,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// `clientId` of the API.
    pub id: OrganisationId,
    /// For people; several may share it.
    pub name: Name,
    /// Only an operator changes it.
    pub plan: Plan,
    /// Only an operator changes it.
    pub status: OrganisationStatus,
    /// Follows from its account; without billing it is the best.
    pub standing: Standing,
    /// What new proxies are made with, and what plan business may set.
    pub limits: Limits,
    /// Where it may have resources; empty for everywhere.
    pub allowed_regions: Vec<RegionName>,
    /// By what it is found.
    pub labels: Labels,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// User id, or `operator`.
    pub created_by: String,
    /// Of its last change.
    pub revision: u64,
}

impl Organisation {
    /// It may have resources in `region`.
    #[must_use]
    pub fn allows_region(&self, region: &RegionName) -> bool {
        self.allowed_regions.is_empty() || self.allowed_regions.contains(region)
    }

    /// Its calls are not refused as a whole: it is active, and has paid.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.status == OrganisationStatus::Active && self.standing != Standing::Suspended
    }

    /// Requests each of its proxy credentials may make in a minute; None is unlimited.
    #[must_use]
    pub fn credential_limit(&self) -> Option<u64> {
        self.plan
            .credential_requests_per_minute(self.limits.credential_requests_per_minute)
    }
}

impl Plan {
    /// Requests a proxy credential may make in a minute; None is unlimited.
    #[must_use]
    pub fn credential_requests_per_minute(self, configured: Option<NonZeroU64>) -> Option<u64> {
        self.requests_per_minute(configured)
    }

    /// Requests a user token may make in a minute; None is unlimited.
    #[must_use]
    pub fn api_requests_per_minute(self, configured: Option<NonZeroU64>) -> Option<u64> {
        self.requests_per_minute(configured)
    }

    /// The same figures for callers of proxies and of the API.
    fn requests_per_minute(self, configured: Option<NonZeroU64>) -> Option<u64> {
        match self {
            Self::Basic => Some(100),
            Self::Team => Some(1000),
            Self::Business => configured.map(NonZeroU64::get),
        }
    }

    /// As the API says it.
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
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "basic" => Ok(Self::Basic),
            "team" => Ok(Self::Team),
            "business" => Ok(Self::Business),
            _ => Err(InvalidWord("`basic`, `team`, `business`")),
        }
    }
}

impl OrganisationStatus {
    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

impl FromStr for OrganisationStatus {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(InvalidWord("`active`, `suspended`")),
        }
    }
}

impl Standing {
    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Low => "low",
            Self::Suspended => "suspended",
        }
    }
}

impl FromStr for Standing {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "ok" => Ok(Self::Ok),
            "low" => Ok(Self::Low),
            "suspended" => Ok(Self::Suspended),
            _ => Err(InvalidWord("`ok`, `low`, `suspended`")),
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
        for standing in [Standing::Ok, Standing::Low, Standing::Suspended] {
            assert_eq!(standing.as_str().parse(), Ok(standing));
        }
        assert!("Basic".parse::<Plan>().is_err());
        assert!("".parse::<OrganisationStatus>().is_err());
    }
}
