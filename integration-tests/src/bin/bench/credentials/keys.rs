//! The keys of an issuer of tokens, and tokens by them.

use anyhow::{Context, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// 2048 bits.
const RSA: &str = include_str!("../../../../../policy/src/secret_form/tests/keys/rsa.pem");
const P256: &str = include_str!("../../../../../policy/src/secret_form/tests/keys/p256.pem");
/// What the tokens say of who made them.
pub(super) const ISSUER: &str = "https://issuer.bench.test";
/// The year 2100.
const EXPIRES: u64 = 4_102_444_800;

/// A signing key.
#[derive(Debug)]
pub(super) enum Key {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
}

impl Key {
    pub(super) fn rs256() -> anyhow::Result<Self> {
        let pair = RsaKeyPair::from_pkcs8(&der(RSA)?).map_err(|error| anyhow!("{error}"))?;
        Ok(Self::Rs256(pair))
    }

    pub(super) fn es256() -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der(P256)?, &random);
        Ok(Self::Es256(pair.map_err(|error| anyhow!("{error}"))?))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
        }
    }

    /// The public key (RFC 7517).
    pub(super) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rs256(pair) => {
                let RsaPublicKeyComponents { n, e } =
                    RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "alg": "RS256", "n": text(&n), "e": text(&e)})
            }
            Self::Es256(pair) => {
                // Uncompressed: a byte 4, then both coordinates of 32 bytes.
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "x": text(x), "y": text(y)})
            }
        }
    }

    /// A token (RFC 7519) of its own for each number.
    pub(super) fn token(&self, number: usize) -> anyhow::Result<String> {
        let head = json!({"alg": self.algorithm(), "typ": "JWT"});
        let claims = json!({
            "iss": ISSUER, "aud": "bench", "sub": format!("caller-{number}"), "exp": EXPIRES,
            "scope": "read write",
        });
        let [head, claims] = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let text = format!("{head}.{claims}");
        let signature = self.sign(text.as_bytes())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn sign(&self, text: &[u8]) -> anyhow::Result<Vec<u8>> {
        let random = SystemRandom::new();
        let failed = |_| anyhow!("the key does not sign");
        match self {
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature);
                signed.map_err(failed)?;
                Ok(signature)
            }
            Self::Es256(pair) => {
                let signature = pair.sign(&random, text).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

fn der(pem: &str) -> anyhow::Result<Vec<u8>> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let text: String = lines.collect();
    BASE64_STANDARD.decode(text).context("a PEM file")
}
