//! A certificate authority of one's own, kept in two files of a private folder.
//!
//! Invariant: private keys are written with mode 0600 and never printed. What a certificate says is
//! decided by who calls; of a signing request only the key is used (RFC 5280, RFC 2986).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub use rcgen::ExtendedKeyUsagePurpose as Usage;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateSigningRequestParams,
    DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::CertificateSigningRequestDer;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::file::{create_private_dir, write_private};

/// Clocks may be that far apart.
const SKEW: Duration = Duration::hours(24);
/// Of the authority itself.
const LIFE: Duration = Duration::days(20 * 365);

/// Signs with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

/// Names of its two files.
#[derive(Clone, Copy, Debug)]
pub struct Files {
    /// The certificate, PEM.
    pub certificate: &'static str,
    /// Its private key, PEM.
    pub key: &'static str,
}

/// What a certificate is to say.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// Common name.
    pub name: &'a str,
    /// Host names.
    pub hosts: &'a [String],
    /// Server, client or both.
    pub usages: &'a [Usage],
    /// How long it is valid.
    pub life: Duration,
}

/// A certificate and its private key, both PEM.
pub struct Identity {
    /// The certificate.
    pub certificate_pem: String,
    /// Its key.
    pub key_pem: Zeroizing<String>,
}

/// The authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityFailed {
    /// The file system says no.
    #[error("`{}` cannot be read or written", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// Of certificate and key only one exists.
    #[error("`{}` is missing although its counterpart is there; restore it from a backup", .0.display())]
    Incomplete(PathBuf),
    /// What is in the file is no certificate or key.
    #[error("`{}` cannot be used", .0.display())]
    Content(PathBuf, #[source] rcgen::Error),
    /// What was asked for cannot be said in a certificate, or the request is none.
    #[error("certificate cannot be made")]
    Make(#[from] rcgen::Error),
}

impl Authority {
    /// The authority in `folder`, or a new one called `name`.
    ///
    /// # Errors
    /// Files that cannot be read, written or used; one of the two is missing.
    pub fn load_or_create(
        folder: &Path,
        files: Files,
        name: &str,
        now: OffsetDateTime,
    ) -> Result<Self, AuthorityFailed> {
        let (certificate, key) = (folder.join(files.certificate), folder.join(files.key));
        match (read_optional(&certificate)?, read_optional(&key)?) {
            (Some(pem), Some(key_pem)) => {
                let pair = KeyPair::from_pem(&Zeroizing::new(key_pem))
                    .map_err(|source| AuthorityFailed::Content(key, source))?;
                let issuer = Issuer::from_ca_cert_pem(&pem, pair)
                    .map_err(|source| AuthorityFailed::Content(certificate, source))?;
                Ok(Self {
                    issuer,
                    certificate_pem: pem,
                })
            }
            (None, None) => {
                create_private_dir(folder)
                    .map_err(|source| AuthorityFailed::File(folder.to_path_buf(), source))?;
                Self::create(&certificate, &key, name, now)
            }
            (Some(_), None) => Err(AuthorityFailed::Incomplete(key)),
            (None, Some(_)) => Err(AuthorityFailed::Incomplete(certificate)),
        }
    }

    fn create(
        certificate: &Path,
        key: &Path,
        name: &str,
        now: OffsetDateTime,
    ) -> Result<Self, AuthorityFailed> {
        let mut params = params(name, &[], now, LIFE)?;
        // It signs leaves and no authority below it (RFC 5280 §4.2.1.9).
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pair = KeyPair::generate()?;
        let certificate_pem = params.self_signed(&pair)?.pem();
        // A crash in between leaves a half that the next start names, not a new key.
        write(key, Zeroizing::new(pair.serialize_pem()).as_bytes())?;
        write(certificate, certificate_pem.as_bytes())?;
        Ok(Self {
            issuer: Issuer::new(params, pair),
            certificate_pem,
        })
    }

    /// What others trust, PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate for a new key.
    ///
    /// # Errors
    /// A host name that a certificate cannot hold.
    pub fn issue(
        &self,
        subject: &Subject<'_>,
        now: OffsetDateTime,
    ) -> Result<Identity, AuthorityFailed> {
        let pair = KeyPair::generate()?;
        let params = leaf(subject, now)?;
        Ok(Identity {
            certificate_pem: params.signed_by(&pair, &self.issuer)?.pem(),
            key_pem: Zeroizing::new(pair.serialize_pem()),
        })
    }

    /// A certificate for the key of a signing request (PKCS#10, DER).
    ///
    /// # Errors
    /// Not a signing request, or a name that a certificate cannot hold.
    pub fn sign(
        &self,
        request_der: &[u8],
        subject: &Subject<'_>,
        now: OffsetDateTime,
    ) -> Result<Certificate, AuthorityFailed> {
        let request = CertificateSigningRequestDer::from(request_der);
        let mut request = CertificateSigningRequestParams::from_der(&request)?;
        request.params = leaf(subject, now)?;
        Ok(request.signed_by(&self.issuer)?)
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

fn leaf(subject: &Subject<'_>, now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = params(subject.name, subject.hosts, now, subject.life)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = subject.usages.to_vec();
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn params(
    name: &str,
    hosts: &[String],
    now: OffsetDateTime,
    life: Duration,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    // `rcgen` begins with a name of its own.
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - SKEW;
    params.not_after = now + life;
    Ok(params)
}

fn write(path: &Path, contents: &[u8]) -> Result<(), AuthorityFailed> {
    write_private(path, contents)
        .map_err(|source| AuthorityFailed::File(path.to_path_buf(), source))
}

fn read_optional(path: &Path) -> Result<Option<String>, AuthorityFailed> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AuthorityFailed::File(path.to_path_buf(), error)),
    }
}
