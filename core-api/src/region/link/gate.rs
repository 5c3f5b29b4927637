//! The one place that decides who may call what on the region link.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tonic::Status;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};

use crate::domain::gateway::region::RegionName;
use crate::region::pki;

/// Path of the only call without a certificate.
const ENROL: &str = "/requestrocket.region.v1.RegionLink/Enrol";

/// The region whose certificate the caller holds; only [`gate`] makes one.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    region: RegionName,
    identity_digest: String,
}

impl Peer {
    pub(super) fn region(&self) -> &RegionName {
        &self.region
    }

    /// Which of the region's certificates it is.
    pub(super) fn identity_digest(&self) -> &str {
        &self.identity_digest
    }
}

/// Lets a call through with the [`Peer`] it comes from, or to `Enrol` without one.
pub(super) async fn gate(mut request: Request, next: Next) -> Response {
    if request.uri().path() == ENROL {
        return next.run(request).await;
    }
    let Some(peer) = peer_of(&request) else {
        let refusal = Status::unauthenticated("a region's client certificate is required");
        return refusal.into_http();
    };
    request.extensions_mut().insert(peer);
    next.run(request).await
}

/// The TLS handshake has verified the certificate; here only its name is read.
fn peer_of(request: &Request) -> Option<Peer> {
    let connection = request
        .extensions()
        .get::<TlsConnectInfo<TcpConnectInfo>>()?;
    let certificates = connection.peer_certs()?;
    let certificate = certificates.first()?;
    let region = pki::region_of(certificate).ok()?;
    Some(Peer {
        region,
        identity_digest: pki::digest_of(certificate),
    })
}
