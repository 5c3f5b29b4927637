//! One file a resource: handlers, their requests and answers, and what the documentation says.

pub mod account;
pub mod gateway;
pub mod guard;
pub mod health;
pub mod operations;
pub mod people;
mod shape;

use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

/// Routes behind authentication.
pub fn protected() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(gateway::credentials::router())
        .merge(people::invites::router())
        .merge(people::members::router())
        .merge(people::organisations::router())
        .merge(gateway::regions::router())
        .merge(people::own_invites::router())
        .merge(people::session::router())
        .merge(people::sessions::router())
        .merge(people::password::router())
        .merge(people::tokens::router())
        .merge(people::users::router())
        .merge(gateway::status::router())
        .merge(gateway::targets::router())
        .merge(gateway::proxies::router())
        .merge(guard::rules::router())
        .merge(guard::filters::router())
        .merge(guard::meters::router())
        .merge(guard::meters::usage::router())
        .merge(guard::evaluate::router())
        .merge(guard::preview::router())
        .merge(guard::rehearse::router())
        .merge(operations::requests::router())
        .merge(operations::telemetry::router())
        .merge(operations::usage::router())
        .merge(account::audit::router())
        .merge(account::billing::router())
        .merge(account::notifications::router())
        .merge(account::preferences::router())
        .merge(account::webhooks::router())
}

/// Routes for everybody.
pub fn public() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(health::router())
        .merge(people::invites::public_router())
        .merge(people::oidc::public_router())
}

/// Routes at which people sign in.
pub fn sign_in() -> OpenApiRouter<AppState> {
    people::session::public_router()
}

/// Routes for everybody that a request of any method may use up something of.
pub fn answers() -> OpenApiRouter<AppState> {
    gateway::webhooks::router().merge(people::oidc::answers_router())
}
