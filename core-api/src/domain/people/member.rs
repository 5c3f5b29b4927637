//! Members: users in an organisation, and invites to become one.

use std::collections::BTreeSet;
use std::time::Duration;

use super::permission::Role;
use super::user::{Email, Profile};
use crate::domain::id::{InviteId, OrganisationId, UserId};
use crate::domain::moment::Moment;

/// How long an invite can be accepted.
pub const INVITE_LIFE: Duration = Duration::from_hours(7 * 24);

/// What a member is in an organisation.
///
/// Invariant: at least one role, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

/// A member without a role would be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must name at least one role")]
pub struct NoRole;

/// The record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// In which organisation.
    pub organisation: OrganisationId,
    /// Who.
    pub user: UserId,
    /// As the user says of themselves.
    pub profile: Profile,
    /// As what.
    pub roles: Roles,
    /// When the user joined.
    pub created_at: Moment,
    /// When the roles last changed.
    pub updated_at: Moment,
    /// Who let the user in: a user id.
    pub created_by: String,
    /// Of its last change.
    pub revision: u64,
}

/// An offer to become a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// What paths name it by; the token that accepts it is another.
    pub id: InviteId,
    /// Of which organisation.
    pub organisation: OrganisationId,
    /// To whom it is sent.
    pub email: Email,
    /// As what.
    pub roles: Roles,
    /// Until when.
    pub expires_at: Moment,
    /// When it was used up.
    pub accepted_at: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
    /// By which user.
    pub created_by: String,
    /// Of its last change.
    pub revision: u64,
}

impl Roles {
    /// Just the owner.
    #[must_use]
    pub fn owner() -> Self {
        Self(BTreeSet::from([Role::Owner]))
    }

    /// A role may be named twice and counts once.
    ///
    /// # Errors
    /// There is none.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Result<Self, NoRole> {
        let roles: BTreeSet<Role> = roles.into_iter().collect();
        if roles.is_empty() {
            Err(NoRole)
        } else {
            Ok(Self(roles))
        }
    }

    /// Owner is among them.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.0.contains(&Role::Owner)
    }

    /// This one is among them.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Each of them is among the others.
    #[must_use]
    pub fn all_in(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// Each, highest first.
    pub fn each(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }

    /// Their words, highest first.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|role| role.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_a_set_that_is_never_empty() {
        let roles = Roles::new([Role::User, Role::Owner, Role::User]).unwrap();
        assert_eq!(roles.words().collect::<Vec<_>>(), ["owner", "user"]);
        assert!(roles.is_owner());
        assert!(!Roles::new([Role::Admin]).unwrap().is_owner());
        assert_eq!(Roles::new([]), Err(NoRole));
    }
}
