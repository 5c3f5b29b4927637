//! Keys with certificates of theirs were made with PyPI's cryptography 48.

use serde_json::{Value, json};

use super::*;
use crate::jose::InvalidJwk::{Certificate, Kind, Member, NoObject, Use};

fn keys() -> Value {
    serde_json::from_str(include_str!("tests.json")).unwrap()
}

/// A key with other members; null takes one away.
fn with(kind: &str, members: &Value) -> Value {
    let mut jwk = keys()[kind].take();
    for (name, value) in members.as_object().unwrap() {
        jwk[name] = value.clone();
        if value.is_null() {
            jwk.as_object_mut().unwrap().remove(name);
        }
    }
    jwk
}

#[test]
fn what_a_key_says_of_itself_is_kept() {
    let jwk = with(
        "rsa",
        &json!({"kid": "a", "alg": "PS384", "use": "sig", "key_ops": ["verify"]}),
    );
    let key = read_jwk(&jwk).unwrap();
    assert_eq!(key.id.as_deref(), Some("a"));
    assert_eq!(key.algorithm.map(Algorithm::as_str), Some("PS384"));
    let plain = read_jwk(&with("ec", &json!({"x5c": null}))).unwrap();
    assert_eq!((plain.id, plain.algorithm), (None, None));
}

#[test]
fn the_leaf_of_x5c_is_the_key_if_there_is_no_other() {
    for (kind, own) in [
        ("rsa", json!({"n": null, "e": null})),
        ("ec", json!({"crv": null, "x": null, "y": null})),
        ("okp", json!({"x": null})),
    ] {
        let both = read_jwk(&keys()[kind]).unwrap();
        let certified = read_jwk(&with(kind, &own)).unwrap();
        assert!(both.numbers.is(&certified.numbers), "{kind}");
    }
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let chain = |kind: &str| keys()[kind]["x5c"].take();
    let other: Value = serde_json::from_str(include_str!("../tests/rfc.json")).unwrap();
    for jwk in [
        with("rsa", &json!({"n": other[1]["jwk"]["n"]})),
        with("rsa", &json!({"x5c": chain("ec")})),
        with("ec", &json!({"x5c": chain("rsa")})),
        with("rsa", &json!({"n": null, "e": null, "x5c": chain("ec")})),
    ] {
        assert_eq!(read_jwk(&jwk).err(), Some(Certificate), "{jwk}");
    }
}

#[test]
fn what_cannot_verify_signatures_is_no_key() {
    for (jwk, want) in [
        (json!([]), NoObject),
        (json!({}), Kind),
        (json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}), Kind),
        (json!({"kty": "oct", "k": "AAAA"}), Kind),
        (json!({"kty": 1}), Member),
        (
            json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
            Kind,
        ),
        (json!({"kty": "OKP", "crv": "Ed448", "x": "AA"}), Kind),
        (json!({"kty": "OKP", "crv": "X25519", "x": "AA"}), Kind),
        (json!({"kty": "RSA"}), Member),
        (with("rsa", &json!({"e": null, "x5c": null})), Member),
        (with("rsa", &json!({"n": "AA==", "x5c": null})), Member),
        (with("rsa", &json!({"n": 5})), Member),
        (with("rsa", &json!({"kid": 5})), Member),
        (with("rsa", &json!({"x5c": []})), Member),
        (with("rsa", &json!({"x5c": ["AAAA"]})), Member),
        (with("rsa", &json!({"x5c": "MIIB"})), Member),
        (with("rsa", &json!({"use": "enc"})), Use),
        (with("rsa", &json!({"key_ops": ["encrypt"]})), Use),
        (with("rsa", &json!({"alg": "RSA-OAEP-256"})), Use),
        (with("rsa", &json!({"alg": "none"})), Use),
        (with("rsa", &json!({"alg": "HS256"})), Use),
        (with("rsa", &json!({"alg": "ES256"})), Use),
        (with("ec", &json!({"alg": "ES384"})), Use),
        (
            with("weak", &json!({})),
            InvalidJwk::Key(InvalidKey::WeakRsa),
        ),
        (
            with("ec", &json!({"x": "AA", "x5c": null})),
            InvalidJwk::Key(InvalidKey::Ec),
        ),
        (
            with("okp", &json!({"x": "AA", "x5c": null})),
            InvalidJwk::Key(InvalidKey::Ed25519),
        ),
    ] {
        assert_eq!(read_jwk(&jwk).err(), Some(want), "{jwk}");
    }
}

