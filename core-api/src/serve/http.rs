//! HTTP/1.1 and HTTP/2 for the REST API, with limits that a slow caller meets.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A request's head has to arrive within this; also the longest idle time of a connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// More connections wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
const MAX_STREAMS: u32 = 100;
const MAX_HEAD_BYTES: u32 = 64 * 1024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` until `stopping`, then lets running requests end.
pub(super) async fn serve(listener: TcpListener, app: Router, stopping: CancellationToken) {
    let (server, graceful) = (Arc::new(server()), GracefulShutdown::new());
    let (places, running) = (
        Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        TaskTracker::new(),
    );
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.ok()?;
            Some((accept(&listener).await, place))
        };
        let (connection, place) = tokio::select! {
            next = next => match next {
                Some(next) => next,
                None => break,
            },
            () = stopping.cancelled() => break,
        };
        let service = TowerToHyperService::new(app.clone());
        let (server, watcher, stopping) = (server.clone(), graceful.watcher(), stopping.clone());
        running.spawn(async move {
            if speaks(&connection, &stopping).await {
                let connection = TokioIo::new(connection);
                let connection = server.serve_connection_with_upgrades(connection, service);
                if let Err(error) = watcher.watch(connection.into_owned()).await {
                    tracing::debug!(error = %error, "connection of a caller broke");
                }
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
    running.close();
    running.wait().await;
}

/// The caller has begun to send: the server's own timeout begins only then.
async fn speaks(connection: &TcpStream, stopping: &CancellationToken) -> bool {
    tokio::select! {
        first = tokio::time::timeout(HEAD_TIMEOUT, connection.readable()) => {
            matches!(first, Ok(Ok(())))
        }
        () = stopping.cancelled() => false,
    }
}

fn server() -> Builder<TokioExecutor> {
    let mut server = Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES);
    server
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                // Without it answers wait for the caller's next packet; with an error it is gone.
                if connection.set_nodelay(true).is_ok() {
                    return connection;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error, "connection of a caller cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
