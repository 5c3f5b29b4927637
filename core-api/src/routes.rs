//! One file a resource: handlers, their requests and answers, and what the documentation says.

pub mod health;

use utoipa_axum::router::OpenApiRouter;

use crate::app::AppState;

/// Routes behind authentication.
pub fn protected() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
}

/// Routes for everybody.
pub fn public() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(health::router())
}
