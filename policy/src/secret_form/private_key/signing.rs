//! What the region signs with private keys: JWS (RFC 7518 §3, RFC 8037).

use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use serde_json::Value;

use super::{KeyKind, PrivateKey, private_key};
use crate::{
    form::{
        fields::{Fields, string},
        problem::{Fault, Invalid},
    },
    jose::{Algorithm, Curve, Hash, Numbers, rsa_numbers},
};

/// In the order in which a key that fits several is used. Nobody here signs on P-521 but Envoy.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Rs(Hash::Sha256),
    Algorithm::Es(Curve::P256),
    Algorithm::Es(Curve::P384),
    Algorithm::EdDsa,
    Algorithm::Rs(Hash::Sha384),
    Algorithm::Rs(Hash::Sha512),
    Algorithm::Ps(Hash::Sha256),
    Algorithm::Ps(Hash::Sha384),
    Algorithm::Ps(Hash::Sha512),
];

/// Nothing was signed: the key does not fit, or the machine gives no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("private key does not sign")]
pub struct CannotSign;

/// A key with the algorithm that it signs by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsKey {
    key: PrivateKey,
    algorithm: Algorithm,
}

impl JwsKey {
    /// None: the region cannot sign so with that key.
    #[must_use]
    pub fn new(key: PrivateKey, algorithm: Algorithm) -> Option<Self> {
        let signs = ALGORITHMS.contains(&algorithm) && key.kind.fits(algorithm);
        signs.then_some(Self { key, algorithm })
    }

    /// Reads `privateKey`, for an algorithm or else for the one that is usual for such a key.
    pub(in crate::secret_form) fn read(
        fields: &mut Fields<'_>,
        algorithm: Option<Algorithm>,
    ) -> Option<Self> {
        fields.required("privateKey", |value| {
            let key = private_key(value)?;
            let usual = || ALGORITHMS.into_iter().find(|it| key.kind.fits(*it));
            let found = algorithm.or_else(usual);
            let signing = found.and_then(|algorithm| Self::new(key, algorithm));
            signing.ok_or_else(|| Invalid::new(Fault::InvalidSecret, unfit(algorithm)))
        })
    }

    /// `alg`
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The signature of a text, as JWS wants it.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn sign(&self, text: &[u8]) -> Result<Vec<u8>, CannotSign> {
        let key = self.key.bytes.expose();
        match self.algorithm {
            Algorithm::Rs(hash) => rsa(key, pkcs1(hash), text),
            Algorithm::Ps(hash) => rsa(key, pss(hash), text),
            Algorithm::Es(Curve::P256) => ecdsa(key, &ECDSA_P256_SHA256_FIXED_SIGNING, text),
            Algorithm::Es(Curve::P384) => ecdsa(key, &ECDSA_P384_SHA384_FIXED_SIGNING, text),
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_seed_unchecked(key).map_err(|_| CannotSign)?;
                Ok(pair.sign(text).as_ref().to_vec())
            }
            Algorithm::Hs(_) | Algorithm::Es(Curve::P521) => Err(CannotSign),
        }
    }
}

impl PrivateKey {
    /// Its public key; none: nobody here can tell.
    pub(in crate::secret_form) fn public(&self) -> Option<Numbers> {
        let key = self.bytes.expose();
        match self.kind {
            KeyKind::Rsa => rsa_numbers(RsaKeyPair::from_pkcs8(key).ok()?.public_key().as_ref()),
            KeyKind::Ec(curve) => {
                let algorithm = ecdsa_algorithm(curve)?;
                let pair = EcdsaKeyPair::from_pkcs8(algorithm, key, &SystemRandom::new()).ok()?;
                // Uncompressed (SEC 1 §2.3.3): a byte that says so, and both coordinates.
                let (x, y) = pair
                    .public_key()
                    .as_ref()
                    .get(1..)?
                    .split_at_checked(curve.bytes())?;
                let (x, y) = (x.to_vec(), y.to_vec());
                Some(Numbers::Ec { curve, x, y })
            }
            KeyKind::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(key).ok()?;
                Some(Numbers::Ed25519(pair.public_key().as_ref().to_vec()))
            }
        }
    }
}

/// `alg` of what the region signs.
///
/// # Errors
/// Another text; another type.
pub(in crate::secret_form) fn algorithm(value: &Value) -> Result<Algorithm, Invalid> {
    let found = string(value)?.parse().ok();
    let found = found.filter(|algorithm| ALGORITHMS.contains(algorithm));
    found.ok_or_else(|| {
        Invalid::value(
            "must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA",
        )
    })
}

/// With which keys of a curve the region signs; none: with none.
pub(super) fn ecdsa_algorithm(curve: Curve) -> Option<&'static EcdsaSigningAlgorithm> {
    match curve {
        Curve::P256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Curve::P384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Curve::P521 => None,
    }
}

fn unfit(algorithm: Option<Algorithm>) -> String {
    match algorithm {
        Some(algorithm) => format!("must be a key that {} signs with", algorithm.as_str()),
        None => "must be an RSA, P-256, P-384 or Ed25519 key".to_owned(),
    }
}

fn rsa(key: &[u8], padding: &'static dyn RsaEncoding, text: &[u8]) -> Result<Vec<u8>, CannotSign> {
    let pair = RsaKeyPair::from_pkcs8(key).map_err(|_| CannotSign)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    let signed = pair.sign(padding, &SystemRandom::new(), text, &mut signature);
    signed.map_err(|_| CannotSign)?;
    Ok(signature)
}

fn ecdsa(
    key: &[u8],
    algorithm: &'static EcdsaSigningAlgorithm,
    text: &[u8],
) -> Result<Vec<u8>, CannotSign> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, key, &random).map_err(|_| CannotSign)?;
    let signature = pair.sign(&random, text).map_err(|_| CannotSign)?;
    Ok(signature.as_ref().to_vec())
}

fn pkcs1(hash: Hash) -> &'static dyn RsaEncoding {
    match hash {
        Hash::Sha256 => &RSA_PKCS1_SHA256,
        Hash::Sha384 => &RSA_PKCS1_SHA384,
        Hash::Sha512 => &RSA_PKCS1_SHA512,
    }
}

fn pss(hash: Hash) -> &'static dyn RsaEncoding {
    match hash {
        Hash::Sha256 => &RSA_PSS_SHA256,
        Hash::Sha384 => &RSA_PSS_SHA384,
        Hash::Sha512 => &RSA_PSS_SHA512,
    }
}

#[cfg(test)]
mod tests;
