//! The little DER that is written: public keys (RFC 5280, RFC 8017, RFC 5480) and ECDSA signatures,
//! as Envoy's library takes them.

use crate::jose::algorithm::Curve;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// 1.2.840.113549.1.1.1 with its parameters, NULL.
const RSA_ENCRYPTION: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
const P_256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34
const P_384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
/// 1.3.132.0.35
const P_521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];

/// A SubjectPublicKeyInfo.
pub(super) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = [integer(modulus), integer(exponent)].concat();
    public_key(RSA_ENCRYPTION, &element(SEQUENCE, &numbers))
}

/// A SubjectPublicKeyInfo.
pub(super) fn ec_public_key(curve: Curve, x: &[u8], y: &[u8]) -> Vec<u8> {
    const UNCOMPRESSED: &[u8] = &[4];
    let algorithm = [EC_PUBLIC_KEY, curve_id(curve)].concat();
    public_key(&algorithm, &[UNCOMPRESSED, x, y].concat())
}

/// The two numbers of an ECDSA signature.
pub(crate) fn ecdsa_signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[integer(r), integer(s)].concat())
}

fn public_key(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    const NO_UNUSED_BITS: &[u8] = &[0];
    let algorithm = element(SEQUENCE, algorithm);
    let key = element(BIT_STRING, &[NO_UNUSED_BITS, key].concat());
    element(SEQUENCE, &[algorithm, key].concat())
}

fn curve_id(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => P_256,
        Curve::P384 => P_384,
        Curve::P521 => P_521,
    }
}

/// A number that is not negative.
fn integer(big_endian: &[u8]) -> Vec<u8> {
    let number = trimmed(big_endian);
    let needs_zero = number.first().is_none_or(|first| *first >= 0x80);
    let zero: &[u8] = if needs_zero { &[0] } else { &[] };
    element(INTEGER, &[zero, number].concat())
}

/// A number without leading zeros.
pub(super) fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let length = trimmed(&length);
    match *length {
        [] => out.push(0),
        [short] if short < 0x80 => out.push(short),
        _ => {
            let count = u8::try_from(length.len()).unwrap_or_default();
            out.push(0x80 | count);
            out.extend_from_slice(length);
        }
    }
    out.extend_from_slice(content);
    out
}
