//! OpenID providers: who else says who somebody is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::endpoint::Endpoint;

use super::member::Roles;
use crate::domain::id::OrganisationId;

/// How a provider is named in addresses: 1 to 32 of `a`–`z`, `0`–`9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProviderName(String);

/// Not such a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 32 lower-case letters, digits and hyphens")]
pub struct InvalidProviderName;

/// A provider as an operator describes it.
#[derive(Clone)]
pub struct Provider {
    /// In addresses.
    pub name: ProviderName,
    /// For people.
    pub title: String,
    /// Its issuer identifier, to the letter (OpenID Connect Discovery 1.0 §4.3).
    pub issuer: String,
    /// Where it describes itself.
    pub discovery: Endpoint,
    /// Who we are there.
    pub client_id: String,
    /// What shows it.
    pub client_secret: SecretText,
    /// What is asked for, `openid` among it.
    pub scopes: Vec<String>,
    /// The claim that names groups.
    pub groups_claim: String,
    /// Whether somebody it knows and we do not becomes a user.
    pub makes_users: bool,
    /// What groups are in organisations.
    pub grants: Vec<Grant>,
}

/// What a group is in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// As the claim names it.
    pub group: String,
    /// Where.
    pub organisation: OrganisationId,
    /// As what.
    pub roles: Roles,
}

/// What a provider says of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Never given to somebody else (OpenID Connect Core 1.0 §2, `sub`).
    pub subject: String,
    /// Their address, and whether the provider knows it to be theirs.
    pub email: Option<(String, bool)>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Their groups; none: the provider does not say which they are.
    pub groups: Option<Vec<String>>,
}

impl ProviderName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderName {
    type Err = InvalidProviderName;

    fn from_str(raw: &str) -> Result<Self, InvalidProviderName> {
        let is_legal =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&raw.len()) && raw.bytes().all(is_legal) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidProviderName)
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Provider {
    /// What somebody of these groups is in each organisation that the provider has a say in; none:
    /// nothing.
    #[must_use]
    pub fn roles(&self, groups: &[String]) -> BTreeMap<OrganisationId, Option<Roles>> {
        let mut all: BTreeMap<OrganisationId, Option<Roles>> = BTreeMap::new();
        for grant in &self.grants {
            let roles = all.entry(grant.organisation).or_default();
            if groups.contains(&grant.group) {
                let had = roles.take();
                let both = had.iter().flat_map(Roles::each).chain(grant.roles.each());
                *roles = Roles::new(both).ok();
            }
        }
        all
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
