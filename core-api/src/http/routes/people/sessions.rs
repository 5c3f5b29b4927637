//! `/users/me/sessions`: where the caller is signed in.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::id::SessionId;
use crate::domain::people::browser_session::BrowserSession;
use crate::error::ApiResult;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::service::people::sign_in;
use crate::state::AppState;
use crate::store::people::browser_session::{browser_session_list, browser_session_sweep};

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_sessions))
        .routes(routes!(end_session))
}

/// A session at a browser, without the value of its cookie.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BrowserSessionResource {
    session_id: Uuid,
    /// It is the one that asks.
    is_current: bool,
    /// What the browser says it is.
    user_agent: Option<String>,
    /// From where it was last used.
    last_used_address: String,
    /// To the minute.
    last_used_at: String,
    /// When it ends unless it is used before.
    expires_at: String,
    created_at: String,
}

impl BrowserSessionResource {
    fn new(session: &BrowserSession, current: Option<SessionId>) -> Self {
        Self {
            session_id: session.id.uuid(),
            is_current: Some(session.id) == current,
            user_agent: session.visitor.user_agent.clone(),
            last_used_address: session.visitor.address.to_string(),
            last_used_at: session.last_used_at.to_string(),
            expires_at: session.ends_at().to_string(),
            created_at: session.created_at.to_string(),
        }
    }
}

/// Where the caller is signed in; `search` looks in what browsers say they are.
#[utoipa::path(
    get,
    path = "/users/me/sessions",
    tag = "users",
    params(ListParams),
    responses((status = 200, body = Listed<BrowserSessionResource>))
)]
async fn list_sessions(call: Read, query: RawQuery) -> ApiResult {
    let user = call.caller.user()?;
    let query = query.list(Filters::default())?;
    let mut conn = call.state.connect().await?;
    // The list counts what there is, so what has ended goes first.
    browser_session_sweep(&mut conn, call.state.now()).await?;
    let page = browser_session_list(&mut conn, user, &query).await?;
    let current = call.caller.session().ok();
    Ok(list::answer(&query, page, |session| {
        BrowserSessionResource::new(&session, current)
    }))
}

/// Ends a session, which may be the one that asks.
#[utoipa::path(
    delete,
    path = "/users/me/sessions/{sessionId}",
    tag = "users",
    params(("sessionId" = Uuid, Path, description = "The session")),
    responses((status = 204))
)]
async fn end_session(call: Mutation, InPath(session): InPath<String>) -> ApiResult<Response> {
    let done = sign_in::end(&call.change, &session).await?;
    Ok(call.deleted(&done).await)
}
