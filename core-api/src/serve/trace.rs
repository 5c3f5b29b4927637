//! What every request leaves behind: one log line and two metrics.
//!
//! Invariant: labels come from closed sets; no query, header or body is logged, and of a path only
//! the route that it matched.

use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::http::author::RequestId;

const REQUEST_ID: HeaderName = HeaderName::from_static("requestrocket-request-id");
const REQUESTS: &str = "rr_core_requests_total";
const DURATION: &str = "rr_core_request_duration_seconds";
const BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// Begins to count.
///
/// # Errors
/// Counting began before.
pub(super) fn install_metrics() -> anyhow::Result<PrometheusHandle> {
    let durations = Matcher::Full(DURATION.to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(durations, &BUCKETS)?;
    let metrics = builder
        .install_recorder()
        .context("metrics cannot be started")?;
    metrics::describe_counter!(REQUESTS, "Requests to the Core API");
    metrics::describe_histogram!(
        DURATION,
        metrics::Unit::Seconds,
        "Time until the answer's head"
    );
    Ok(metrics)
}

/// `app` with `/metrics`, a log line per request and its metrics.
pub(super) fn layered(app: Router, metrics: PrometheusHandle) -> Router {
    let scrape = get(async move || {
        metrics.run_upkeep();
        metrics.render()
    });
    let app = app.layer(middleware::from_fn(trace));
    Router::new()
        .route("/metrics", scrape)
        .fallback_service(app)
}

async fn trace(mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = Uuid::new_v4();
    request.extensions_mut().insert(RequestId(id));
    let method = known_method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!("request", request_id = %id, method);
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let route = route.as_ref().map(MatchedPath::as_str);
    let (status, duration) = (response.status(), began.elapsed());
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::info!(
            route,
            status = status.as_u16(),
            duration_ms = ms,
            "request answered"
        );
    });
    count(method, status, duration);
    response
}

fn count(method: &'static str, status: StatusCode, duration: Duration) {
    let class = match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    metrics::counter!(REQUESTS, "method" => method, "status" => class).increment(1);
    metrics::histogram!(DURATION, "method" => method).record(duration);
}

/// A caller can invent methods; the label cannot.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
