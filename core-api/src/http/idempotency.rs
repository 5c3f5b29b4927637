//! `Idempotency-Key`: a POST that is sent twice happens once.
//!
//! The key is kept for 24 hours per caller and path. The stored answer never holds a secret.

mod key;

pub use key::parse_key;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::error::{ApiError, ApiResult, Code};
use crate::identity::token::digest;
use crate::state::AppState;
use crate::store::idempotency::{self as store, Answer, Begun, Place};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Headers that a replay repeats.
const KEPT_HEADERS: [HeaderName; 4] = [
    CONTENT_TYPE,
    ETAG,
    LOCATION,
    HeaderName::from_static("requestrocket-config-version"),
];
/// Larger answers are not kept.
const MAX_KEPT_BYTES: usize = 64 * 1024;
/// What owners of keys begin with who were not authenticated.
const STRANGER: &str = "anonymous:";
const KEPT_FOR: Duration = Duration::from_hours(24);
/// A first request that has not ended by then died with its process.
const ABANDONED_AFTER: Duration = Duration::from_mins(2);

/// Extension of an answer that holds a secret: what a replay says in its place.
#[derive(Clone, Debug)]
pub struct ReplayBody(pub String);

/// What to do with a POST that carries a key.
#[derive(Debug)]
pub enum Gate {
    /// Run it; hand the answer to [`keep`].
    First,
    /// Answer this.
    Answered(Response),
}

/// Bodies may hold secrets that can be guessed: with a salt of its own, each record has to be guessed
/// at alone, and equal bodies do not look equal.
fn salted(salt: &str, body: &[u8]) -> String {
    format!("{salt}:{}", digest(&[salt.as_bytes(), b":", body].concat()))
}

fn random_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Whose key a stranger's is: that of who holds this invite, so that strangers share none. None
/// without an invite's token: such a call has no key.
pub fn owner_of_stranger(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let token = body.get("inviteToken")?.as_str()?;
    let authorization = headers
        .get(AUTHORIZATION)
        .map_or(&b""[..], HeaderValue::as_bytes);
    // No line of a header has a line feed, so this can be taken apart in one way only.
    let held = [authorization, b"\n", token.as_bytes()].concat();
    Some(format!("{STRANGER}{}", digest(&held)))
}

/// Looks the key up and takes it when it is new.
///
/// # Errors
/// The key stands for another body, or its first request still runs.
pub async fn enter(state: &AppState, place: &Place, body: &Bytes) -> ApiResult<Gate> {
    let now = state.now();
    let horizon = store::Horizon {
        now,
        expired: now.minus(KEPT_FOR),
        abandoned: now.minus(ABANDONED_AFTER),
    };
    let body_digest = salted(&random_id(), body);
    let is_same = |stored: &str| {
        let salt = stored.split_once(':').map(|(salt, _)| salt);
        salt.is_some_and(|salt| salted(salt, body) == stored)
    };
    let mut conn = state.connect().await?;
    match store::idempotency_begin(&mut conn, place, &body_digest, is_same, horizon).await? {
        Begun::Fresh => Ok(Gate::First),
        Begun::OtherBody => Err(ApiError::new(
            Code::IdempotencyKeyReused,
            "this Idempotency-Key was used with another body",
        )),
        Begun::Running => Err(ApiError::new(
            Code::IdempotencyInProgress,
            "the first request with this Idempotency-Key has not ended",
        )),
        Begun::Answered(answer) => Ok(Gate::Answered(replay(answer))),
    }
}

/// Stores the answer of the first request, or frees the key when it decided nothing.
pub async fn keep(state: &AppState, place: &Place, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
        return ApiError::internal("the answer could not be read").into_response();
    };
    let is_kept = !parts.status.is_server_error()
        && parts.status != StatusCode::TOO_MANY_REQUESTS
        && parts.status != StatusCode::UNAUTHORIZED
        // Strangers could fill the store with refusals.
        && (parts.status.is_success() || !place.owner.starts_with(STRANGER));
    let body = match parts.extensions.get::<ReplayBody>() {
        Some(ReplayBody(body)) => body.clone(),
        None => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let headers = KEPT_HEADERS
        .iter()
        .filter_map(|name| {
            Some((
                name.to_string(),
                parts.headers.get(name)?.to_str().ok()?.to_owned(),
            ))
        })
        .collect();
    let answer = is_kept.then(|| bounded(parts.status, headers, body));
    let stored = match state.connect().await {
        Ok(mut conn) => store::idempotency_end(&mut conn, place, answer.as_ref()).await,
        Err(error) => Err(error),
    };
    if let Err(error) = stored {
        // The change is done and must be reported; the key stays taken until it is abandoned.
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "idempotent answer not stored"
        );
    }
    Response::from_parts(parts, HttpBody::from(bytes))
}

/// What is kept of an answer: of a large one that it was given, so that nothing is done twice.
fn bounded(status: StatusCode, headers: BTreeMap<String, String>, body: String) -> Answer {
    if body.len() <= MAX_KEPT_BYTES {
        return Answer {
            status: status.as_u16(),
            headers,
            body,
        };
    }
    let text = "the first request with this Idempotency-Key has ended; its answer was too large to \
                be kept";
    let body = serde_json::json!({
        "error": text, "code": Code::Conflict.as_str(), "status": 409, "details": [],
    });
    Answer {
        status: StatusCode::CONFLICT.as_u16(),
        headers,
        body: body.to_string(),
    }
}

fn replay(answer: Answer) -> Response {
    let Answer {
        status,
        headers,
        body,
    } = answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
    // `axum` says that text is plain; the type of the first answer takes its place.
    response.headers_mut().remove(CONTENT_TYPE);
    restore(&mut response, headers);
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn restore(response: &mut Response, headers: BTreeMap<String, String>) {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_answer_is_kept_as_a_conflict() {
        for (length, status) in [(0, 201), (MAX_KEPT_BYTES, 201), (MAX_KEPT_BYTES + 1, 409)] {
            let headers = BTreeMap::from([("location".to_owned(), "/x".to_owned())]);
            let kept = bounded(StatusCode::CREATED, headers.clone(), "x".repeat(length));
            assert_eq!((kept.status, kept.headers), (status, headers), "{length}");
            assert!(kept.body.len() <= MAX_KEPT_BYTES);
        }
    }

    #[test]
    fn a_key_of_a_stranger_is_of_who_holds_the_invite() {
        let owner = |body: &str| owner_of_stranger(&HeaderMap::new(), body.as_bytes());
        assert!(owner(r#"{"inviteToken":"a"}"#).is_some());
        assert_eq!(
            owner(r#"{"inviteToken":"a","x":1}"#),
            owner(r#"{"inviteToken":"a"}"#)
        );
        assert_ne!(
            owner(r#"{"inviteToken":"a"}"#),
            owner(r#"{"inviteToken":"b"}"#)
        );
        for without in ["", "[]", "{}", r#"{"inviteToken":1}"#] {
            assert_eq!(owner(without), None, "{without}");
        }
    }
}
