//! The API's description: `/openapi.json`, generated from the routes, and `/docs` made from it.

mod attached;
mod common;
mod reference;

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use utoipa::OpenApi;

use crate::app::AppState;
use crate::app::list::Pagination;
use crate::error::ErrorBody;

pub use common::complete;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "RequestRocket Core API",
        description = "Manages organisations, credentials, targets and proxies. Every path is also served below `/api`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/"), (url = "/api")),
    components(schemas(ErrorBody, Pagination))
)]
struct Base;

/// The document before any route.
pub fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// `/openapi.json` and `/docs`.
pub fn router(document: &utoipa::openapi::OpenApi) -> Router<AppState> {
    // A document that cannot be written is a defect that the snapshot test shows.
    let value = serde_json::to_value(document).unwrap_or_default();
    let page = reference::page(&value);
    let json = value.to_string();
    let json =
        get(async move || ([(CONTENT_TYPE, "application/json")], json.clone()).into_response());
    let docs = get(async move || {
        let policy = "default-src 'none'; style-src 'unsafe-inline'";
        ([(CONTENT_SECURITY_POLICY, policy)], Html(page.clone())).into_response()
    });
    Router::new()
        .route("/openapi.json", json)
        .route("/docs", docs)
}
