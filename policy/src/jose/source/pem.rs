//! PEM (RFC 7468): a public key, or the one of a certificate.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Numbers, PublicKey, asn1};
use crate::jose::key::InvalidKey;

/// Not a PEM of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPem {
    /// Not one block of PEM, or not one of these.
    #[error("must be one `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE` in PEM")]
    Block,
    /// A private key, which nobody should give away.
    #[error("is a private key: give its public one")]
    Private,
    /// What is in it is none of these keys.
    #[error("must hold an RSA, EC (P-256, P-384, P-521) or Ed25519 key")]
    Kind,
    /// A key, but none that may be used.
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

/// Reads one block.
pub fn read_pem(text: &str) -> Result<PublicKey, InvalidPem> {
    let (label, der) = block(text).ok_or(InvalidPem::Block)?;
    let numbers = match label {
        "PUBLIC KEY" => asn1::public_key(&der),
        "RSA PUBLIC KEY" => asn1::rsa_public_key(&der),
        "CERTIFICATE" => asn1::certified_key(&der),
        private if private.ends_with("PRIVATE KEY") => return Err(InvalidPem::Private),
        _ => return Err(InvalidPem::Block),
    };
    let numbers: Numbers = numbers.ok_or(InvalidPem::Kind)?;
    numbers.material()?;
    Ok(PublicKey {
        id: None,
        algorithm: None,
        numbers,
    })
}

fn block(text: &str) -> Option<(&str, Vec<u8>)> {
    let rest = text.trim().strip_prefix("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, rest) = rest.split_once("-----END ")?;
    if rest.strip_prefix(label)? != "-----" {
        return None;
    }
    let letters: String = body.split_ascii_whitespace().collect();
    Some((label, STANDARD.decode(letters).ok()?))
}
