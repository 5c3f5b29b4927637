//! What tokens say, who signs them, and how long they serve.

use std::cell::Cell;

use super::*;
use crate::sign::tests::{Broken, given};

/// A host that counts, with a signature that it makes of all it is given.
#[derive(Default)]
struct Host {
    drawn: Cell<u8>,
}

impl Tools for Host {
    fn random(&self) -> Option<[u8; 16]> {
        self.drawn.set(self.drawn.get() + 1);
        Some([self.drawn.get(); 16])
    }

    fn sign(&self, hash: Hash, pkcs8: &SecretBytes, text: &[u8]) -> Option<Vec<u8>> {
        assert!(text.starts_with(b"eyJhbGciOiJub25lIn0."));
        match pkcs8.expose() {
            b"rsa" => Some(hash.as_str().into()),
            b"ecdsa" => Some(vec![0x30, 6, 2, 1, 5, 2, 1, 7]),
            _ => None,
        }
    }
}

const HEADER: &str = r#"{"alg":"none"}"#;
const LIFE: Life = Life {
    seconds: 60,
    is_each_call: false,
};
const AT_MS: u64 = 1_700_000_000_500;

fn minter(key: JwtKey, claims: &str) -> Option<Minter> {
    let place = Carrier::Header("authorization".into(), "Bearer ".into());
    Minter::new(key, (HEADER, claims), LIFE, place)
}

fn mac() -> JwtKey {
    JwtKey::Mac(Box::new(MacKey::new(Hash::Sha256, b"secret").unwrap()))
}

/// The token that a call gets at that time.
fn token(minter: &Minter, now_ms: u64, tools: &dyn Tools) -> Result<String, CannotSign> {
    let mut request = given("GET", "/", &[]);
    request.now_ms = now_ms;
    let placed = minter.sign(&request.outgoing(), tools)?;
    let [placed] = &placed[..] else {
        panic!("{placed:?}");
    };
    assert_eq!(placed.header, Some("authorization"));
    let text = String::from_utf8(placed.value.expose().to_vec()).unwrap();
    let token = text.strip_prefix("Bearer ").unwrap();
    assert_eq!(text.get(placed.secret.clone()), Some(token));
    Ok(token.to_owned())
}

fn payload(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn claims_of_the_moment_are_added() {
    let moment =
        r#""iat":1700000000,"exp":1700000060,"jti":"01010101-0101-4101-8101-010101010101"}"#;
    for (claims, want) in [
        ("{}", "{"),
        (" { } ", "{"),
        (r#"{"iss":"a","aud":["b"]}"#, r#"{"iss":"a","aud":["b"],"#),
    ] {
        let minter = minter(mac(), claims).unwrap();
        let token = token(&minter, AT_MS, &Host::default()).unwrap();
        assert_eq!(payload(&token), [want, moment].concat());
        assert!(token.starts_with("eyJhbGciOiJub25lIn0."));
    }
    for claims in ["", "[]", "{", r#""a""#] {
        assert!(minter(mac(), claims).is_none(), "{claims}");
    }
}

#[test]
fn a_token_serves_until_a_fifth_of_its_life_is_left() {
    let minter = minter(mac(), "{}").unwrap();
    let host = Host::default();
    let at = |seconds: u64| token(&minter, AT_MS + seconds * 1_000, &host).unwrap();
    let first = at(0);
    assert_eq!(at(47), first);
    let second = at(48);
    assert_ne!(second, first);
    assert_eq!(at(95), second);
    assert_ne!(at(96), second);
    assert_eq!(host.drawn.get(), 3);
}

#[test]
fn each_call_may_have_a_token_of_its_own() {
    let place = Carrier::Header("authorization".into(), "Bearer ".into());
    let life = Life {
        is_each_call: true,
        ..LIFE
    };
    let minter = Minter::new(mac(), (HEADER, "{}"), life, place).unwrap();
    let host = Host::default();
    let tokens = [0, 0, 0].map(|_| token(&minter, AT_MS, &host).unwrap());
    assert_eq!(host.drawn.get(), 3, "in the same millisecond");
    for (number, token) in (1..).zip(&tokens) {
        let id = format!("\"jti\":\"0{number}0{number}");
        let payload = payload(token);
        assert!(payload.contains(&id), "{payload}");
        assert!(payload.contains(r#""exp":1700000060"#), "{payload}");
    }
}

#[test]
fn it_goes_where_the_credential_says() {
    let place = Carrier::Query("jwt".into(), "".into());
    let minter = Minter::new(mac(), (HEADER, "{}"), LIFE, place).unwrap();
    let mut request = given("GET", "/", &[]);
    request.now_ms = AT_MS;
    let placed = minter.sign(&request.outgoing(), &Host::default()).unwrap();
    assert!(
        matches!(&placed[..], [Placed { header: None, value, .. }] if value.expose().starts_with(b"eyJ"))
    );
    assert_eq!(minter.parameter(), Some(&b"jwt"[..]));
    assert!(minter.headers().is_empty());
}

/// RFC 7515, appendix A.1, and RFC 8037, appendix A.4.
#[test]
fn our_signatures_are_those_of_the_rfcs() {
    let secret =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let secret = URL_SAFE_NO_PAD.decode(secret).unwrap();
    let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    let seed = SecretBytes::from(URL_SAFE_NO_PAD.decode(seed).unwrap());
    for (key, text, want) in [
        (
            JwtKey::Mac(Box::new(MacKey::new(Hash::Sha256, &secret).unwrap())),
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
        (
            JwtKey::ed25519(&seed).unwrap(),
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
    ] {
        let signature = key.sign(text.as_bytes(), &Broken).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(signature), want, "{key:?}");
    }
}

#[test]
fn the_host_signs_for_rsa_and_the_curves_of_nist() {
    let key = |bytes: &[u8]| SecretBytes::from(bytes);
    for (key, want) in [
        (JwtKey::Rsa(Hash::Sha512, key(b"rsa")), Ok(&b"sha512"[..])),
        (
            JwtKey::Ecdsa(Hash::Sha256, key(b"ecdsa"), 2),
            Ok(&[0, 5, 0, 7]),
        ),
        (JwtKey::Rsa(Hash::Sha256, key(b"none")), Err(CannotSign)),
        // What is no signature of the curve.
        (JwtKey::Ecdsa(Hash::Sha256, key(b"rsa"), 2), Err(CannotSign)),
    ] {
        let name = format!("{key:?}");
        let minter = minter(key, "{}").unwrap();
        let token = token(&minter, AT_MS, &Host::default());
        let signature = token.map(|token| {
            let signature = token.split('.').nth(2).unwrap().to_owned();
            URL_SAFE_NO_PAD.decode(signature).unwrap()
        });
        assert_eq!(signature.as_deref(), want.as_ref().copied(), "{name}");
    }
}

#[test]
fn nothing_is_minted_without_time_or_randomness() {
    let minter = minter(mac(), "{}").unwrap();
    assert_eq!(token(&minter, AT_MS, &Broken), Err(CannotSign));
    assert_eq!(token(&minter, u64::MAX, &Host::default()), Err(CannotSign));
    assert!(token(&minter, AT_MS, &Host::default()).is_ok());
}
