//! TLS connections to the control plane.

use std::time::Duration;

use http::Uri;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::pki::identity::Identity;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A dead peer is noticed after the two together.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that shows who this region is.
pub(super) async fn attached(
    url: &Uri,
    identity: &Identity,
) -> Result<Channel, tonic::transport::Error> {
    let Identity {
        certificate_pem,
        private_key_pem,
        ca_pem,
    } = identity;
    let own = tonic::transport::Identity::from_pem(certificate_pem, private_key_pem.expose());
    connect(url, tls(url, ca_pem).identity(own)).await
}

/// A connection without a client certificate, for enrolment.
pub(super) async fn anonymous(url: &Uri, ca_pem: &str) -> Result<Channel, tonic::transport::Error> {
    connect(url, tls(url, ca_pem)).await
}

fn tls(url: &Uri, ca_pem: &str) -> ClientTlsConfig {
    // An IPv6 address stands in brackets in a URL, but not in a certificate.
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(ca_pem))
        .domain_name(host)
}

async fn connect(url: &Uri, tls: ClientTlsConfig) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from(url.clone())
        .tls_config(tls)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
        .connect()
        .await
}
