//! The region's certificate authority for its own nodes.
//!
//! Invariant: private keys are written with mode 0600 and never printed.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use requestrocket_process::file::{create_private_dir, write_private};
use time::{Duration, OffsetDateTime};

use requestrocket_policy::secret::SecretText;

pub mod identity;

#[cfg(test)]
mod tests;

const CA_FILE: &str = "node-ca.pem";
const CA_KEY_FILE: &str = "node-ca.key";
const CA_LIFE: Duration = Duration::days(20 * 365);
/// Of a node's or the server's certificate. The server makes itself a new one at every start.
const LEAF_LIFE: Duration = Duration::days(825);
/// Clocks of nodes may be behind by this much.
const SKEW: Duration = Duration::hours(1);

/// Certificates or their keys cannot be read, written or made.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPki {
    /// The file system said no.
    #[error("`{}` cannot be read or written", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// Half of a pair is missing; making a new one would shut out every node.
    #[error("`{}` is missing although its counterpart is there; restore it from a backup", .0.display())]
    Incomplete(PathBuf),
    /// A file holds something else than it should.
    #[error("`{}` cannot be used", .0.display())]
    Content(PathBuf, #[source] rcgen::Error),
    /// A certificate cannot be made.
    #[error("certificate cannot be made")]
    Make(#[from] rcgen::Error),
    /// A node id has to fit a certificate and name its region.
    #[error("node id `{0}` must be a host name that begins with `{1}-`")]
    NodeId(String, String),
}

/// A certificate with its private key, both PEM.
#[derive(Debug)]
pub struct Certificate {
    /// PEM.
    pub certificate_pem: String,
    /// PEM, PKCS#8.
    pub private_key_pem: SecretText,
}

/// Signs the certificates of the region's nodes and of its ADS server.
#[derive(Debug)]
pub struct NodeAuthority {
    region: String,
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl NodeAuthority {
    /// Reads the authority from `folder`, or makes it on first start.
    ///
    /// # Errors
    /// The files are unreadable, unusable, or only one of the two is there.
    pub fn load_or_create(
        folder: &Path,
        region: &str,
        now: OffsetDateTime,
    ) -> Result<Self, InvalidPki> {
        let (certificate, key) = (folder.join(CA_FILE), folder.join(CA_KEY_FILE));
        match (read_optional(&certificate)?, read_optional(&key)?) {
            (Some(pem), Some(key_pem)) => {
                let key_pem = SecretText::new(key_pem);
                let key_pair = KeyPair::from_pem(key_pem.expose())
                    .map_err(|source| InvalidPki::Content(key, source))?;
                let issuer = Issuer::from_ca_cert_pem(&pem, key_pair)
                    .map_err(|source| InvalidPki::Content(certificate, source))?;
                Ok(Self {
                    region: region.to_owned(),
                    certificate_pem: pem,
                    issuer,
                })
            }
            (None, None) => Self::create(folder, region, now),
            (Some(_), None) => Err(InvalidPki::Incomplete(key)),
            (None, Some(_)) => Err(InvalidPki::Incomplete(certificate)),
        }
    }

    fn create(folder: &Path, region: &str, now: OffsetDateTime) -> Result<Self, InvalidPki> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("RequestRocket region {region}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        set_life(&mut params, now, CA_LIFE);
        let key = KeyPair::generate()?;
        let certificate_pem = params.self_signed(&key)?.pem();
        create_dir(folder)?;
        // The key last: a crash between leaves a certificate that is noticed, not a new key.
        write(&folder.join(CA_FILE), certificate_pem.as_bytes())?;
        let key_pem = SecretText::new(key.serialize_pem());
        write(&folder.join(CA_KEY_FILE), key_pem.expose().as_bytes())?;
        let issuer = Issuer::new(params, key);
        Ok(Self {
            region: region.to_owned(),
            certificate_pem,
            issuer,
        })
    }

    /// The authority's own certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate for the ADS server under `names` (host names and addresses).
    ///
    /// # Errors
    /// A name fits no certificate.
    pub fn server_certificate(
        &self,
        names: &[String],
        now: OffsetDateTime,
    ) -> Result<Certificate, InvalidPki> {
        self.sign(names, ExtendedKeyUsagePurpose::ServerAuth, now)
    }

    /// A certificate for the node `node_id`.
    ///
    /// # Errors
    /// The id fits no certificate or is not of this region.
    pub fn node_certificate(
        &self,
        node_id: &str,
        now: OffsetDateTime,
    ) -> Result<Certificate, InvalidPki> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_own = node_id
            .strip_prefix(&self.region)
            .is_some_and(|rest| rest.starts_with('-'));
        if !is_own || node_id.len() > 63 || !node_id.bytes().all(legal) {
            return Err(InvalidPki::NodeId(node_id.to_owned(), self.region.clone()));
        }
        self.sign(
            &[node_id.to_owned()],
            ExtendedKeyUsagePurpose::ClientAuth,
            now,
        )
    }

    fn sign(
        &self,
        names: &[String],
        usage: ExtendedKeyUsagePurpose,
        now: OffsetDateTime,
    ) -> Result<Certificate, InvalidPki> {
        let mut params = CertificateParams::new(names)?;
        if let Some(name) = names.first() {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        set_life(&mut params, now, LEAF_LIFE);
        let key = KeyPair::generate()?;
        Ok(Certificate {
            certificate_pem: params.signed_by(&key, &self.issuer)?.pem(),
            private_key_pem: SecretText::new(key.serialize_pem()),
        })
    }

    /// Writes `node.pem`, `node.key` and `ca.pem` for the node `node_id` into `folder`.
    ///
    /// # Errors
    /// The id is not legal, or the file system says no.
    pub fn write_node_certificate(
        &self,
        node_id: &str,
        folder: &Path,
        now: OffsetDateTime,
    ) -> Result<(), InvalidPki> {
        let made = self.node_certificate(node_id, now)?;
        create_dir(folder)?;
        write(&folder.join("ca.pem"), self.certificate_pem.as_bytes())?;
        write(
            &folder.join("node.key"),
            made.private_key_pem.expose().as_bytes(),
        )?;
        write(&folder.join("node.pem"), made.certificate_pem.as_bytes())
    }
}

fn set_life(params: &mut CertificateParams, now: OffsetDateTime, life: Duration) {
    params.not_before = now - SKEW;
    params.not_after = now + life;
}

pub(crate) fn create_dir(folder: &Path) -> Result<(), InvalidPki> {
    create_private_dir(folder).map_err(|source| InvalidPki::File(folder.to_path_buf(), source))
}

pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<(), InvalidPki> {
    write_private(path, contents).map_err(|source| InvalidPki::File(path.to_path_buf(), source))
}

pub(crate) fn read_optional(path: &Path) -> Result<Option<String>, InvalidPki> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(InvalidPki::File(path.to_path_buf(), error)),
    }
}
