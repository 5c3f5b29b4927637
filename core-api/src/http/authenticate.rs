//! Who calls: the one gate before every protected route.

use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::domain::id::{OrganisationId, TokenId, UserId};
use crate::domain::people::organisation::Organisation;
use crate::domain::people::permission::{Permission, Role};
use crate::error::{ApiError, ApiResult, Code};
use crate::http::AppState;
use crate::identity::token::Presented;
use crate::store::people::organisation::organisation_fetch;
use crate::store::people::session::{
    Session, membership_fetch, operator_token_exists, session_fetch, session_touch,
};

/// `lastUsedAt` is written at most this often.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

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

fn forbidden() -> ApiError {
    ApiError::new(Code::Forbidden, "you may not do this")
}

/// The middleware of all protected routes: 401 without a token that counts, 429 above its limit.
pub async fn authenticate(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    match caller_of(&state, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// The caller that the headers name.
///
/// # Errors
/// `UNAUTHENTICATED` or `RATE_LIMITED`.
pub async fn caller_of(state: &AppState, headers: &HeaderMap) -> ApiResult<Caller> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let presented = match (lines.next(), lines.next()) {
        (Some(only), None) => Presented::parse(only).ok_or_else(unauthenticated)?,
        (None, _) | (Some(_), Some(_)) => return Err(unauthenticated()),
    };
    let mut conn = state.connect().await?;
    match presented {
        Presented::Operator(digest) => {
            let is_known = operator_token_exists(&mut conn, &digest).await?;
            if is_known {
                Ok(Caller::Operator)
            } else {
                Err(unauthenticated())
            }
        }
        Presented::User(digest) => {
            let session = session_fetch(&mut conn, &digest)
                .await?
                .ok_or_else(unauthenticated)?;
            admit(state, &session)?;
            if session
                .last_used_at
                .is_none_or(|last| last.plus(TOUCH_EVERY) <= state.now())
            {
                session_touch(&mut conn, session.token, state.now()).await?;
            }
            Ok(Caller::User {
                id: session.user,
                token: session.token,
            })
        }
    }
}

fn admit(state: &AppState, session: &Session) -> ApiResult<()> {
    let now = state.now();
    if session.expires_at.is_some_and(|end| end <= now) {
        return Err(unauthenticated());
    }
    let Some(limit) = session.requests_per_minute else {
        return Ok(());
    };
    state
        .rates
        .count(session.token, limit, now)
        .map_err(|seconds| {
            let text = format!("more than {limit} requests in a minute");
            ApiError::new(Code::RateLimited, text).retry_after(seconds)
        })
}

fn unauthenticated() -> ApiError {
    ApiError::new(
        Code::Unauthenticated,
        "a valid token is required in the Authorization header",
    )
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(unauthenticated)
    }
}
