//! Tokens of others, forged tokens, and which key is taken.

mod examples;
mod forgeries;
mod key_ids;
mod library;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{base64url::encode, *};

pub(super) const NOW_MS: u64 = 1_800_000_000_000;
pub(super) const SECRET: &[u8] = b"a secret of thirty-two bytes, ok";
pub(super) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
pub(super) const CLAIMS: &str = r#"{"sub":"u-1","exp":1800003600}"#;

/// A host that must not be asked.
pub(super) struct Nobody;

impl Signatures for Nobody {
    fn is_signed(&self, question: &Question<'_>) -> bool {
        panic!("nobody answers {question:?}")
    }
}

pub(super) fn secret_key() -> Key {
    Key {
        id: None,
        algorithm: None,
        material: KeyMaterial::secret(SECRET.into()).unwrap(),
    }
}

pub(super) fn verifier(keys: Keys, algorithms: &[&str]) -> Verifier {
    Verifier {
        algorithms: algorithms.iter().map(|one| one.parse().unwrap()).collect(),
        keys,
        claims: ClaimChecks {
            issuer: None,
            audience: Box::default(),
            required: Box::default(),
            scopes: Box::default(),
            skew_ms: 60_000,
            requires_exp: true,
        },
    }
}

pub(super) fn hs256() -> Verifier {
    verifier(Keys::One(Box::new(secret_key())), &["HS256"])
}

pub(super) fn mac(secret: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// With a right signature, whatever the header says.
pub(super) fn signed(header: &str, claims: &str) -> String {
    signed_with(SECRET, header, claims)
}

pub(super) fn signed_with(secret: &[u8], header: &str, claims: &str) -> String {
    let text = format!(
        "{}.{}",
        encode(header.as_bytes()),
        encode(claims.as_bytes())
    );
    let signature = encode(&mac(secret, &text));
    format!("{text}.{signature}")
}
