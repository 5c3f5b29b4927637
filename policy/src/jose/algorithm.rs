//! The algorithms that tokens may be signed by (RFC 7518 §3, RFC 8037). `none` is not among them.

use std::str::FromStr;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A curve of NIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

/// `alg` of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC: `HS256`, `HS384`, `HS512`.
    Hs(Hash),
    /// RSASSA-PKCS1-v1_5: `RS256`, `RS384`, `RS512`.
    Rs(Hash),
    /// RSASSA-PSS: `PS256`, `PS384`, `PS512`.
    Ps(Hash),
    /// ECDSA, each curve with its hash: `ES256`, `ES384`, `ES512`.
    Es(Curve),
    /// Ed25519: `EdDSA`.
    EdDsa,
}

/// No algorithm of ours, in any spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("algorithm is none of HS, RS, PS, ES 256 to 512 and EdDSA")]
pub struct UnknownAlgorithm;

/// A set of algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithms(u16);

impl Hash {
    /// Bytes of its output.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// As hosts name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

impl Curve {
    /// Bytes of a coordinate and of a scalar.
    pub const fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The hash that JWS pairs it with.
    pub const fn hash(self) -> Hash {
        match self {
            Self::P256 => Hash::Sha256,
            Self::P384 => Hash::Sha384,
            Self::P521 => Hash::Sha512,
        }
    }

    /// As JWKs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }
}

impl Algorithm {
    /// RSASSA-PSS.
    pub(super) fn is_pss(self) -> bool {
        matches!(self, Self::Ps(_))
    }

    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Hs(Hash::Sha256),
        Self::Hs(Hash::Sha384),
        Self::Hs(Hash::Sha512),
        Self::Rs(Hash::Sha256),
        Self::Rs(Hash::Sha384),
        Self::Rs(Hash::Sha512),
        Self::Ps(Hash::Sha256),
        Self::Ps(Hash::Sha384),
        Self::Ps(Hash::Sha512),
        Self::Es(Curve::P256),
        Self::Es(Curve::P384),
        Self::Es(Curve::P521),
        Self::EdDsa,
    ];

    /// As tokens and JWKs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs(Hash::Sha256) => "HS256",
            Self::Hs(Hash::Sha384) => "HS384",
            Self::Hs(Hash::Sha512) => "HS512",
            Self::Rs(Hash::Sha256) => "RS256",
            Self::Rs(Hash::Sha384) => "RS384",
            Self::Rs(Hash::Sha512) => "RS512",
            Self::Ps(Hash::Sha256) => "PS256",
            Self::Ps(Hash::Sha384) => "PS384",
            Self::Ps(Hash::Sha512) => "PS512",
            Self::Es(Curve::P256) => "ES256",
            Self::Es(Curve::P384) => "ES384",
            Self::Es(Curve::P521) => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Whether who verifies could sign as well.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs(_))
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Case counts (RFC 7515 §4.1.1).
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == name);
        found.ok_or(UnknownAlgorithm)
    }
}

impl Algorithms {
    /// Whether that one is in the set.
    pub fn contain(self, algorithm: Algorithm) -> bool {
        self.0 & bit(algorithm) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        let all = Algorithm::ALL.into_iter();
        all.filter(move |algorithm| self.contain(*algorithm))
    }
}

impl FromIterator<Algorithm> for Algorithms {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        let bits = algorithms.into_iter().map(bit);
        Self(bits.fold(0, |set, bit| set | bit))
    }
}

fn bit(algorithm: Algorithm) -> u16 {
    let place = Algorithm::ALL.iter().position(|known| *known == algorithm);
    place.map_or(0, |place| 1 << place)
}
