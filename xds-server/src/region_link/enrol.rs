//! First contact: a one-time token for a client certificate.

use std::time::Duration;

use requestrocket_proto::region::v1::region_link_client::RegionLinkClient;
use requestrocket_proto::region::v1::{EnrolRequest, EnrolResponse};
use tonic::Request;

use super::{LinkConfig, LinkFailed, connect};
use crate::pki::InvalidPki;
use crate::pki::identity::{CertificateRequest, Identity};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Enrols and keeps the identity; a token that was used is worth nothing afterwards.
pub(super) async fn enrol(config: &LinkConfig) -> Result<Identity, LinkFailed> {
    let token = config.enrolment_token.as_ref().ok_or(LinkFailed::NoToken)?;
    let ca_pem = std::fs::read_to_string(&config.control_plane_ca)
        .map_err(|source| InvalidPki::File(config.control_plane_ca.clone(), source))?;
    let request = CertificateRequest::create(&config.region)?;
    let channel = connect::anonymous(&config.control_plane_url, &ca_pem).await?;
    let mut message = Request::new(EnrolRequest {
        token: token.expose().trim().to_owned(),
        csr_der: request.csr_der.into(),
    });
    message.set_timeout(TIMEOUT);
    let response = RegionLinkClient::new(channel)
        .enrol(message)
        .await?
        .into_inner();
    let EnrolResponse {
        region,
        certificate_pem,
        ca_pem,
    } = response;
    // The token decides for which region the certificate is.
    if region != config.region {
        return Err(LinkFailed::OtherRegion(region));
    }
    let identity = Identity {
        certificate_pem,
        private_key_pem: request.private_key_pem,
        ca_pem,
    };
    identity.store(&config.pki_dir)?;
    tracing::info!(region, "region is enrolled");
    Ok(identity)
}
