//! Credentials: what callers present, and what targets are given.

use requestrocket_policy::destination::HostPattern;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};

use super::consent::ConsentState;
use super::region::RegionName;
use super::slot::{NextSecret, Slot};
use crate::domain::guard::effect::Effect;
use crate::domain::id::{CredentialId, OrganisationId};
use crate::domain::label::Labels;
use crate::domain::moment::Moment;
use crate::domain::name::Name;

/// What may change of a credential besides its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialForm {
    /// For people; several may share it.
    pub name: Name,
    /// What its layer decides when no rule matches.
    pub default_rule_effect: Effect,
    /// Whether it counts.
    pub is_active: bool,
    /// From when on it does not, whatever else; none for never.
    pub expires_at: Option<Moment>,
    /// The hosts of targets that it may be given to; without any, all.
    pub allowed_hosts: Vec<HostPattern>,
}

/// A credential names at most so many hosts.
pub const MAX_ALLOWED_HOSTS: usize = 32;

/// A secret may stay valid for at most so long after its successor came: a week.
pub const LONGEST_OVERLAP_SECONDS: u64 = 604_800;

/// In which state a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialStatus {
    /// It counts.
    Active,
    /// Its owner turned it off.
    Inactive,
    /// Its end has come.
    Expired,
}

/// The record. Its secret is no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// What paths, bindings and records of calls name it by.
    pub id: CredentialId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it is used.
    pub region: RegionName,
    /// Who is given it; fixed at creation.
    pub side: Side,
    /// Another one comes only with a new secret.
    pub auth_type: AuthType,
    /// What its owner decided.
    pub form: CredentialForm,
    /// By what it is found.
    pub labels: Labels,
    /// Of the secret: +1 for every new one.
    pub version: u64,
    /// Until when callers may present the secret before this one, too.
    pub previous_until: Option<Moment>,
    /// The secret that is to take the place of the present one at targets.
    pub next: Option<NextSecret>,
    /// Of one to which somebody has to consent.
    pub consent: Option<ConsentState>,
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
    /// Until when the secret before this one is accepted, if it is at that moment.
    #[must_use]
    pub fn previous_at(&self, now: Moment) -> Option<Moment> {
        let ends = [self.previous_until, self.form.expires_at];
        let end = ends.into_iter().flatten().min();
        end.filter(|end| self.previous_until.is_some() && now < *end)
    }

    /// The highest version that a secret of it ever had.
    #[must_use]
    pub fn newest_version(&self) -> u64 {
        let next = self.next.as_ref().map_or(0, |next| next.version);
        self.version.max(next)
    }

    /// Which of its secrets targets are given at that moment, by all that is known here.
    #[must_use]
    pub fn active_slot(&self, now: Moment) -> Slot {
        match &self.next {
            Some(next) if next.is_given(now) => Slot::Next,
            Some(_) | None => Slot::Current,
        }
    }

    /// Its state at that moment.
    #[must_use]
    pub fn status(&self, now: Moment) -> CredentialStatus {
        if !self.form.is_active {
            CredentialStatus::Inactive
        } else if self.form.expires_at.is_some_and(|end| end <= now) {
            CredentialStatus::Expired
        } else {
            CredentialStatus::Active
        }
    }
}
