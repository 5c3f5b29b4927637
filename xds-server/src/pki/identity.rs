//! Who this region is towards the control plane: a client certificate got by enrolment.
//!
//! The certificate is written last, so that its presence means the identity is complete.

use std::path::Path;

use rcgen::{CertificateParams, DnType, KeyPair};

use super::{InvalidPki, create_dir, read_optional, write};
use requestrocket_policy::secret::SecretText;

const CERTIFICATE_FILE: &str = "identity.pem";
const KEY_FILE: &str = "identity.key";
const CA_FILE: &str = "identity-ca.pem";

/// What mutual TLS towards the control plane needs.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Client certificate, PEM.
    pub certificate_pem: String,
    /// Its key, PEM.
    pub private_key_pem: SecretText,
    /// Authority of the control plane's own certificate, PEM.
    pub ca_pem: String,
}

impl Identity {
    /// Reads the identity from `folder`; None before enrolment.
    ///
    /// # Errors
    /// A file is unreadable, or the certificate is there without its key or authority.
    pub fn load(folder: &Path) -> Result<Option<Self>, InvalidPki> {
        let Some(certificate_pem) = read_optional(&folder.join(CERTIFICATE_FILE))? else {
            return Ok(None);
        };
        let read = |name: &str| {
            let path = folder.join(name);
            read_optional(&path)?.ok_or(InvalidPki::Incomplete(path))
        };
        let private_key_pem = SecretText::new(read(KEY_FILE)?);
        Ok(Some(Self {
            certificate_pem,
            private_key_pem,
            ca_pem: read(CA_FILE)?,
        }))
    }

    /// Writes the identity into `folder`.
    ///
    /// # Errors
    /// The file system says no.
    pub fn store(&self, folder: &Path) -> Result<(), InvalidPki> {
        create_dir(folder)?;
        write(
            &folder.join(KEY_FILE),
            self.private_key_pem.expose().as_bytes(),
        )?;
        write(&folder.join(CA_FILE), self.ca_pem.as_bytes())?;
        write(
            &folder.join(CERTIFICATE_FILE),
            self.certificate_pem.as_bytes(),
        )
    }
}

/// A fresh key and the request to have it certified.
#[derive(Debug)]
pub struct CertificateRequest {
    /// PEM.
    pub private_key_pem: SecretText,
    /// PKCS#10, DER.
    pub csr_der: Vec<u8>,
}

impl CertificateRequest {
    /// Makes a key for `region`.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn create(region: &str) -> Result<Self, InvalidPki> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, region);
        let request = params.serialize_request(&key)?;
        Ok(Self {
            private_key_pem: SecretText::new(key.serialize_pem()),
            csr_der: request.der().to_vec(),
        })
    }
}
