//! Public keys as issuers publish them: JWKs (RFC 7517), sets of them, PEM. For who takes them in;
//! the filter gets their numbers.

mod asn1;
mod jwk;
mod key_set;
mod pem;

use super::{
    algorithm::{Algorithm, Curve},
    key::{InvalidKey, KeyMaterial},
};

pub(crate) use self::asn1::rsa_public_key as rsa_numbers;
pub use self::{
    jwk::{InvalidJwk, read_jwk},
    key_set::{InvalidKeySet, KeySet, MAX_SET_BYTES, MAX_SET_KEYS, read_key_set},
    pem::{InvalidPem, read_pem},
};

/// A public key that verifies signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `kid`.
    pub id: Option<String>,
    /// The one algorithm that it is for, if its issuer says so.
    pub algorithm: Option<Algorithm>,
    /// The key itself.
    pub numbers: Numbers,
}

/// What a public key is made of, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// RSA.
    Rsa {
        /// `n`
        modulus: Vec<u8>,
        /// `e`
        exponent: Vec<u8>,
    },
    /// A point of a curve.
    Ec {
        /// `crv`
        curve: Curve,
        /// `x`
        x: Vec<u8>,
        /// `y`
        y: Vec<u8>,
    },
    /// Ed25519.
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Whether it verifies tokens of that algorithm.
    pub fn suits(&self, algorithm: Algorithm) -> bool {
        let material = self.numbers.material();
        self.algorithm.is_none_or(|only| only == algorithm)
            && material.is_ok_and(|material| material.suits(algorithm))
    }
}

impl Numbers {
    /// Whether they are the same key, however many zeros are in front.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self.material(), other.material()) {
            (Ok(one), Ok(other)) => one.is(&other),
            _ => false,
        }
    }

    /// The key, unless they are none.
    pub fn material(&self) -> Result<KeyMaterial, InvalidKey> {
        match self {
            Self::Rsa { modulus, exponent } => KeyMaterial::rsa(modulus, exponent),
            Self::Ec { curve, x, y } => KeyMaterial::ec(*curve, x, y),
            Self::Ed25519(bytes) => KeyMaterial::ed25519(bytes),
        }
    }
}

#[cfg(test)]
mod tests;
