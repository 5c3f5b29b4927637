//! The gRPC server for nodes: mutual TLS, limits, and the end with the process.

use std::fmt;
use std::io;
use std::time::Duration;

use anyhow::Context as _;
use envoy_types::pb::envoy::service::accesslog::v3::access_log_service_server::AccessLogServiceServer;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryServiceServer;
use futures::{Stream, StreamExt as _};
use requestrocket_policy::jose::MAX_TOKEN_BYTES;
use requestrocket_proto::access::v1::access_check_server::AccessCheckServer;
use requestrocket_proto::keys::v1::key_renewal_server::KeyRenewalServer;
use requestrocket_proto::meter::v1::meter_sync_server::MeterSyncServer;
use requestrocket_proto::usage::v1::usage_ledger_server::UsageLedgerServer;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::service::{InterceptorLayer, Routes};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use super::{identity, metrics};
use crate::access::AccessChecks;
use crate::access_log::AccessLogs;
use crate::asynchronous::Arrivals;
use crate::keys::KeyRenewals;
use crate::notices::WatchedMeters;
use crate::usage::Usage;
use crate::xds::ads::Ads;

/// Largest request: a node that reconnects names everything it holds, some 100 bytes each.
const MAX_REQUEST_BYTES: usize = 16 << 20;
/// Largest count of what was counted: some 60 bytes a report.
const MAX_METER_REQUEST_BYTES: usize = 1 << 20;
/// Largest question about callers: some 40 bytes each.
const MAX_ACCESS_REQUEST_BYTES: usize = 64 << 10;
/// Largest message about calls: what a worker kept while nobody took it (`translate::listener`).
const MAX_LOG_MESSAGE_BYTES: usize = 64 << 20;
/// Largest question about keys and tokens: a token.
const MAX_KEYS_REQUEST_BYTES: usize = MAX_TOKEN_BYTES + (1 << 10);
/// Largest message about usage: some 90 bytes a count.
const MAX_USAGE_REQUEST_BYTES: usize = 1 << 20;
/// Of the head of a call that is handed over.
const MAX_HEADER_BYTES: u32 = 192 << 10;
/// Streams of one connection: one for resources, and one for each question of a filter.
const MAX_STREAMS: u32 = 1_024;
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// At the end of the process a handshake that has begun may go so far: the node may send records as
/// soon as it takes it for done, and nobody would read them.
const LAST_HANDSHAKES: Duration = Duration::from_millis(500);

/// What the server shows, and whose clients it lets in; all PEM.
pub struct Tls {
    /// Certificate of this server.
    pub certificate_pem: String,
    /// Its private key.
    pub key_pem: String,
    /// The authority that signs the certificates of this region's nodes.
    pub node_ca_pem: String,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls([redacted])")
    }
}

/// What nodes are served; every service is behind the same interceptor.
#[derive(Debug)]
pub struct Services {
    /// Resources.
    pub ads: Ads,
    /// Counts.
    pub meters: WatchedMeters,
    /// Whose open calls may go on.
    pub access: AccessChecks,
    /// Calls that are over.
    pub access_logs: AccessLogs,
    /// Newer keys of issuers.
    pub keys: KeyRenewals,
    /// What was let through.
    pub usage: Usage,
    /// Calls that the region server answers.
    pub arrivals: Arrivals,
}

/// Serves nodes on `listener` until `stopping`.
pub async fn serve(
    listener: TcpListener,
    tls: Tls,
    services: Services,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    metrics::describe();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(tls.certificate_pem, tls.key_pem))
        .client_ca_root(Certificate::from_pem(tls.node_ca_pem))
        .timeout(HANDSHAKE_TIMEOUT);
    let Services {
        ads,
        meters,
        access,
        access_logs,
        keys,
        usage,
        arrivals,
    } = services;
    let ads = AggregatedDiscoveryServiceServer::new(ads)
        .max_decoding_message_size(MAX_REQUEST_BYTES)
        .max_encoding_message_size(usize::MAX);
    let meters = MeterSyncServer::new(meters).max_decoding_message_size(MAX_METER_REQUEST_BYTES);
    let access = AccessCheckServer::new(access).max_decoding_message_size(MAX_ACCESS_REQUEST_BYTES);
    let access_logs =
        AccessLogServiceServer::new(access_logs).max_decoding_message_size(MAX_LOG_MESSAGE_BYTES);
    let keys = KeyRenewalServer::new(keys).max_decoding_message_size(MAX_KEYS_REQUEST_BYTES);
    let usage = UsageLedgerServer::new(usage).max_decoding_message_size(MAX_USAGE_REQUEST_BYTES);
    Server::builder()
        .tls_config(tls)
        .context("ADS certificates cannot be used")?
        // A host that vanished says no goodbye, and its streams would stay.
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(MAX_STREAMS)
        // What a caller may send, and what the filter says of it.
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .layer(InterceptorLayer::new(identity::require_certificate))
        .add_routes(Routes::from(arrivals.router()))
        .add_service(ads)
        .add_service(meters)
        .add_service(access)
        .add_service(access_logs)
        .add_service(keys)
        .add_service(usage)
        .serve_with_incoming_shutdown(connections(listener, &stopping), last_handshakes(&stopping))
        .await
        .context("ADS server failed")
}

async fn last_handshakes(stopping: &CancellationToken) {
    stopping.cancelled().await;
    tokio::time::sleep(LAST_HANDSHAKES).await;
}

/// Accepted until `stopping`; then nobody listens any more.
///
/// A change is a few small messages, each of which would wait for the acknowledgement of the one
/// before, which the other side delays by 40 ms. The server's own setting is for listeners that it
/// opens itself.
fn connections(
    listener: TcpListener,
    stopping: &CancellationToken,
) -> impl Stream<Item = io::Result<TcpStream>> + use<> {
    let accepted = TcpIncoming::from(listener).with_nodelay(Some(true));
    let until = accepted.take_until(stopping.clone().cancelled_owned());
    // An end would end handshakes, too.
    until.chain(futures::stream::pending())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_sends_what_it_has_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _node = TcpStream::connect(address).await.unwrap();
        let stopping = CancellationToken::new();
        let accepted = std::pin::pin!(connections(listener, &stopping))
            .next()
            .await;
        assert!(accepted.unwrap().unwrap().nodelay().unwrap());
    }
}
