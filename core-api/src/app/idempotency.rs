//! `Idempotency-Key`: a POST that is sent twice happens once.
//!
//! The key is kept for 24 hours per caller and path. The stored answer never holds a secret.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};

use super::AppState;
use crate::auth::token::digest;
use crate::error::{ApiError, ApiResult, Code};
use crate::store::idempotency::{self as store, Answer, Begun, Place};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Headers that a replay repeats.
const KEPT_HEADERS: [HeaderName; 4] = [
    CONTENT_TYPE,
    ETAG,
    LOCATION,
    HeaderName::from_static("requestrocket-config-version"),
];
const KEPT_FOR: Duration = Duration::from_hours(24);
/// A first request that has not ended by then died with its process.
const ABANDONED_AFTER: Duration = Duration::from_mins(2);

/// Extension of an answer that holds a secret: what a replay says in its place.
#[derive(Clone, Debug)]
pub struct ReplayBody(pub String);

/// Checks the key's form.
///
/// # Errors
/// Not 1 to 255 visible ASCII characters, or more than one.
pub fn parse_key<'a>(
    mut lines: impl Iterator<Item = &'a HeaderValue>,
) -> ApiResult<Option<String>> {
    let invalid = || {
        ApiError::invalid(
            "Idempotency-Key",
            "must be 1 to 255 visible ASCII characters",
        )
    };
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => {
            let text = only.to_str().map_err(|_| invalid())?;
            let is_legal =
                (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
            if is_legal {
                Ok(Some(text.to_owned()))
            } else {
                Err(invalid())
            }
        }
        (Some(_), Some(_)) => Err(invalid()),
    }
}

/// What to do with a POST that carries a key.
#[derive(Debug)]
pub enum Gate {
    /// Run it; hand the answer to [`keep`].
    First,
    /// Answer this.
    Answered(Response),
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
    let body_digest = digest(body);
    let mut conn = state.connect().await?;
    match store::idempotency_begin(&mut conn, place, &body_digest, horizon).await? {
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
        && parts.status != StatusCode::UNAUTHORIZED;
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
    let answer = is_kept.then(|| Answer {
        status: parts.status.as_u16(),
        headers,
        body,
    });
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

fn replay(answer: Answer) -> Response {
    let Answer {
        status,
        headers,
        body,
    } = answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
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
