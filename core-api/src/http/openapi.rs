//! The API's description: `/openapi.json`, generated from the routes, and `/docs` made from it: by
//! Swagger UI where the dashboard is built in, else a page without scripts.

mod attached;
mod bounds;
mod common;
mod finish;
mod look;
mod reference;
mod secrets;
mod updates;

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use utoipa::OpenApi;

use crate::error::ErrorBody;
use crate::http::dashboard;
use crate::http::list::Pagination;
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "RequestRocket Core API",
        description = "Manages organisations, credentials, targets and proxies. Every path is also served below `/api`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "RequestRocket")
    ),
    servers((url = "/"), (url = "/api")),
    tags(
        (name = "audit", description = "Who changed what"),
        (name = "billing", description = "What organisations paid and what is left"),
        (name = "credentials", description = "What callers present and targets are given"),
        (name = "filters", description = "What goes from responses"),
        (name = "health", description = "Whether the process lives"),
        (name = "members", description = "People of an organisation, and offers to join it"),
        (name = "meters", description = "What is counted, and what is too much"),
        (name = "notifications", description = "What people are told without asking"),
        (name = "organisations", description = "Organisations and their settings"),
        (name = "proxies", description = "What callers call"),
        (name = "regions", description = "Where calls are served"),
        (name = "requests", description = "What passed, and what was refused"),
        (name = "rules", description = "Which calls may pass"),
        (name = "session", description = "Signing in at browsers, and out"),
        (name = "targets", description = "Where calls go"),
        (name = "telemetry", description = "What calls come to"),
        (name = "users", description = "The user who calls, their password, tokens and sessions"),
        (name = "webhooks", description = "Where organisations are told by messages")
    ),
    components(schemas(ErrorBody, Pagination))
)]
struct Base;

/// The document before any route.
pub fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// Says of every route what none of them says itself.
pub fn complete(document: &mut utoipa::openapi::OpenApi) {
    attached::expand(document);
    common::complete(document);
}

/// `/openapi.json` and `/docs`.
pub fn router(document: &utoipa::openapi::OpenApi) -> Router<AppState> {
    // A document that cannot be written is a defect that the snapshot test shows.
    let value = finish::finish(serde_json::to_value(document).unwrap_or_default());
    let page = reference::page(&value);
    let json = value.to_string();
    let json =
        get(async move || ([(CONTENT_TYPE, "application/json")], json.clone()).into_response());
    let plain = get(async move || {
        // The page has no scripts and loads nothing, so it is not to be able to.
        let policy = "default-src 'none'; style-src 'unsafe-inline'";
        ([(CONTENT_SECURITY_POLICY, policy)], Html(page.clone())).into_response()
    });
    Router::new()
        .route("/openapi.json", json)
        .route("/docs", dashboard::docs().unwrap_or(plain))
}
