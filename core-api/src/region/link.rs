//! The region link: regions dial in over mTLS, are told what changed and say what they have.
//!
//! Invariant: every call but `Enrol` comes from a region whose certificate we signed, and a region
//! is told of its own records only ([`gate`] is the one place that lets calls in).

mod attach;
mod enrol;
mod feed;
mod gate;
mod hello;
mod inquiry;
mod links;
mod message;
mod notices;
mod reports;
mod service;
mod slot_failures;
mod target_checks;

use std::time::Duration;

use axum::middleware;
use futures::{Stream, stream};
use requestrocket_process::clock::Clock;
use requestrocket_process::db::Db;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::region_link_server::RegionLinkServer;
use tokio::net::{TcpListener, TcpStream};
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use self::service::LinkService;
use crate::region::fleet::Fleets;
use crate::region::pki::{self, Authority};

pub use self::enrol::{ENROLMENT_LIFE, issue_token};

/// A dead peer is noticed after this and [`PING_TIMEOUT`].
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Out of file descriptors and the like: try again, but not at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// One link needs one; the rest is for enrolment.
const MAX_STREAMS: u32 = 16;

/// What the region link works with.
#[derive(Debug)]
pub struct RegionLink {
    /// The control-plane store.
    pub db: Db,
    /// Where links and routes meet.
    pub fleets: Fleets,
    /// Signs certificates of regions.
    pub authority: Authority,
    /// Now.
    pub clock: Clock,
    /// Runs the links.
    pub tasks: TaskSet,
}

impl RegionLink {
    /// Serves on `listener` until the process stops.
    ///
    /// # Errors
    /// The identity is unusable.
    pub async fn serve(
        self,
        listener: TcpListener,
        identity: &pki::Identity,
    ) -> Result<(), tonic::transport::Error> {
        let tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(
                &identity.certificate_pem,
                identity.key_pem.as_bytes(),
            ))
            .client_ca_root(Certificate::from_pem(self.authority.certificate_pem()))
            // Who enrols has none yet; of all others the gate asks for it.
            .client_auth_optional(true)
            .timeout(HANDSHAKE_TIMEOUT);
        let stopping = self.tasks.stopping();
        Server::builder()
            .tls_config(tls)?
            .http2_keepalive_interval(Some(PING_INTERVAL))
            .http2_keepalive_timeout(Some(PING_TIMEOUT))
            .max_concurrent_streams(MAX_STREAMS)
            .add_routes(routes(LinkService::new(self)))
            .serve_with_incoming_shutdown(connections(listener), stopping.cancelled())
            .await
    }
}

/// Every service of the port, behind the gate.
fn routes(service: LinkService) -> Routes {
    let router = Routes::new(RegionLinkServer::new(service)).into_axum_router();
    Routes::from(router.layer(middleware::from_fn(gate::gate)))
}

/// Connections, for ever: an accept that fails does not end the server.
fn connections(listener: TcpListener) -> impl Stream<Item = std::io::Result<TcpStream>> {
    stream::unfold(listener, |listener| async move {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => {
                    // Else a small message waits for the delayed acknowledgement of another.
                    let ready = connection.set_nodelay(true).map(|()| connection);
                    if ready.is_ok() {
                        return Some((ready, listener));
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "connection of a region cannot be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

/// The store's error goes to the log; the region only hears that it should come back.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn unavailable(error: sqlx::Error) -> Status {
    let error: &(dyn std::error::Error + 'static) = &error;
    tracing::error!(error, "store does not answer the region link");
    Status::unavailable("the control plane's store does not answer")
}

#[cfg(test)]
mod tests;
