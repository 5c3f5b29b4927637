//! The little DER that is read: a SubjectPublicKeyInfo (RFC 5280), by itself or in a certificate,
//! and an RSAPublicKey (RFC 8017). Of a certificate nothing else counts.

use super::{Curve, Numbers};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const EXPLICIT_0: u8 = 0xa0;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P_384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P_521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Of a SubjectPublicKeyInfo.
pub(super) fn public_key(der: &[u8]) -> Option<Numbers> {
    let mut whole = Reader(der);
    let mut info = whole.inside(SEQUENCE)?;
    whole.end()?;
    let mut algorithm = info.inside(SEQUENCE)?;
    // A key has whole bytes, so no bits of the last are unused.
    let (&0, key) = info.content(BIT_STRING)?.split_first()? else {
        return None;
    };
    info.end()?;
    match algorithm.content(OBJECT_ID)? {
        RSA_ENCRYPTION => rsa_public_key(key),
        EC_PUBLIC_KEY => point(algorithm.content(OBJECT_ID)?, key),
        ED25519 => Some(Numbers::Ed25519(key.to_vec())),
        _ => None,
    }
}

/// Of an RSAPublicKey.
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<Numbers> {
    let mut whole = Reader(der);
    let mut numbers = whole.inside(SEQUENCE)?;
    whole.end()?;
    let modulus = numbers.content(INTEGER)?.to_vec();
    let exponent = numbers.content(INTEGER)?.to_vec();
    numbers.end()?;
    Some(Numbers::Rsa { modulus, exponent })
}

/// Of a certificate.
pub(super) fn certified_key(der: &[u8]) -> Option<Numbers> {
    let mut whole = Reader(der);
    let mut certificate = whole.inside(SEQUENCE)?;
    whole.end()?;
    let mut signed = certificate.inside(SEQUENCE)?;
    // The version, which the first one leaves out (RFC 5280 §4.1).
    if signed.is_next(EXPLICIT_0) {
        signed.content(EXPLICIT_0)?;
    }
    signed.content(INTEGER)?;
    // Signature algorithm, issuer, validity, subject.
    for _ in 0..4 {
        signed.content(SEQUENCE)?;
    }
    public_key(signed.element(SEQUENCE)?)
}

fn point(curve: &[u8], key: &[u8]) -> Option<Numbers> {
    let curve = match curve {
        P_256 => Curve::P256,
        P_384 => Curve::P384,
        P_521 => Curve::P521,
        _ => return None,
    };
    let (&UNCOMPRESSED, both) = key.split_first()? else {
        return None;
    };
    let (x, y) = both.split_at_checked(curve.bytes())?;
    Some(Numbers::Ec {
        curve,
        x: x.to_vec(),
        y: y.to_vec(),
    })
}

const UNCOMPRESSED: u8 = 4;

/// What is left of a sequence of elements.
struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    /// The next element's content.
    fn content(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        if found != tag {
            return None;
        }
        self.0 = rest;
        Some(content)
    }

    fn inside(&mut self, tag: u8) -> Option<Self> {
        self.content(tag).map(Self)
    }

    /// The next element with its tag and length.
    fn element(&mut self, tag: u8) -> Option<&'d [u8]> {
        let all = self.0;
        self.content(tag)?;
        all.get(..all.len().checked_sub(self.0.len())?)
    }

    fn is_next(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// A definite length in its shortest form.
fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = der.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    let (bytes, rest) = rest.split_at_checked(count)?;
    let is_shortest = match *bytes {
        [one] => one >= 0x80,
        [high, _] | [high, _, _] => high != 0,
        _ => false,
    };
    let length = bytes
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    is_shortest.then_some((length, rest))
}
