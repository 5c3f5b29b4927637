//! Who calls: the one gate before every protected route.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::stranger::peer;
use crate::error::{ApiError, ApiResult, Code, unauthenticated};
use crate::identity::caller::Caller;
use crate::identity::token::Presented;
use crate::state::AppState;
use crate::store::people::session::{Session, operator_token_exists, session_fetch, session_touch};

/// `lastUsedAt` is written at most this often.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

/// The middleware of all protected routes: 401 without a token that counts, 429 above its limit.
pub async fn authenticate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match caller_of(&state, &parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    }
}

/// The caller that a request's headers name.
///
/// # Errors
/// `UNAUTHENTICATED` or `RATE_LIMITED`.
pub async fn caller_of(state: &AppState, parts: &Parts) -> ApiResult<Caller> {
    // It is no list, so a second line makes it nobody's (RFC 9110 §5.3).
    let mut lines = parts.headers.get_all(AUTHORIZATION).iter();
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
                let seen = (state.now(), peer(state, &parts.extensions, &parts.headers));
                session_touch(&mut conn, session.token, seen).await?;
            }
            Ok(Caller::User {
                id: session.user,
                token: session.token,
                rights: Arc::new(session.rights),
            })
        }
    }
}

fn admit(state: &AppState, session: &Session) -> ApiResult<()> {
    let now = state.now();
    if session.rights.expires_at.is_some_and(|end| end <= now) {
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

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(unauthenticated)
    }
}
