//! Whether the process lives and can serve.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{ApiError, Code};
use crate::state::AppState;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = String)))]
async fn healthz() -> &'static str {
    "ok"
}

/// The process can serve: its store answers.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses((status = 200, body = String), (status = 503, description = "The store is away"))
)]
async fn readyz(State(state): State<AppState>) -> Response {
    let answer = sqlx::query("SELECT newest FROM revision")
        .fetch_one(state.db.pool())
        .await;
    match answer {
        Ok(_) => "ok".into_response(),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "store does not answer"
            );
            ApiError::new(Code::Unavailable, "the store does not answer").into_response()
        }
    }
}
