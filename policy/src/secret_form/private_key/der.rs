//! The little DER of private keys: what kind a PKCS#8 key is (RFC 5958), and the older forms in one.

use crate::{
    jose::{Algorithm, Curve},
    secret::SecretBytes,
};

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const EXPLICIT_0: u8 = 0xa0;

/// Algorithms with their parameters.
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const P_256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P_384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P_521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// 2048 to 4096 bits.
    Rsa,
    /// A point's number on a curve of NIST.
    Ec(Curve),
    /// The seed of an Ed25519 key.
    Ed25519,
}

impl KeyKind {
    /// Whether a key of this kind signs by that algorithm.
    #[must_use]
    pub fn fits(self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Hs(_) => false,
            Algorithm::Rs(_) | Algorithm::Ps(_) => self == Self::Rsa,
            Algorithm::Es(curve) => self == Self::Ec(curve),
            Algorithm::EdDsa => self == Self::Ed25519,
        }
    }
}

/// The kind of a PKCS#8 key, and the key itself.
pub(super) fn kind(pkcs8: &[u8]) -> Option<(KeyKind, &[u8])> {
    let (info, end) = content(pkcs8, SEQUENCE)?;
    let (_version, rest) = content(info, INTEGER)?;
    let (algorithm, rest) = content(rest, SEQUENCE)?;
    let (key, _attributes) = content(rest, OCTETS)?;
    if !end.is_empty() {
        return None;
    }
    let kind = match algorithm {
        RSA => KeyKind::Rsa,
        ED25519 => KeyKind::Ed25519,
        other => KeyKind::Ec(curve(other.strip_prefix(EC)?)?),
    };
    Some((kind, key))
}

/// What is in an octet string.
pub(super) fn octets(der: &[u8]) -> Option<&[u8]> {
    let (octets, end) = content(der, OCTETS)?;
    end.is_empty().then_some(octets)
}

/// PKCS#8 of an RSAPrivateKey.
pub(super) fn wrap_rsa(key: &[u8]) -> SecretBytes {
    wrap(RSA, key)
}

/// PKCS#8 of an ECPrivateKey that names its curve.
pub(super) fn wrap_ec(key: &[u8]) -> Option<SecretBytes> {
    let (inner, _) = content(key, SEQUENCE)?;
    let (_version, rest) = content(inner, INTEGER)?;
    let (_number, rest) = content(rest, OCTETS)?;
    // PKCS#8 names the curve beside the key. RFC 5915 lets the key leave it out.
    let (name, _) = content(rest, EXPLICIT_0)?;
    curve(name)?;
    Some(wrap(&[EC, name].concat(), key))
}

fn curve(name: &[u8]) -> Option<Curve> {
    content(name, OBJECT_ID)?;
    match name {
        P_256 => Some(Curve::P256),
        P_384 => Some(Curve::P384),
        P_521 => Some(Curve::P521),
        _ => None,
    }
}

fn wrap(algorithm: &[u8], key: &[u8]) -> SecretBytes {
    const VERSION: &[u8] = &[INTEGER, 1, 0];
    let algorithm = element(SEQUENCE, algorithm);
    let key = SecretBytes::from(element(OCTETS, key));
    let inner = SecretBytes::from([VERSION, &algorithm, key.expose()].concat());
    SecretBytes::from(element(SEQUENCE, inner.expose()))
}

/// The content of the first element, which has that tag, and what follows.
fn content(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let add = |sum: usize, digit: &u8| sum << 8 | usize::from(*digit);
            (digits.iter().fold(0, add), rest)
        }
        _ => return None,
    };
    if found != tag {
        return None;
    }
    rest.split_at_checked(length)
}

/// Of at most 65,535 bytes, as PEM of 16 KiB holds.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        0x100.. => vec![tag, 0x82, high, low],
    };
    [&head, content].concat()
}
