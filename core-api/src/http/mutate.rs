//! What every request that may change something goes through: the body is read to its end, then
//! the work runs to its end, also when the caller hangs up.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, Method};
use tokio::sync::oneshot;

use super::body::read_all;
use super::idempotency::{self, Gate};
use crate::error::{ApiError, ApiResult};
use crate::identity::caller::Caller;
use crate::state::AppState;
use crate::store::idempotency::Place;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The middleware. It stands behind authentication, which leaves the caller in the request.
pub async fn run(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        return next.run(request).await;
    }
    match buffered(state, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn buffered(state: AppState, request: Request, next: Next) -> ApiResult {
    let key = key(&request)?;
    let (parts, body) = request.into_parts();
    let bytes = read_all(&parts.headers, body).await?;
    let place = key.and_then(|key| place(&parts, key, &bytes));
    let request = Request::from_parts(parts, Body::from(bytes.clone()));
    let (sender, receiver) = oneshot::channel();
    let tasks = state.tasks.clone();
    tasks.spawn("request", async move {
        let answer = match place {
            None => Ok(next.run(request).await),
            Some(place) => match idempotency::enter(&state, &place, &bytes).await {
                Ok(Gate::Answered(response)) => Ok(response),
                Ok(Gate::First) => {
                    let response = next.run(request).await;
                    Ok(idempotency::keep(&state, &place, response).await)
                }
                Err(error) => Err(error),
            },
        };
        // Nobody listens any more when the caller hung up.
        let _ = sender.send(answer);
        Ok(())
    });
    receiver.await.map_err(ApiError::internal)?
}

fn key(request: &Request) -> ApiResult<Option<String>> {
    if *request.method() != Method::POST {
        return Ok(None);
    }
    let lines = request.headers().get_all(IDEMPOTENCY_KEY);
    idempotency::parse_key(lines.iter())
}

/// Where the answer to this request is kept, if it may have a key.
fn place(parts: &Parts, key: String, body: &[u8]) -> Option<Place> {
    let owner = match parts.extensions.get::<Caller>() {
        Some(Caller::User { id, .. }) => id.to_string(),
        Some(Caller::Operator) => "operator".to_owned(),
        None => idempotency::owner_of_stranger(&parts.headers, body)?,
    };
    // Below `/api` this is the path without that prefix, so both spellings share a key.
    Some(Place {
        owner,
        path: parts.uri.path().to_owned(),
        key,
    })
}
