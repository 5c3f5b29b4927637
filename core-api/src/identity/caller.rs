//! Who calls, and what they may do where.

use std::sync::Arc;

use crate::domain::account::audit::{Actor, Author, Origin};
use crate::domain::id::{OrganisationId, SessionId, TokenId, UserId};
use crate::domain::people::organisation::Organisation;
use crate::domain::people::permission::{Permission, Role};
use crate::domain::people::proof::Proof;
use crate::domain::people::rights::Rights;
use crate::error::{ApiError, ApiResult, Code, forbidden, unauthenticated};
use crate::state::AppState;
use crate::store::people::browser_session::browser_session_is_alive;
use crate::store::people::organisation::organisation_fetch;
use crate::store::people::session::{membership_fetch, session_is_alive};

/// Who presented something that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A user.
    User {
        /// Who.
        id: UserId,
        /// By what.
        proof: Proof,
        /// What a token is limited to; a session is limited to nothing.
        rights: Arc<Rights>,
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
    /// What the caller is there.
    standing: Standing,
}

/// What a caller is in an organisation.
#[derive(Clone, Debug)]
enum Standing {
    /// A member, with the roles that the token leaves.
    Member(Vec<Role>),
    Operator,
}

impl Standing {
    fn may(&self, permission: Permission) -> bool {
        match self {
            Self::Member(roles) => permission.is_granted_to(roles.iter().copied()),
            Self::Operator => permission.is_granted_to_operator(),
        }
    }
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
        let scope = match caller {
            Caller::User {
                id: user, rights, ..
            } => {
                let found = membership_fetch(&mut conn, id, *user).await?;
                let known = found.filter(|_| rights.knows(id));
                let (organisation, roles) = known.ok_or_else(ApiError::not_found)?;
                Self {
                    organisation,
                    actor: user.to_string(),
                    standing: Standing::Member(rights.of_roles(&roles)),
                }
            }
            Caller::Operator => {
                let found = organisation_fetch(&mut conn, id).await?;
                Self {
                    organisation: found.ok_or_else(ApiError::not_found)?,
                    actor: "operator".to_owned(),
                    standing: Standing::Operator,
                }
            }
        };
        scope.require(permission)?;
        Ok(scope)
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
        if self.standing.may(permission) {
            Ok(())
        } else {
            Err(forbidden())
        }
    }
}

impl Caller {
    /// Refuses whose token or session does not count any more.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for an operator, whose token is not known here.
    pub async fn recheck(&self, state: &AppState) -> ApiResult<()> {
        let Self::User { proof, .. } = self else {
            return Err(forbidden());
        };
        let mut conn = state.connect().await?;
        let now = state.now();
        let is_alive = match proof {
            Proof::Token(token) => session_is_alive(&mut conn, *token, now).await?,
            Proof::Session(session) => browser_session_is_alive(&mut conn, *session, now).await?,
        };
        if is_alive {
            Ok(())
        } else {
            Err(unauthenticated())
        }
    }

    /// Who acts from there, for the audit log.
    pub fn author(&self, origin: &Origin) -> Author {
        let actor = match self {
            Self::User { id, proof, .. } => Actor::User {
                id: *id,
                token: match proof {
                    Proof::Token(token) => Some(*token),
                    Proof::Session(_) => None,
                },
            },
            Self::Operator => Actor::Operator,
        };
        let origin = origin.clone();
        Author { actor, origin }
    }

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

    /// What the token is limited to.
    pub fn rights(&self) -> Arc<Rights> {
        match self {
            Self::User { rights, .. } => Arc::clone(rights),
            Self::Operator => Arc::default(),
        }
    }

    /// Whether it is this token that is presented.
    pub fn presents(&self, token: TokenId) -> bool {
        matches!(self, Self::User { proof: Proof::Token(own), .. } if *own == token)
    }

    /// The session at a browser.
    ///
    /// # Errors
    /// `FORBIDDEN` for who has none.
    pub fn session(&self) -> ApiResult<SessionId> {
        match self {
            Self::User {
                proof: Proof::Session(session),
                ..
            } => Ok(*session),
            Self::User { .. } | Self::Operator => Err(ApiError::new(
                Code::Forbidden,
                "this is for sessions at browsers, and you came by a token",
            )),
        }
    }

    /// The user, whose token is not restricted: a restricted one is for work in organisations, and
    /// changes nothing of its user.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn whole_user(&self) -> ApiResult<UserId> {
        match self {
            Self::User { rights, .. } if rights.is_restricted() => {
                let text = "a token with `roles` or `clientIds` may not do this";
                Err(ApiError::new(Code::Forbidden, text))
            }
            Self::User { .. } | Self::Operator => self.user(),
        }
    }
}
