//! The control plane's own certificate authority: it vouches for the region link's server and for
//! the regions that enrolled.
//!
//! Invariant: what a region's certificate says is decided here; of its signing request only the
//! key is used.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use requestrocket_process::file;
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer};
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use zeroize::Zeroizing;

use crate::domain::gateway::region::RegionName;
use crate::identity::token::digest;

/// What follows a region's name in its certificate.
const REGION_SUFFIX: &str = ".region.requestrocket";

/// A clock of the other side may be this far behind ours.
const CLOCK_SKEW: Duration = Duration::from_hours(24);

/// Nothing renews a certificate in place, so they live as long as an installation.
const LIFE: Duration = Duration::from_hours(20 * 365 * 24);

/// The certificate authority, ready to sign.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

/// A certificate with its key, PEM.
pub struct Identity {
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key.
    pub key_pem: Zeroizing<String>,
}

/// A region's client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub pem: String,
    /// What [`digest_of`] gives for it.
    pub digest: String,
}

/// The authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PkiFailed {
    /// A file of the `pki` folder cannot be read or written.
    #[error("`{path}` cannot be read or written")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Only one of certificate and key is there: neither can be made anew without the other.
    #[error("of `ca.pem` and `ca.key` in `{0}` only one exists")]
    Half(String),
    /// The files, the request or the names are not what they should be.
    #[error("certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
}

/// A peer's certificate names no region.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate names no region")]
pub struct NoRegion;

impl Authority {
    /// Reads `ca.pem` and `ca.key` of `folder`, or makes both.
    ///
    /// # Errors
    /// The files cannot be read, do not fit or cannot be written.
    pub fn load_or_create(folder: &Path, now: OffsetDateTime) -> Result<Self, PkiFailed> {
        file::create_private_dir(folder).map_err(at(folder))?;
        let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        match (certificate.exists(), key.exists()) {
            (true, true) => Self::load(&certificate, &key),
            (false, false) => Self::create(&certificate, &key, now),
            (true, false) | (false, true) => Err(PkiFailed::Half(folder.display().to_string())),
        }
    }

    fn load(certificate: &Path, key: &Path) -> Result<Self, PkiFailed> {
        let certificate_pem = fs::read_to_string(certificate).map_err(at(certificate))?;
        let key_pem = Zeroizing::new(fs::read_to_string(key).map_err(at(key))?);
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, KeyPair::from_pem(&key_pem)?)?;
        Ok(Self {
            issuer,
            certificate_pem,
        })
    }

    fn create(certificate: &Path, key: &Path, now: OffsetDateTime) -> Result<Self, PkiFailed> {
        let mut params = params("RequestRocket control plane", Vec::new(), now)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pair = KeyPair::generate()?;
        let certificate_pem = params.self_signed(&pair)?.pem();
        // The key first: a crash in between leaves a half that the next start names.
        file::write_private(key, pair.serialize_pem().as_bytes()).map_err(at(key))?;
        file::write_private(certificate, certificate_pem.as_bytes()).map_err(at(certificate))?;
        Ok(Self {
            issuer: Issuer::new(params, pair),
            certificate_pem,
        })
    }

    /// The certificate that regions trust.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A new certificate for the region link's server; made at every start and never stored.
    ///
    /// # Errors
    /// One of `names` cannot stand in a certificate.
    pub fn issue_server(
        &self,
        names: &[String],
        now: OffsetDateTime,
    ) -> Result<Identity, PkiFailed> {
        let mut params = params("RequestRocket region link", names.to_vec(), now)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let pair = KeyPair::generate()?;
        let certificate_pem = params.signed_by(&pair, &self.issuer)?.pem();
        Ok(Identity {
            certificate_pem,
            key_pem: Zeroizing::new(pair.serialize_pem()),
        })
    }

    /// The client certificate of `region` for the key in `csr_der`.
    ///
    /// # Errors
    /// The request does not parse or is not signed by its key.
    pub fn issue_region(
        &self,
        region: &RegionName,
        csr_der: &[u8],
        now: OffsetDateTime,
    ) -> Result<Issued, PkiFailed> {
        let csr = CertificateSigningRequestDer::from(csr_der);
        let mut request = CertificateSigningRequestParams::from_der(&csr)?;
        let name = format!("{region}{REGION_SUFFIX}");
        let mut params = params(&name, vec![name.clone()], now)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        request.params = params;
        let certificate = request.signed_by(&self.issuer)?;
        Ok(Issued {
            digest: digest_of(certificate.der()),
            pem: certificate.pem(),
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority([redacted])")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity([redacted])")
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

fn params(
    common_name: &str,
    names: Vec<String>,
    now: OffsetDateTime,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + LIFE;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PkiFailed {
    move |source| PkiFailed::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests;
