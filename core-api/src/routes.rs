//! One file a resource: handlers, their requests and answers, and what the documentation says.

pub mod credentials;
pub mod health;
pub mod proxies;
pub mod regions;
mod shape;
pub mod status;
pub mod targets;

use utoipa_axum::router::OpenApiRouter;

use crate::app::AppState;

/// Routes behind authentication.
pub fn protected() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(credentials::router())
        .merge(regions::router())
        .merge(status::router())
        .merge(targets::router())
        .merge(proxies::router())
}

/// Routes for everybody.
pub fn public() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(health::router())
}
