//! The one place that decides who may call what on the region link.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tonic::Status;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};

use crate::domain::region::RegionName;
use crate::pki;

/// Path of the only call without a certificate.
const ENROL: &str = "/requestrocket.region.v1.RegionLink/Enrol";

/// The region whose certificate the caller holds; only [`gate`] makes one.
#[derive(Clone, Debug)]
pub(super) struct Peer(RegionName);

impl Peer {
    pub(super) fn region(&self) -> &RegionName {
        &self.0
    }
}

/// Lets a call through with the [`Peer`] it comes from, or to `Enrol` without one.
pub(super) async fn gate(mut request: Request, next: Next) -> Response {
    if request.uri().path() == ENROL {
        return next.run(request).await;
    }
    let Some(region) = region_of(&request) else {
        let refusal = Status::unauthenticated("a region's client certificate is required");
        return refusal.into_http();
    };
    request.extensions_mut().insert(Peer(region));
    next.run(request).await
}

/// The TLS handshake has verified the certificate; here only its name is read.
fn region_of(request: &Request) -> Option<RegionName> {
    let connection = request
        .extensions()
        .get::<TlsConnectInfo<TcpConnectInfo>>()?;
    let certificates = connection.peer_certs()?;
    pki::region_of(certificates.first()?).ok()
}
