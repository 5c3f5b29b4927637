//! Tokens that others signed: those of the RFCs, and some of OpenSSL's (`openssl.json` was made with
//! PyPI's cryptography 48).

use serde::Deserialize;
use serde_json::Value;

use super::{library::Library, *};
use crate::jose::{base64url::decode, signature::is_signed, token::Token};

#[derive(Deserialize)]
struct Example {
    name: String,
    jwk: Value,
    token: String,
    /// Whether it should be taken.
    good: Option<bool>,
    pem: Option<String>,
    spki: Option<String>,
    /// The signature, where no library of ours can tell whether it is right.
    der: Option<String>,
}

fn rfcs() -> Vec<Example> {
    serde_json::from_str(include_str!("rfc.json")).unwrap()
}

fn openssls() -> Vec<Example> {
    serde_json::from_str(include_str!("openssl.json")).unwrap()
}

impl Example {
    fn key(&self) -> KeyMaterial {
        match self.jwk.get("k").and_then(Value::as_str) {
            Some(secret) => KeyMaterial::secret(decode(secret.as_bytes()).unwrap().into()),
            None => read_jwk(&self.jwk).unwrap().numbers.material(),
        }
        .unwrap()
    }

    fn library(&self) -> Library {
        let bytes = |text: &String| decode(text.as_bytes()).unwrap();
        Library {
            known: self.der.as_ref().map(|der| {
                let spki = self.spki.as_ref().unwrap();
                (bytes(spki), bytes(der))
            }),
        }
    }

    fn is_right(&self, token: &str) -> bool {
        let token = Token::parse(token.as_bytes()).unwrap();
        is_signed(&token, &self.key(), &self.library())
    }
}

#[test]
fn the_signatures_of_the_rfcs_are_right() {
    for example in rfcs() {
        assert!(example.is_right(&example.token), "{}", example.name);
    }
}

#[test]
fn the_unsecured_token_of_rfc_7515_a_5_is_refused() {
    let token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    let refused = Token::parse(token.as_bytes()).map(drop);
    assert_eq!(refused, Err(InvalidToken::Algorithm));
}

#[test]
fn the_unencoded_token_of_rfc_7797_is_refused() {
    let token = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    assert!(Token::parse(token.as_bytes()).is_err());
}

#[test]
fn tokens_of_openssl_are_right_or_not() {
    for example in openssls() {
        let verifier = |key| verifier(Keys::One(Box::new(key)), &[example.algorithm()]);
        let outcome = verifier(Key {
            id: None,
            algorithm: None,
            material: example.key(),
        })
        .verify(
            example.token.as_bytes(),
            &Trial::new(NOW_MS, &example.library()),
        );
        let want = match example.good {
            Some(true) => Ok(Verified {
                end_ms: Some(4_102_444_800_000),
            }),
            _ => Err(Refused::Signature),
        };
        assert_eq!(outcome, want, "{} {}", example.name, example.algorithm());
    }
}

impl Example {
    fn algorithm(&self) -> &str {
        let header = decode(self.token.split('.').next().unwrap().as_bytes()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        let names = Algorithm::ALL.into_iter().map(Algorithm::as_str);
        names
            .into_iter()
            .find(|name| header["alg"] == *name)
            .unwrap()
    }
}

#[test]
fn no_byte_of_a_signature_or_text_may_change() {
    for example in openssls()
        .iter()
        .filter(|example| example.good == Some(true))
    {
        let (text, signature) = example.token.rsplit_once('.').unwrap();
        let signature = decode(signature.as_bytes()).unwrap();
        let places = [0, 1, signature.len() / 2, signature.len() - 1];
        for (place, bit) in places.into_iter().zip([0x80, 1, 0x10, 1]) {
            let mut changed = signature.clone();
            changed[place] ^= bit;
            let token = format!("{text}.{}", encode(&changed));
            assert!(!example.is_right(&token), "{} {place}", example.name);
        }
        for other in [
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..]].concat(),
            signature[1..].to_vec(),
            signature[..signature.len() - 1].to_vec(),
            vec![0; signature.len()],
            vec![0xff; signature.len()],
        ] {
            let token = format!("{text}.{}", encode(&other));
            assert!(!example.is_right(&token), "{} {other:?}", example.name);
        }
        if example.der.is_none() {
            let (header, claims) = text.split_once('.').unwrap();
            let claims = claims.replacen('e', "f", 1);
            let token = format!("{header}.{claims}.{}", encode(&signature));
            assert!(!example.is_right(&token), "{}", example.name);
        }
    }
}

#[test]
fn pem_and_jwk_of_a_key_are_the_same_numbers() {
    for example in openssls() {
        let (pem, jwk) = (example.pem.unwrap(), read_jwk(&example.jwk).unwrap());
        let of_pem = read_pem(&pem).unwrap().numbers.material().unwrap();
        assert!(
            of_pem.is(&jwk.numbers.material().unwrap()),
            "{}",
            example.name
        );
        assert_eq!(read_pem(&format!("\n{pem}\n ")).unwrap().id, None);
    }
}
