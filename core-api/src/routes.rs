//! One file a resource: handlers, their requests and answers, and what the documentation says.

mod attachments;
mod conditions;
pub mod credentials;
pub mod evaluate;
pub mod filters;
pub mod health;
pub mod invites;
pub mod members;
pub mod meters;
pub mod organisations;
pub mod preview;
pub mod proxies;
pub mod regions;
pub mod rules;
mod sample;
mod shape;
pub mod status;
pub mod targets;
pub mod tokens;
pub mod users;

use utoipa_axum::router::OpenApiRouter;

use crate::app::AppState;

/// Routes behind authentication.
pub fn protected() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(credentials::router())
        .merge(invites::router())
        .merge(members::router())
        .merge(organisations::router())
        .merge(regions::router())
        .merge(tokens::router())
        .merge(users::router())
        .merge(status::router())
        .merge(targets::router())
        .merge(proxies::router())
        .merge(rules::router())
        .merge(filters::router())
        .merge(meters::router())
        .merge(evaluate::router())
        .merge(preview::router())
}

/// Routes for everybody.
pub fn public() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(health::router())
        .merge(invites::public_router())
}
