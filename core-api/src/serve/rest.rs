//! HTTP for the REST API, with limits that a slow caller meets.

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
use tower_http::add_extension::AddExtension;

use crate::http::stranger::Peer;

/// For how long callers are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// A request's head has to arrive within this; also the longest idle time of a connection.
    pub(super) head: Duration,
    /// What is not taken of answers so long after the end began is cut.
    pub(super) end: Duration,
}

pub(super) const PATIENCE: Patience = Patience {
    head: Duration::from_secs(30),
    end: Duration::from_secs(20),
};
/// More connections wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` until `stopping`, then lets running requests end.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    stopping: CancellationToken,
    patience: Patience,
) {
    let (server, graceful) = (Arc::new(server(patience.head)), GracefulShutdown::new());
    let cut = CancellationToken::new();
    let (places, running) = (
        Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        TaskTracker::new(),
    );
    loop {
        let next = async {
            // In this order: who gets no place stays in the kernel's queue.
            let place = places.clone().acquire_owned().await.ok()?;
            Some((accept(&listener).await, place))
        };
        let ((connection, peer), place) = tokio::select! {
            next = next => match next {
                Some(next) => next,
                None => break,
            },
            () = stopping.cancelled() => break,
        };
        let service = TowerToHyperService::new(AddExtension::new(app.clone(), peer));
        let (server, watcher, cut) = (server.clone(), graceful.watcher(), cut.clone());
        running.spawn(async move {
            let connection = server.serve_connection(TokioIo::new(connection), service);
            tokio::select! {
                done = watcher.watch(connection.into_owned()) => if let Err(error) = done {
                    tracing::debug!(error = %error, "connection of a caller broke");
                },
                () = cut.cancelled() => tracing::debug!("an answer that nobody took was cut"),
            }
            drop(place);
        });
    }
    // Else the kernel would go on taking connections that nobody serves.
    drop(listener);
    let _ = tokio::time::timeout(patience.end, graceful.shutdown()).await;
    cut.cancel();
    running.close();
    running.wait().await;
}

/// HTTP/1.1 only: looking for HTTP/2 has no timeout, and what stands in front speaks HTTP/1.1.
fn server(head_timeout: Duration) -> Builder<TokioExecutor> {
    let mut server = Builder::new(TokioExecutor::new()).http1_only();
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout);
    server
}

async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((connection, peer)) => {
                // Without it answers wait for the caller's next packet; with an error it is gone.
                if connection.set_nodelay(true).is_ok() {
                    return (connection, Peer(peer.ip()));
                }
            }
            Err(error) => {
                tracing::warn!(error = %error, "connection of a caller cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SHORT: Patience = Patience {
        head: Duration::from_millis(200),
        end: Duration::from_millis(200),
    };
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    /// All that the server says to `bytes` until it closes; the caller never does.
    async fn said(address: std::net::SocketAddr, bytes: &[u8]) -> String {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(bytes).await.unwrap();
        let mut said = Vec::new();
        let _ = connection.read_to_end(&mut said).await;
        String::from_utf8(said).unwrap()
    }

    #[tokio::test]
    async fn a_caller_who_falls_silent_is_let_go_and_others_are_served() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", get(async || "hello"));
        let stopping = CancellationToken::new();
        let server = serve(listener, app, stopping.clone(), SHORT);
        let callers = async {
            for silent in [
                &b""[..],
                b"G",
                b"PRI * HTTP",
                b"GET / HTTP/1.1\r\nHost:",
                b"\r\n",
            ] {
                let answer = said(address, silent).await;
                assert!(!answer.contains("200 OK"), "{answer}");
            }
            let answer = said(address, REQUEST).await;
            assert!(
                answer.contains("200 OK") && answer.ends_with("hello"),
                "{answer}"
            );
            let twice = said(address, &[REQUEST, REQUEST].concat()).await;
            assert_eq!(twice.matches("200 OK").count(), 2);
            stopping.cancel();
        };
        let ((), ()) = tokio::join!(server, callers);
    }

    #[tokio::test]
    async fn a_caller_who_takes_no_answer_keeps_no_process() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let endless = || futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0; 1 << 16]));
        let app = Router::new().route("/", get(async move || Body::from_stream(endless())));
        let stopping = CancellationToken::new();
        let server = serve(listener, app, stopping.clone(), SHORT);
        let caller = async {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(REQUEST).await.unwrap();
            connection.read_u8().await.unwrap();
            stopping.cancel();
            connection
        };
        let ((), _unread) = tokio::join!(server, caller);
    }
}
