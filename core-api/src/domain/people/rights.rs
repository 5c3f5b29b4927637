//! What a user token is limited to.
//!
//! Invariant: a token can do nothing that its user could not; limits only take away.

use std::collections::BTreeSet;

use super::member::Roles;
use super::permission::Role;
use crate::domain::id::OrganisationId;
use crate::domain::moment::Moment;

/// Limits of a token; the default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Of its user's roles it has these only.
    pub roles: Option<Roles>,
    /// It knows these organisations only.
    pub organisations: Option<BTreeSet<OrganisationId>>,
    /// When it ends.
    pub expires_at: Option<Moment>,
}

impl Rights {
    /// Whether it may do less than its user.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.roles.is_some() || self.organisations.is_some()
    }

    /// What is left of its user's roles in an organisation.
    #[must_use]
    pub fn of_roles(&self, roles: &Roles) -> Vec<Role> {
        let is_left = |role: &Role| self.roles.as_ref().is_none_or(|left| left.has(*role));
        roles.each().filter(is_left).collect()
    }

    /// Whether there is such an organisation for it.
    #[must_use]
    pub fn knows(&self, organisation: OrganisationId) -> bool {
        let known = self.organisations.as_ref();
        known.is_none_or(|known| known.contains(&organisation))
    }

    /// Those asked of a new token, where nothing is asked the same as here.
    #[must_use]
    pub fn handed_on(&self, asked: Self) -> Self {
        Self {
            roles: asked.roles.or_else(|| self.roles.clone()),
            organisations: asked.organisations.or_else(|| self.organisations.clone()),
            expires_at: asked.expires_at.or(self.expires_at),
        }
    }

    /// The first member of a new token's that would give it more than this one has.
    #[must_use]
    pub fn exceeded_by(&self, new: &Self) -> Option<&'static str> {
        let (roles, organisations) = (
            within(self.roles.as_ref(), new.roles.as_ref(), Roles::all_in),
            within(
                self.organisations.as_ref(),
                new.organisations.as_ref(),
                BTreeSet::is_subset,
            ),
        );
        let (own, asked) = (self.expires_at.as_ref(), new.expires_at.as_ref());
        let ends = within(own, asked, |new, own| new <= own);
        [
            ("roles", roles),
            ("clientIds", organisations),
            ("expiresAt", ends),
        ]
        .into_iter()
        .find_map(|(member, is_within)| (!is_within).then_some(member))
    }
}

/// Without a limit of one's own everything is within it.
fn within<T>(own: Option<&T>, new: Option<&T>, is_in: impl Fn(&T, &T) -> bool) -> bool {
    own.is_none_or(|own| new.is_some_and(|new| is_in(new, own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(roles: &[Role], organisations: &[OrganisationId], ends: Option<&str>) -> Rights {
        Rights {
            roles: Roles::new(roles.iter().copied()).ok(),
            organisations: (!organisations.is_empty())
                .then(|| organisations.iter().copied().collect()),
            expires_at: ends.map(|ends| ends.parse().unwrap()),
        }
    }

    #[test]
    fn limits_take_away_only() {
        let (one, other) = (OrganisationId::random(), OrganisationId::random());
        let all = Rights::default();
        assert!(!all.is_restricted() && all.knows(one));
        assert_eq!(
            all.of_roles(&Roles::new([Role::Owner]).unwrap()),
            [Role::Owner]
        );
        let few = rights(&[Role::User, Role::Admin], &[one], None);
        assert!(few.is_restricted() && few.knows(one) && !few.knows(other));
        assert_eq!(
            few.of_roles(&Roles::new([Role::Owner, Role::User]).unwrap()),
            [Role::User]
        );
        assert_eq!(few.of_roles(&Roles::new([Role::Owner]).unwrap()), []);
        // A token that ends is no lesser one until then.
        assert!(!rights(&[], &[], Some("2026-01-01T00:00:00Z")).is_restricted());
    }

    #[test]
    fn a_new_token_has_no_more_than_the_one_that_makes_it() {
        let (one, other) = (OrganisationId::random(), OrganisationId::random());
        let (soon, late) = (Some("2026-01-01T00:00:00Z"), Some("2027-01-01T00:00:00Z"));
        let own = rights(&[Role::User, Role::Admin], &[one], soon);
        for (asked, want) in [
            (Rights::default(), None),
            (rights(&[Role::User], &[one], soon), None),
            (rights(&[Role::Owner], &[], None), Some("roles")),
            (rights(&[Role::Admin], &[other], None), Some("clientIds")),
            (rights(&[], &[one, other], None), Some("clientIds")),
            (rights(&[], &[], late), Some("expiresAt")),
        ] {
            let new = own.handed_on(asked);
            assert_eq!(own.exceeded_by(&new), want, "{new:?}");
        }
        assert_eq!(own.exceeded_by(&Rights::default()), Some("roles"));
        assert_eq!(Rights::default().exceeded_by(&own), None);
    }
}
