//! The tests' own certificate authority, which the stacks trust for targets, and one they do not.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate authority made for this run.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// A certificate with its key.
#[derive(Debug)]
pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Authority {
    pub fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// Its own certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for `names`, signed by this authority.
    pub fn identity(&self, names: &[&str]) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names)?.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            chain: vec![certificate.der().clone()],
            key: private(&key),
        })
    }
}

/// A certificate for `names` that nobody else signed.
pub fn self_signed(names: &[&str]) -> Result<Identity> {
    let key = KeyPair::generate()?;
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names)?.self_signed(&key)?;
    Ok(Identity {
        chain: vec![certificate.der().clone()],
        key: private(&key),
    })
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

impl Identity {
    /// Its files for servers that read PEM: `cert.pem` and `key.pem`.
    pub fn write_pem(&self, folder: &Path) -> Result<()> {
        let chain: String = self
            .chain
            .iter()
            .map(|one| pem("CERTIFICATE", one))
            .collect();
        std::fs::write(folder.join("cert.pem"), chain)?;
        let key = pem("PRIVATE KEY", self.key.secret_der());
        Ok(std::fs::write(folder.join("key.pem"), key)?)
    }

    /// A TLS server that offers the given protocols.
    pub fn acceptor(self, protocols: &[&str]) -> Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)?;
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// The cryptography of every TLS end of the harness.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The authority that every stack of this process trusts for targets.
pub fn trusted() -> Result<&'static Authority> {
    static TRUSTED: OnceLock<Result<Authority, String>> = OnceLock::new();
    let made = TRUSTED.get_or_init(|| {
        Authority::new("RequestRocket test targets").map_err(|error| format!("{error:#}"))
    });
    made.as_ref()
        .map_err(|problem| anyhow!("test authority: {problem}"))
}
