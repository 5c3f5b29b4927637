//! A request that no caller sent, as a target gets it: with what its credential puts on calls, and
//! computes for each.
//!
//! Here keys sign by this machine's own functions, not by Envoy's.

use ring::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair,
    },
};
use sha2::{Digest as _, Sha256};

use crate::{
    http::{RequestHead, path::CallPath},
    jose::Hash,
    policy::Policy,
    secret::SecretBytes,
    sign::{CannotSign, Tools},
    swap::{Edit, Unsigned},
};

/// What a `GET` of a path is for the target.
#[derive(Debug)]
pub struct Trial {
    /// Path and query; may hold a secret.
    pub target: SecretBytes,
    /// In order, names in lower case; `Host` is not among them.
    pub headers: Vec<(String, SecretBytes)>,
}

/// There is no such request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTrial {
    /// Callers could not ask for it either.
    #[error("path can be read in more than one way")]
    Path,
    /// One of them is gone, or of no use.
    #[error("target or target credential cannot be used")]
    Incomplete,
    /// It has ended, or what it gives is not there yet or not any more.
    #[error("target credential has nothing to give now")]
    Unavailable,
    /// Of keys on P-521, which nobody but Envoy signs with.
    #[error("target credential cannot sign here")]
    Unsigned,
}

/// `GET` of a path with its query, at that moment (Unix time in milliseconds), below the target's base
/// path.
///
/// # Errors
/// Says why there is none.
pub fn trial(policy: &Policy, path: &str, now_ms: u64) -> Result<Trial, NoTrial> {
    let upstream = policy.upstream.as_ref().ok_or(NoTrial::Incomplete)?;
    if !upstream.availability.holds(&|| now_ms) || !upstream.serves(|| now_ms) {
        return Err(NoTrial::Unavailable);
    }
    // As a caller would send it.
    let raw = format!("/api/-{path}");
    let mut parts = raw.as_bytes().splitn(2, |byte| *byte == b'?');
    let called = CallPath::parse(parts.next().unwrap_or_default()).map_err(|_| NoTrial::Path)?;
    let lines = [
        (&b":method"[..], &b"GET"[..]),
        (&b":path"[..], raw.as_bytes()),
    ];
    let head = RequestHead::new(&lines);
    let mut edits = upstream.edits(&head, &called, (raw.as_bytes(), parts.next()));
    let unsigned = Unsigned {
        head: &head,
        method: b"GET",
        raw: raw.as_bytes(),
        body_sha256: Some(Sha256::digest(b"").into()),
        now_ms,
    };
    let signed = upstream.sign(&unsigned, &mut edits, &Machine);
    signed.map_err(|CannotSign| NoTrial::Unsigned)?;
    let mut trial = Trial {
        target: SecretBytes::from(Vec::new()),
        headers: Vec::new(),
    };
    for edit in edits {
        match edit {
            Edit::SetPath(target) => trial.target = SecretBytes::from(target),
            Edit::SetHeader(name, value) => {
                let value = SecretBytes::from(value.to_vec());
                trial.headers.push((name.to_owned(), value));
            }
            Edit::SetComputed(name, value) => trial.headers.push((name.to_owned(), value)),
            // There is nothing of a caller to remove, and nobody to warn.
            Edit::RemoveHeader(_) | Edit::Warn(_) => {}
        }
    }
    Ok(trial)
}

/// Signs with the functions of this machine.
struct Machine;

impl Tools for Machine {
    fn random(&self) -> Option<[u8; 16]> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(bytes)
    }

    fn sign(&self, hash: Hash, pkcs8: &SecretBytes, text: &[u8]) -> Option<Vec<u8>> {
        let (random, key) = (SystemRandom::new(), pkcs8.expose());
        if let Ok(pair) = RsaKeyPair::from_pkcs8(key) {
            let padding: &dyn ring::signature::RsaEncoding = match hash {
                Hash::Sha256 => &RSA_PKCS1_SHA256,
                Hash::Sha384 => &RSA_PKCS1_SHA384,
                Hash::Sha512 => &RSA_PKCS1_SHA512,
            };
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(padding, &random, text, &mut signature).ok()?;
            return Some(signature);
        }
        let algorithm = match hash {
            Hash::Sha256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Hash::Sha384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
            Hash::Sha512 => return None,
        };
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, key, &random).ok()?;
        let signature = pair.sign(&random, text).ok()?;
        Some(signature.as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests;
