//! Health, readiness and metrics for operators; nothing of the data plane.

use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod tests;

/// The exporter forgets old samples only when it is told to.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// What the endpoints tell of.
#[derive(Clone, Debug)]
pub struct Health {
    /// Envoys are served from the stored state.
    pub is_ready: watch::Receiver<bool>,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
}

#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
}

/// Serves `health` on `listener` until `stopping`.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    health: Health,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    let upkeep = upkeep(health.metrics.clone());
    let server = axum::serve(listener, router(health))
        .with_graceful_shutdown(async move { stopping.cancelled().await });
    tokio::select! {
        ended = server => ended.context("health endpoints failed"),
        never = upkeep => match never {},
    }
}

fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn upkeep(metrics: PrometheusHandle) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(UPKEEP_INTERVAL).await;
        metrics.run_upkeep();
    }
}

async fn healthz() -> &'static str {
    "ok"
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    let ready = *health.is_ready.borrow();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready }))
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    (
        [(header::CONTENT_TYPE, content_type)],
        health.metrics.render(),
    )
}
