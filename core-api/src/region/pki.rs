//! The control plane's own certificate authority: it vouches for the region link's server and for
//! the regions that enrolled.
//!
//! Invariant: what a region's certificate says is decided here; of its signing request only the
//! key is used.

use std::path::Path;

use requestrocket_process::authority::{self, Files, Subject, Usage};
pub use requestrocket_process::authority::{AuthorityFailed, Identity};
use rustls_pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use x509_parser::extensions::GeneralName;

use crate::domain::gateway::region::RegionName;
use crate::identity::token::digest;

/// What follows a region's name in its certificate.
const REGION_SUFFIX: &str = ".region.requestrocket";
/// Regions that are not heard of for years must still be able to come back.
const LIFE: Duration = Duration::days(20 * 365);
const FILES: Files = Files {
    certificate: "ca.pem",
    key: "ca.key",
};

/// The authority, with its key.
#[derive(Debug)]
pub struct Authority(authority::Authority);

/// A certificate of a region, as it is sent and as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub pem: String,
    /// What [`digest_of`] gives for it.
    pub digest: String,
}

/// A peer's certificate names no region.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate names no region")]
pub struct NoRegion;

impl Authority {
    /// The authority in `folder`, or a new one.
    ///
    /// # Errors
    /// Files that cannot be read, written or used; one of the two is missing.
    pub fn load_or_create(folder: &Path, now: OffsetDateTime) -> Result<Self, AuthorityFailed> {
        let name = "RequestRocket control plane";
        authority::Authority::load_or_create(folder, FILES, name, now).map(Self)
    }

    /// What regions trust, PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        self.0.certificate_pem()
    }

    /// An identity for the region link's server under `names`.
    ///
    /// # Errors
    /// A name that a certificate cannot hold.
    pub fn issue_server(
        &self,
        names: &[String],
        now: OffsetDateTime,
    ) -> Result<Identity, AuthorityFailed> {
        let subject = Subject {
            name: "RequestRocket region link",
            hosts: names,
            usages: &[Usage::ServerAuth],
            life: LIFE,
        };
        self.0.issue(&subject, now)
    }

    /// A certificate for the key of a signing request (DER): it says that its holder is `region`,
    /// whatever the request says.
    ///
    /// # Errors
    /// Not a signing request.
    pub fn issue_region(
        &self,
        region: &RegionName,
        csr_der: &[u8],
        now: OffsetDateTime,
    ) -> Result<Issued, AuthorityFailed> {
        let name = format!("{region}{REGION_SUFFIX}");
        let subject = Subject {
            name: &name,
            hosts: std::slice::from_ref(&name),
            usages: &[Usage::ClientAuth],
            life: LIFE,
        };
        let certificate = self.0.sign(csr_der, &subject, now)?;
        Ok(Issued {
            digest: digest_of(certificate.der()),
            pem: certificate.pem(),
        })
    }
}

/// The region that a verified client certificate names.
///
/// # Errors
/// Its names are anything but one DNS name of a region.
pub fn region_of(certificate: &CertificateDer<'_>) -> Result<RegionName, NoRegion> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|_| NoRegion)?;
    let names = parsed
        .subject_alternative_name()
        .ok()
        .flatten()
        .ok_or(NoRegion)?;
    let [GeneralName::DNSName(name)] = names.value.general_names.as_slice() else {
        return Err(NoRegion);
    };
    name.strip_suffix(REGION_SUFFIX)
        .and_then(|region| region.parse().ok())
        .ok_or(NoRegion)
}

/// Tells certificates apart: SHA-256 in hexadecimal.
#[must_use]
pub fn digest_of(certificate: &CertificateDer<'_>) -> String {
    digest(certificate)
}

#[cfg(test)]
mod tests;