#[test]
fn one_bad_entry_of_a_set_does_not_matter_to_the_others() {
    let good = with("ec", &json!({"kid": "good"}));
    let set = json!({"keys": [
        {"kty": "AKP"}, with("weak", &json!({})), null, with("rsa", &json!({"use": "enc"})),
        good, with("rsa", &json!({"kid": "good"})),
    ]});
    let set = read_key_set(set.to_string().as_bytes()).unwrap();
    assert_eq!((set.keys.len(), set.skipped), (2, 4));
    assert!(set.keys.iter().all(|key| key.id.as_deref() == Some("good")));
    let empty = read_key_set(br#"{"keys":[]}"#).unwrap();
    assert_eq!((empty.keys.len(), empty.skipped), (0, 0));
}

#[test]
fn of_the_sets_of_rfc_7517_what_verifies_is_taken() {
    let sets: Value = serde_json::from_str(include_str!("rfc7517.json")).unwrap();
    for set in sets.as_array().unwrap() {
        let read = read_key_set(set.to_string().as_bytes()).unwrap();
        let ids: Vec<_> = read.keys.iter().map(|key| key.id.as_deref()).collect();
        let usable = set["usable"].as_array().unwrap();
        let want: Vec<_> = usable.iter().map(Value::as_str).collect();
        assert_eq!(ids, want, "{}", set["name"]);
        let skipped = set["keys"].as_array().unwrap().len() - want.len();
        assert_eq!(read.skipped, skipped, "{}", set["name"]);
        assert!(read.keys.iter().all(|key| key.numbers.material().is_ok()));
    }
}

#[test]
fn what_is_no_set_or_too_much_is_refused() {
    use InvalidKeySet::{NoSet, TooLong, TooMany};
    let of = |count: usize| json!({"keys": vec![json!({"kty": "AKP"}); count]}).to_string();
    assert_eq!(
        read_key_set(of(500).as_bytes()).map(|set| set.skipped),
        Ok(500)
    );
    let long = format!("{{\"keys\":[],\"a\":\"{}\"}}", "a".repeat(MAX_SET_BYTES));
    for (document, want) in [
        (of(501).as_str(), TooMany),
        (&long, TooLong),
        ("", NoSet),
        ("<html>", NoSet),
        ("[]", NoSet),
        ("{}", NoSet),
        (r#"{"keys":{}}"#, NoSet),
    ] {
        let set = read_key_set(document.as_bytes());
        assert_eq!(set.err(), Some(want), "{document:.20}");
    }
}

#[test]
fn pem_has_three_forms() {
    let keys = keys();
    let rsa = read_jwk(&keys["rsa"]).unwrap();
    let pkcs1 = read_pem(keys["pkcs1"].as_str().unwrap()).unwrap();
    assert!(pkcs1.numbers.is(&rsa.numbers));
    for kind in ["rsa", "ec", "okp"] {
        let der = keys[kind]["x5c"][0].as_str().unwrap();
        let pem = format!("-----BEGIN CERTIFICATE-----\r\n{der}\r\n-----END CERTIFICATE-----\r\n");
        let numbers = read_jwk(&keys[kind]).unwrap().numbers;
        assert!(read_pem(&pem).unwrap().numbers.is(&numbers), "{kind}");
    }
}

#[test]
fn other_pem_is_refused() {
    use InvalidPem::{Block, Kind, Private};
    let block =
        |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
    for (pem, want) in [
        (String::new(), Block),
        ("MIIB".to_owned(), Block),
        (block("PRIVATE KEY", "MIIB"), Private),
        (block("EC PRIVATE KEY", "MIIB"), Private),
        (block("CERTIFICATE REQUEST", "MIIB"), Block),
        (block("PUBLIC KEY", "!"), Block),
        (block("PUBLIC KEY", "MIIB"), Kind),
        (block("PUBLIC KEY", ""), Kind),
        (
            block("PUBLIC KEY", "MIIB") + "\n" + &block("PUBLIC KEY", "MIIB"),
            Block,
        ),
        (
            block("PUBLIC KEY", "MIIB").replace("END PUBLIC", "END RSA PUBLIC"),
            Block,
        ),
    ] {
        assert_eq!(read_pem(&pem).err(), Some(want), "{pem}");
    }
}

proptest::proptest! {
    #[test]
    fn no_der_breaks_the_reader(noise: Vec<u8>, place in 0_usize..300, byte: u8) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let _ = (asn1::public_key(&noise), asn1::certified_key(&noise));
        let mut der = STANDARD.decode(keys()["rsa"]["x5c"][0].as_str().unwrap()).unwrap();
        der[place] = byte;
        let _ = asn1::certified_key(&der);
    }
}
