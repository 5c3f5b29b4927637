//! Who calls, and what they may do where.

use crate::domain::id::{OrganisationId, TokenId, UserId};
use crate::domain::people::organisation::Organisation;
use crate::domain::people::permission::{Permission, Role};
use crate::error::{ApiError, ApiResult, forbidden};
use crate::state::AppState;
use crate::store::people::organisation::organisation_fetch;
use crate::store::people::session::membership_fetch;

/// Who presented a token that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A user.
    User {
        /// Who.
        id: UserId,
        /// With which token.
        token: TokenId,
    },
    /// The holder of an operator token.
    Operator,
}

/// A caller inside an organisation, with a permission that was checked.
///
/// It is the only source of an organisation's id for handlers.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The organisation as it was on entry.
    pub organisation: Organisation,
    /// Who acts: a user id or `operator`.
    pub actor: String,
    /// What the caller is there; empty for an operator.
    pub roles: Vec<Role>,
}

impl Scope {
    /// Lets `caller` into the organisation with this id (as text from the path).
    ///
    /// # Errors
    /// `NOT_FOUND` when there is none or the caller is a stranger, `FORBIDDEN` when the caller's
    /// roles do not permit it.
    pub async fn enter(
        state: &AppState,
        caller: &Caller,
        organisation: &str,
        permission: Permission,
    ) -> ApiResult<Self> {
        let id: OrganisationId = crate::error::id(organisation)?;
        let mut conn = state.connect().await?;
        let (scope, is_granted) = match caller {
            Caller::User { id: user, .. } => {
                let found = membership_fetch(&mut conn, id, *user).await?;
                let (organisation, roles) = found.ok_or_else(ApiError::not_found)?;
                let is_granted = permission.is_granted_to(&roles);
                (
                    Self {
                        organisation,
                        actor: user.to_string(),
                        roles,
                    },
                    is_granted,
                )
            }
            Caller::Operator => {
                let found = organisation_fetch(&mut conn, id).await?;
                let organisation = found.ok_or_else(ApiError::not_found)?;
                let scope = Self {
                    organisation,
                    actor: "operator".to_owned(),
                    roles: Vec::new(),
                };
                (scope, permission.is_granted_to_operator())
            }
        };
        if is_granted {
            Ok(scope)
        } else {
            Err(forbidden())
        }
    }

    /// The organisation's id.
    pub fn id(&self) -> OrganisationId {
        self.organisation.id
    }

    /// Refuses unless the caller may do this too.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn require(&self, permission: Permission) -> ApiResult<()> {
        let is_granted = if self.roles.is_empty() {
            permission.is_granted_to_operator()
        } else {
            permission.is_granted_to(&self.roles)
        };
        if is_granted { Ok(()) } else { Err(forbidden()) }
    }
}

impl Caller {
    /// The user; an operator is none.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn user(&self) -> ApiResult<UserId> {
        match self {
            Self::User { id, .. } => Ok(*id),
            Self::Operator => Err(forbidden()),
        }
    }
}
