//! All routes with everything that stands before them.

use std::any::Any;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use super::authenticate::authenticate;
use super::stranger::{self, Door};
use super::{dashboard, mutate, openapi, routes};
use crate::error::{ApiError, ApiResult, Code};
use crate::state::AppState;

/// All routes, under `/` and under `/api`, and the dashboard under `/app`.
pub fn router(state: AppState) -> Router {
    let (routes, document) = documented(&state).split_for_parts();
    let routes = routes
        .merge(openapi::router(&document))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state);
    Router::new()
        .merge(routes.clone())
        .nest("/api", routes)
        .merge(dashboard::router())
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(panicked))
}

/// The routes with their documentation.
pub fn documented(state: &AppState) -> OpenApiRouter<AppState> {
    let guarded = |routes: OpenApiRouter<AppState>| {
        // A panic ends one request, not the task that carries it.
        let routes = routes.layer(CatchPanicLayer::custom(panicked));
        routes.route_layer(from_fn_with_state(state.clone(), mutate::run))
    };
    let bounded = |routes: OpenApiRouter<AppState>, door| {
        routes.route_layer(from_fn_with_state((state.clone(), door), stranger::bound))
    };
    let protected =
        guarded(routes::protected()).route_layer(from_fn_with_state(state.clone(), authenticate));
    // Outside of authentication, whose refusals it counts.
    let protected = bounded(protected, Door::Protected).route_layer(from_fn(no_store));
    let mut all = OpenApiRouter::with_openapi(openapi::base()).merge(protected);
    let public = bounded(guarded(routes::public()), Door::Public);
    let sign_in = bounded(guarded(routes::sign_in()), Door::SignIn);
    let answers = bounded(guarded(routes::answers()), Door::Answers);
    let answers = answers.route_layer(from_fn(routes::gateway::webhooks::pages));
    all = all.merge(public).merge(sign_in).merge(answers);
    openapi::complete(all.get_openapi_mut());
    all
}

/// Answers are one caller's own: shared caches keep none of them.
async fn no_store(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let private = http::HeaderValue::from_static("private, no-cache");
    headers
        .entry(http::header::CACHE_CONTROL)
        // What shows a secret says `no-store` already.
        .or_insert(private);
    response
}

async fn not_found() -> ApiResult {
    Err(ApiError::not_found())
}

async fn method_not_allowed() -> ApiResult {
    Err(ApiError::new(
        Code::MethodNotAllowed,
        "this path does not have this method",
    ))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no text");
    ApiError::internal(format!("panic: {text}")).into_response()
}
