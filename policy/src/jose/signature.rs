//! Whether a key made a signature. RSASSA-PKCS1-v1_5 and ECDSA are for the host, which has machine
//! code for them; the rest is done here.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Sha256, Sha384, Sha512};

use super::{
    algorithm::{Algorithm, Hash},
    key::{ED25519_BYTES, EcKey, KeyMaterial, Material, RsaKey, der},
    pss,
    token::Token,
};
use crate::secret::SecretBytes;

/// The host's part of it.
pub trait Signatures {
    /// Whether the key made the signature. Anything that is not sure is no.
    fn is_signed(&self, question: &Question<'_>) -> bool;
}

/// What the host is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Of the text.
    pub hash: Hash,
    /// A SubjectPublicKeyInfo in DER, of an RSA key or of a point on a curve.
    pub public_key: &'a [u8],
    /// Of PKCS #1 v1.5 as it is, of ECDSA in DER.
    pub signature: &'a [u8],
    /// What is signed.
    pub text: &'a [u8],
}

pub(super) fn is_signed(token: &Token<'_>, key: &KeyMaterial, signatures: &dyn Signatures) -> bool {
    let (text, signature) = (token.signed, &*token.signature);
    match (token.header.algorithm, &key.0) {
        (Algorithm::Hs(hash), Material::Secret(secret)) => hmac(hash, secret, text, signature),
        (Algorithm::Rs(hash), Material::Rsa(key)) => {
            is_as_long(key, signature)
                && signatures.is_signed(&Question {
                    hash,
                    public_key: &key.spki,
                    signature,
                    text,
                })
        }
        (Algorithm::Ps(hash), Material::Rsa(key)) => {
            is_as_long(key, signature) && pss::is_signed(hash, key, text, signature)
        }
        (Algorithm::Es(curve), Material::Ec(key)) if key.curve == curve => {
            ecdsa(key, text, signature, signatures)
        }
        (Algorithm::EdDsa, Material::Ed25519(key)) => ed25519(key, text, signature),
        (
            Algorithm::Hs(_)
            | Algorithm::Rs(_)
            | Algorithm::Ps(_)
            | Algorithm::Es(_)
            | Algorithm::EdDsa,
            Material::Rsa(_) | Material::Ec(_) | Material::Ed25519(_) | Material::Secret(_),
        ) => false,
    }
}

/// A signature is as long as its modulus (RFC 8017 §8.1.2, §8.2.2).
fn is_as_long(key: &RsaKey, signature: &[u8]) -> bool {
    signature.len() == key.modulus.len()
}

fn hmac(hash: Hash, secret: &SecretBytes, text: &[u8], signature: &[u8]) -> bool {
    let secret = secret.expose();
    match hash {
        Hash::Sha256 => Hmac::<Sha256>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(text).verify_slice(signature).is_ok()),
        Hash::Sha384 => Hmac::<Sha384>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(text).verify_slice(signature).is_ok()),
        Hash::Sha512 => Hmac::<Sha512>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(text).verify_slice(signature).is_ok()),
    }
}

/// Two numbers of full length (RFC 7518 §3.4).
fn ecdsa(key: &EcKey, text: &[u8], signature: &[u8], signatures: &dyn Signatures) -> bool {
    let bytes = key.curve.bytes();
    let Some((r, s)) = signature.split_at_checked(bytes) else {
        return false;
    };
    let is_zero = |number: &[u8]| number.iter().all(|byte| *byte == 0);
    s.len() == bytes
        // Verifiers took 0 for any text (CVE-2022-21449); the host refuses what is too large.
        && !is_zero(r)
        && !is_zero(s)
        && signatures.is_signed(&Question {
            hash: key.curve.hash(),
            public_key: &key.spki,
            signature: &der::ecdsa_signature(r, s),
            text,
        })
}

fn ed25519(key: &[u8; ED25519_BYTES], text: &[u8], signature: &[u8]) -> bool {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key);
    let signature = ed25519_dalek::Signature::from_slice(signature);
    match (key, signature) {
        // Strictly: with keys and signatures of small order one signature fits many texts.
        (Ok(key), Ok(signature)) => key.verify_strict(text, &signature).is_ok(),
        _ => false,
    }
}
