use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::json;

use super::*;

const RSA: &str = include_str!("../../tests/keys/rsa.pem");
const P256: &str = include_str!("../../tests/keys/p256.pem");
const P384: &str = include_str!("../../tests/keys/p384.pem");
const P521: &str = include_str!("../../tests/keys/p521-sec1.pem");
const ED: &str = include_str!("../../tests/keys/ed25519.pem");

fn key(pem: &str) -> PrivateKey {
    private_key(&json!(pem)).unwrap()
}

/// As ring takes public keys.
fn public(key: &PrivateKey) -> Vec<u8> {
    let bytes = key.bytes.expose();
    match key.kind {
        KeyKind::Rsa => RsaKeyPair::from_pkcs8(bytes)
            .unwrap()
            .public_key()
            .as_ref()
            .to_vec(),
        KeyKind::Ec(_) | KeyKind::Ed25519 => match key.public().unwrap() {
            Numbers::Ec { x, y, .. } => [vec![4], x, y].concat(),
            Numbers::Ed25519(bytes) => bytes,
            Numbers::Rsa { .. } => panic!("no RSA key"),
        },
    }
}

#[test]
fn what_is_signed_verifies() {
    let all: [(&str, &str, &dyn VerificationAlgorithm); 9] = [
        (RSA, "RS256", &RSA_PKCS1_2048_8192_SHA256),
        (RSA, "RS384", &RSA_PKCS1_2048_8192_SHA384),
        (RSA, "RS512", &RSA_PKCS1_2048_8192_SHA512),
        (RSA, "PS256", &RSA_PSS_2048_8192_SHA256),
        (RSA, "PS384", &RSA_PSS_2048_8192_SHA384),
        (RSA, "PS512", &RSA_PSS_2048_8192_SHA512),
        (P256, "ES256", &ECDSA_P256_SHA256_FIXED),
        (P384, "ES384", &ECDSA_P384_SHA384_FIXED),
        (ED, "EdDSA", &ED25519),
    ];
    for (pem, name, verification) in all {
        let private = key(pem);
        let verifier = UnparsedPublicKey::new(verification, public(&private));
        let signing = JwsKey::new(private, name.parse().unwrap()).unwrap();
        let signature = signing.sign(b"text").unwrap();
        assert!(verifier.verify(b"text", &signature).is_ok(), "{name}");
        assert!(verifier.verify(b"other", &signature).is_err(), "{name}");
    }
}

#[test]
fn a_key_signs_by_what_fits_it_and_usually_by_one() {
    for (pem, usual, fitting) in [
        (
            RSA,
            Some("RS256"),
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
        ),
        (P256, Some("ES256"), &["ES256"]),
        (P384, Some("ES384"), &["ES384"]),
        (P521, None, &[]),
        (ED, Some("EdDSA"), &["EdDSA"]),
    ] {
        let got = ALGORITHMS.into_iter().find(|it| key(pem).kind.fits(*it));
        assert_eq!(got.map(Algorithm::as_str), usual);
        for algorithm in Algorithm::ALL {
            let fits = fitting.contains(&algorithm.as_str());
            let got = JwsKey::new(key(pem), algorithm);
            assert_eq!(got.is_some(), fits, "{usual:?} {algorithm:?}");
        }
    }
}

#[test]
fn a_private_key_knows_its_public_one() {
    for (pem, bits) in [(RSA, 2048), (P256, 256), (P384, 384), (ED, 256)] {
        let numbers = key(pem).public().unwrap();
        let got = match &numbers {
            Numbers::Rsa { modulus, .. } => modulus.iter().skip_while(|it| **it == 0).count() * 8,
            Numbers::Ec { x, y, .. } => {
                assert_eq!(x.len(), y.len());
                x.len() * 8
            }
            Numbers::Ed25519(bytes) => bytes.len() * 8,
        };
        assert_eq!(got, bits);
        assert!(numbers.material().is_ok());
    }
    assert_eq!(key(P521).public(), None);
}
