//! Who calls: the one gate before every protected route.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::session_cookie;
use super::stranger::peer;
use crate::domain::people::proof::Proof;
use crate::error::{ApiError, ApiResult, Code, unauthenticated};
use crate::identity::caller::Caller;
use crate::identity::token::Presented;
use crate::state::AppState;
use crate::store::people::browser_session::{browser_session_by_digest, browser_session_touch};
use crate::store::people::session::{operator_token_exists, session_fetch, session_touch};

/// `lastUsedAt` is written at most this often.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

/// The middleware of all protected routes: 401 without a token or session that counts, 429 above its
/// limit.
pub async fn authenticate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match caller_of(&state, &parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => refusal(&state, &parts, error),
    }
}

/// A cookie that does not count any more goes: pages cannot take it away themselves.
fn refusal(state: &AppState, parts: &Parts, error: ApiError) -> Response {
    let is_unknown = error.code() == Code::Unauthenticated;
    let is_by_cookie = !parts.headers.contains_key(AUTHORIZATION)
        && session_cookie::presented(&parts.headers, &state.public_url).is_some();
    let mut response = error.into_response();
    if is_unknown && is_by_cookie {
        let cleared = session_cookie::clear(&mut response, &state.public_url);
        return cleared.map_or_else(IntoResponse::into_response, |()| response);
    }
    response
}

/// The caller that a request's headers name. A token goes before a cookie, which browsers add by
/// themselves.
///
/// # Errors
/// `UNAUTHENTICATED`, `RATE_LIMITED`, or `FORBIDDEN` for a change by a session that no page of ours
/// asks for.
pub async fn caller_of(state: &AppState, parts: &Parts) -> ApiResult<Caller> {
    // It is no list, so a second line makes it nobody's (RFC 9110 §5.3).
    let mut lines = parts.headers.get_all(AUTHORIZATION).iter();
    match (lines.next(), lines.next()) {
        (Some(only), None) => match Presented::parse(only).ok_or_else(unauthenticated)? {
            Presented::Operator(digest) => operator(state, &digest).await,
            Presented::User(digest) => by_token(state, parts, &digest).await,
        },
        (Some(_), Some(_)) => Err(unauthenticated()),
        (None, _) => {
            let digest = session_cookie::presented(&parts.headers, &state.public_url);
            by_session(state, parts, &digest.ok_or_else(unauthenticated)?).await
        }
    }
}

async fn operator(state: &AppState, digest: &str) -> ApiResult<Caller> {
    let mut conn = state.connect().await?;
    if operator_token_exists(&mut conn, digest).await? {
        Ok(Caller::Operator)
    } else {
        Err(unauthenticated())
    }
}

async fn by_token(state: &AppState, parts: &Parts, digest: &str) -> ApiResult<Caller> {
    let mut conn = state.connect().await?;
    let found = session_fetch(&mut conn, digest).await?;
    let session = found.ok_or_else(unauthenticated)?;
    let now = state.now();
    if session.rights.expires_at.is_some_and(|end| end <= now) {
        return Err(unauthenticated());
    }
    let proof = Proof::Token(session.token);
    admit(state, proof, session.requests_per_minute)?;
    let last = session.last_used_at;
    if last.is_none_or(|last| last.plus(TOUCH_EVERY) <= now) {
        let seen = (now, peer(state, &parts.extensions, &parts.headers));
        session_touch(&mut conn, session.token, seen).await?;
    }
    Ok(Caller::User {
        id: session.user,
        proof,
        rights: Arc::new(session.rights),
    })
}

async fn by_session(state: &AppState, parts: &Parts, digest: &str) -> ApiResult<Caller> {
    session_cookie::require_own(&parts.method, &parts.headers, &state.public_url)?;
    let now = state.now();
    let mut conn = state.connect().await?;
    let found = browser_session_by_digest(&mut conn, digest, now).await?;
    let (session, requests_per_minute) = found.ok_or_else(unauthenticated)?;
    let proof = Proof::Session(session.id);
    admit(state, proof, requests_per_minute)?;
    if session.last_used_at.plus(TOUCH_EVERY) <= now {
        let seen = (now, peer(state, &parts.extensions, &parts.headers));
        browser_session_touch(&mut conn, session.id, seen).await?;
    }
    Ok(Caller::User {
        id: session.user,
        proof,
        rights: Arc::default(),
    })
}

fn admit(state: &AppState, proof: Proof, limit: Option<u64>) -> ApiResult<()> {
    let Some(limit) = limit else {
        return Ok(());
    };
    let counted = state.rates.count(proof, limit, state.now());
    counted.map_err(|seconds| {
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
