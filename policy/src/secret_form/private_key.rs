//! Private keys in PEM: PKCS#8, and the older forms of RSA (PKCS#1) and EC keys (RFC 5915).

mod der;
mod signing;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use serde_json::Value;
use zeroize::Zeroizing;

pub(super) use self::signing::algorithm;
pub use self::{
    der::KeyKind,
    signing::{CannotSign, JwsKey},
};
use crate::{
    form::problem::{Fault, Invalid},
    jose::Curve,
    secret::SecretBytes,
};

/// Of a PEM value.
const MAX_PEM_BYTES: usize = 16 << 10;

/// A key that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateKey {
    /// What it is for.
    pub kind: KeyKind,
    /// PKCS#8 in DER; of Ed25519 keys the 32 bytes of the seed.
    pub bytes: SecretBytes,
}

/// One private key that is not encrypted.
///
/// # Errors
/// `INVALID_SECRET`; another type.
pub fn private_key(value: &Value) -> Result<PrivateKey, Invalid> {
    let text = value
        .as_str()
        .ok_or_else(|| Invalid::value("must be a string"))?;
    let invalid = |text: &str| Invalid::new(Fault::InvalidSecret, text);
    if text.len() > MAX_PEM_BYTES {
        return Err(invalid("must be at most 16384 bytes"));
    }
    let (label, der) = block(text).ok_or_else(|| invalid("must be one block of PEM"))?;
    let pkcs8 = match label {
        "PRIVATE KEY" => Some(SecretBytes::from(der.to_vec())),
        "RSA PRIVATE KEY" => Some(der::wrap_rsa(&der)),
        "EC PRIVATE KEY" => der::wrap_ec(&der),
        _ => return Err(invalid("must be a private key that is not encrypted")),
    };
    let key = pkcs8.and_then(|pkcs8| checked(&pkcs8));
    key.ok_or_else(|| {
        invalid("must be an RSA key of 2048 to 4096 bits, an EC key (P-256, P-384, P-521) or an Ed25519 key")
    })
}

/// What tells keys apart, once it is sure that they sign.
fn checked(pkcs8: &SecretBytes) -> Option<PrivateKey> {
    let (kind, inner) = der::kind(pkcs8.expose())?;
    let bytes = match kind {
        KeyKind::Rsa => {
            RsaKeyPair::from_pkcs8(pkcs8.expose()).ok()?;
            pkcs8.clone()
        }
        KeyKind::Ec(curve) => {
            signs_ecdsa(curve, pkcs8)?;
            pkcs8.clone()
        }
        KeyKind::Ed25519 => {
            let seed = der::octets(inner)?;
            Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
            SecretBytes::from(seed)
        }
    };
    Some(PrivateKey { kind, bytes })
}

fn signs_ecdsa(curve: Curve, pkcs8: &SecretBytes) -> Option<()> {
    let Some(algorithm) = signing::ecdsa_algorithm(curve) else {
        // Nobody here can try it but Envoy.
        return Some(());
    };
    let random = ring::rand::SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.expose(), &random);
    pair.ok().map(drop)
}

fn block(text: &str) -> Option<(&str, Zeroizing<Vec<u8>>)> {
    let rest = text.trim().strip_prefix("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, rest) = rest.split_once("-----END ")?;
    if rest.strip_prefix(label)? != "-----" {
        return None;
    }
    let letters: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    let der = STANDARD.decode(letters.as_bytes()).ok()?;
    Some((label, Zeroizing::new(der)))
}
