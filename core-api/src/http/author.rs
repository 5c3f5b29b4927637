//! From where a request comes, for the audit log.

use axum::extract::FromRequestParts;
use http::header::USER_AGENT;
use http::request::Parts;
use uuid::Uuid;

use super::stranger::peer;
use crate::domain::account::audit::Origin;
use crate::error::ApiError;
use crate::state::AppState;

/// Extension of a request: what its answer is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub Uuid);

impl FromRequestParts<AppState> for Origin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(of(state, parts))
    }
}

/// From where the request with this head comes.
pub fn of(state: &AppState, parts: &Parts) -> Origin {
    let id = parts.extensions.get::<RequestId>();
    let user_agent = parts.headers.get(USER_AGENT);
    Origin {
        address: Some(peer(state, &parts.extensions, &parts.headers)),
        user_agent: None,
        request_id: id.map(|RequestId(id)| *id),
    }
    // What is no text names nothing.
    .using(user_agent.and_then(|value| value.to_str().ok()))
}
