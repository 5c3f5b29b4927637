//! Credentials: what callers present, and what targets are given.

use requestrocket_policy::secret_form::auth_type::{AuthType, Side};

use super::region::RegionName;
use crate::domain::guard::effect::Effect;
use crate::domain::id::{CredentialId, OrganisationId};
use crate::domain::label::Labels;
use crate::domain::moment::Moment;
use crate::domain::name::Name;

/// What may change of a credential besides its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialForm {
    /// Its name.
    pub name: Name,
    /// What its layer decides when no rule matches.
    pub default_rule_effect: Effect,
    /// Whether it counts.
    pub is_active: bool,
}

/// The record. Its secret is no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it is used.
    pub region: RegionName,
    /// Its side.
    pub side: Side,
    /// Its type.
    pub auth_type: AuthType,
    /// What its owner decided.
    pub form: CredentialForm,
    /// By what it is found.
    pub labels: Labels,
    /// Of the secret: +1 for every new one.
    pub version: u64,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// User id.
    pub created_by: String,
    /// Its version; every stored change alters it.
    pub revision: u64,
}

impl Credential {
    /// The word for its state.
    #[must_use]
    pub fn status(&self) -> &'static str {
        if self.form.is_active {
            "active"
        } else {
            "inactive"
        }
    }
}
