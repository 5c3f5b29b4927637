//! A target API to try things on: echoes, statuses, delays, streams, uploads, WebSocket, trailers.
//!
//! It speaks HTTP/1.1 and cleartext HTTP/2 and checks no credential.

mod echo;
mod stream;
mod upload;
mod web_socket;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::routing::any;
use tokio::net::TcpListener;

use crate::demo::Ready;
use crate::files::write_json;

const LONGEST_DELAY: Duration = Duration::from_mins(10);

/// Options of `demo-target`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Written once it listens: `{"url": …}`.
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

/// Serves until the process is ended.
///
/// # Errors
/// The address cannot be had.
pub async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let listen = arguments.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let url = format!("http://{}", listener.local_addr()?);
    match &arguments.ready_file {
        Some(path) => write_json(path, &Ready { url })?,
        None => eprintln!("the demo target listens on {url}"),
    }
    axum::serve(listener, router()).await?;
    Ok(())
}

fn router() -> Router {
    Router::new()
        .route("/anything", any(echo::anything))
        .route("/anything/{*rest}", any(echo::anything))
        .route("/status/{status}", any(status))
        .route("/delay/{seconds}", any(delay))
        .route("/bytes/{length}", any(stream::bytes))
        .route("/sse", any(stream::sse))
        .route("/ndjson", any(stream::ndjson))
        .route("/trailers", any(stream::trailers))
        .route("/upload", any(upload::upload))
        .route("/ws", any(web_socket::echo))
        .fallback(echo::index)
}

async fn status(Path(status): Path<u16>) -> Result<StatusCode, StatusCode> {
    StatusCode::from_u16(status).map_err(|_| StatusCode::BAD_REQUEST)
}

/// Echoes after a while.
async fn delay(Path(seconds): Path<f64>, request: Request) -> Result<echo::Echo, StatusCode> {
    let wait = Duration::try_from_secs_f64(seconds).map_err(|_| StatusCode::BAD_REQUEST)?;
    tokio::time::sleep(wait.min(LONGEST_DELAY)).await;
    echo::anything(request).await
}

#[cfg(test)]
mod tests;
