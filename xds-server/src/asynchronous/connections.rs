//! Connections to the doors of nodes: HTTP/2 over mutual TLS, one for each node, made when it is
//! needed.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use requestrocket_process::tasks::TaskSet;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::pki::Certificate;

/// Until a connection can be used.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A node that vanished without a word is noticed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Heads of answers may be as long as Envoy lets targets make them.
const MAX_HEADER_BYTES: u32 = 128 << 10;

/// What a request is sent by.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConnection {
    /// It takes too long.
    #[error("the node does not answer")]
    Silence,
    /// The machine says no.
    #[error("the node cannot be reached")]
    Io(#[from] std::io::Error),
    /// It is no node's name.
    #[error("the node has no host name")]
    Name(#[from] rustls_pki_types::InvalidDnsNameError),
    /// It does not speak HTTP/2.
    #[error("the node does not speak HTTP/2")]
    Http(#[from] hyper::Error),
}

/// The certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidIdentity {
    /// Its text.
    #[error("certificate or key is no PEM")]
    Pem(#[from] rustls_pki_types::pem::Error),
    /// What it says.
    #[error("certificate or key cannot be used")]
    Tls(#[from] rustls::Error),
}

/// The connections of one process.
pub(super) struct Connections {
    tls: TlsConnector,
    open: Mutex<BTreeMap<Arc<str>, (SocketAddr, Sender)>>,
    tasks: TaskSet,
}

impl Connections {
    /// Shows nodes `own`, and trusts those of the authority.
    pub(super) fn new(
        own: &Certificate,
        authority_pem: &str,
        tasks: TaskSet,
    ) -> Result<Self, InvalidIdentity> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority_pem.as_bytes())?)?;
        let certificate = CertificateDer::from_pem_slice(own.certificate_pem.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes())?;
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            open: Mutex::default(),
            tasks,
        })
    }

    /// A connection to a node that takes deliveries there: the one that is open, or a new one.
    pub(super) async fn to(&self, node: &Arc<str>, at: SocketAddr) -> Result<Sender, NoConnection> {
        let known = self.lock().get(node).cloned();
        if let Some((known_at, mut sender)) = known
            && known_at == at
            && !sender.is_closed()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let made = timeout(CONNECT_TIMEOUT, self.connect(node, at)).await;
        let sender = made.map_err(|_| NoConnection::Silence)??;
        self.lock().insert(Arc::clone(node), (at, sender.clone()));
        Ok(sender)
    }

    /// So that connections to nodes that left do not stay.
    pub(super) fn keep_only(&self, nodes: &[(Arc<str>, SocketAddr)]) {
        self.lock()
            .retain(|node, _| nodes.iter().any(|(kept, _)| kept == node));
    }

    async fn connect(&self, node: &str, at: SocketAddr) -> Result<Sender, NoConnection> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(node.to_owned())?;
        let stream = self.tls.connect(name, stream).await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .max_header_list_size(MAX_HEADER_BYTES)
            .handshake(TokioIo::new(stream))
            .await?;
        let stopping = self.tasks.stopping();
        self.tasks.spawn("connection for deliveries", async move {
            tokio::select! {
                // Whoever sends by it is told of what is wrong.
                _ = connection => {}
                () = stopping.cancelled() => {}
            }
            Ok(())
        });
        Ok(sender)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arc<str>, (SocketAddr, Sender)>> {
        // Every change is whole before its guard is dropped.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connections([redacted])")
    }
}
