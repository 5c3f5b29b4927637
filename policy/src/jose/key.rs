//! Keys that verify. What cannot be one, or is too weak to be one, is none.

pub(super) mod der;

use std::fmt;

use super::algorithm::{Algorithm, Curve, Hash};
use crate::secret::SecretBytes;

/// Bits of a modulus. Shorter ones are weak; longer ones cost those who are not let in yet too
/// much to refuse.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// Of a public exponent: as BoringSSL has it.
const MAX_EXPONENT_BITS: u32 = 33;
/// An Ed25519 key.
pub(super) const ED25519_BYTES: usize = 32;

/// A key, with what its issuer says of it.
#[derive(Debug)]
pub struct Key {
    /// `kid`.
    pub id: Option<Box<str>>,
    /// The one algorithm that it is for, if its issuer says so.
    pub algorithm: Option<Algorithm>,
    /// The key itself.
    pub material: KeyMaterial,
}

/// What verifies signatures.
pub struct KeyMaterial(pub(super) Material);

pub(super) enum Material {
    Rsa(RsaKey),
    Ec(EcKey),
    Ed25519([u8; ED25519_BYTES]),
    /// For HMAC: it is no public key, and no public key becomes one.
    Secret(SecretBytes),
}

pub(super) struct RsaKey {
    /// Without leading zeros.
    pub(super) modulus: Box<[u8]>,
    pub(super) exponent: u64,
    /// As a SubjectPublicKeyInfo.
    pub(super) spki: Box<[u8]>,
}

pub(super) struct EcKey {
    pub(super) curve: Curve,
    /// As a SubjectPublicKeyInfo.
    pub(super) spki: Box<[u8]>,
}

/// Why a key is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// RSA, of fewer than 2048 bits.
    #[error("an RSA key must have 2048 bits or more")]
    WeakRsa,
    /// RSA, too long, or with numbers that no RSA key has.
    #[error("an RSA key must have at most 4096 bits, and odd numbers")]
    Rsa,
    /// A point that does not fit its curve.
    #[error("an EC key must be a point with two coordinates of its curve's length")]
    Ec,
    /// Not 32 bytes.
    #[error("an Ed25519 key must be {ED25519_BYTES} bytes")]
    Ed25519,
    /// Shorter than the shortest hash.
    #[error("a shared secret must be at least 32 bytes")]
    WeakSecret,
}

impl KeyMaterial {
    /// An RSA key by its two numbers, big-endian.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidKey> {
        let (modulus, exponent) = (der::trimmed(modulus), der::trimmed(exponent));
        let bits = bits(modulus);
        if bits < *MODULUS_BITS.start() {
            return Err(InvalidKey::WeakRsa);
        }
        let number = exponent.iter().try_fold(0_u64, |number, byte| {
            let number = number.checked_mul(1 << 8)?;
            number.checked_add(u64::from(*byte))
        });
        // The modulus is a product of odd primes, the exponent coprime to an even number
        // (RFC 8017 §3.1).
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let fits = |number: u64| (3..1 << MAX_EXPONENT_BITS).contains(&number);
        match number {
            Some(number)
                if fits(number)
                    && MODULUS_BITS.contains(&bits)
                    && is_odd(modulus)
                    && is_odd(exponent) =>
            {
                Ok(Self(Material::Rsa(RsaKey {
                    modulus: modulus.into(),
                    exponent: number,
                    spki: der::rsa_public_key(modulus, exponent).into(),
                })))
            }
            _ => Err(InvalidKey::Rsa),
        }
    }

    /// A point of a curve by its coordinates, big-endian and of full length. Whoever verifies finds
    /// out whether it lies on it.
    pub fn ec(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, InvalidKey> {
        if x.len() != curve.bytes() || y.len() != curve.bytes() {
            return Err(InvalidKey::Ec);
        }
        let spki = der::ec_public_key(curve, x, y).into();
        Ok(Self(Material::Ec(EcKey { curve, spki })))
    }

    /// An Ed25519 key.
    pub fn ed25519(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let bytes = bytes.try_into().map_err(|_| InvalidKey::Ed25519)?;
        Ok(Self(Material::Ed25519(bytes)))
    }

    /// A secret that the issuer has as well.
    pub fn secret(bytes: SecretBytes) -> Result<Self, InvalidKey> {
        if bytes.expose().len() < Hash::Sha256.bytes() {
            return Err(InvalidKey::WeakSecret);
        }
        Ok(Self(Material::Secret(bytes)))
    }

    /// Whether they are the same public key.
    #[cfg(any(test, feature = "secrets"))]
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Material::Rsa(one), Material::Rsa(other)) => one.spki == other.spki,
            (Material::Ec(one), Material::Ec(other)) => one.spki == other.spki,
            (Material::Ed25519(one), Material::Ed25519(other)) => one == other,
            (
                Material::Rsa(_) | Material::Ec(_) | Material::Ed25519(_) | Material::Secret(_),
                _,
            ) => false,
        }
    }

    /// Whether a signature by that algorithm can be verified with it.
    pub fn suits(&self, algorithm: Algorithm) -> bool {
        match (&self.0, algorithm) {
            (Material::Rsa(_), Algorithm::Rs(_) | Algorithm::Ps(_))
            | (Material::Ed25519(_), Algorithm::EdDsa) => true,
            (Material::Ec(key), Algorithm::Es(curve)) => key.curve == curve,
            (Material::Secret(secret), Algorithm::Hs(hash)) => {
                // As long as the hash at least (RFC 7518 §3.2).
                secret.expose().len() >= hash.bytes()
            }
            (
                Material::Rsa(_) | Material::Ec(_) | Material::Ed25519(_) | Material::Secret(_),
                _,
            ) => false,
        }
    }
}

impl Key {
    pub(super) fn suits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.material.suits(algorithm)
    }
}

/// One of them may be a secret.
impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Material::Rsa(_) => "Rsa",
            Material::Ec(_) => "Ec",
            Material::Ed25519(_) => "Ed25519",
            Material::Secret(_) => "Secret",
        })
    }
}

fn bits(number: &[u8]) -> usize {
    let Some((first, rest)) = number.split_first() else {
        return 0;
    };
    let of_first = u8::BITS.saturating_sub(first.leading_zeros());
    let of_first = usize::try_from(of_first).unwrap_or_default();
    rest.len().saturating_mul(8).saturating_add(of_first)
}

#[cfg(test)]
mod tests;
