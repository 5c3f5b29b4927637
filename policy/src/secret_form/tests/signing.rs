//! Types that sign.

use serde_json::{Value, json};

use super::read;
use crate::{
    jose::Curve,
    secret_form::{
        SecretForm,
        auth_type::{AuthType, Side},
        private_key::{KeyKind, private_key},
        signed_jwt::SigningKey,
    },
};

const RSA: &str = include_str!("keys/rsa.pem");
const RSA_PKCS1: &str = include_str!("keys/rsa-pkcs1.pem");
const RSA_SHORT: &str = include_str!("keys/rsa-1024.pem");
const P256: &str = include_str!("keys/p256.pem");
const P256_SEC1: &str = include_str!("keys/p256-sec1.pem");
const P384: &str = include_str!("keys/p384.pem");
const P521: &str = include_str!("keys/p521-sec1.pem");
const ED25519: &str = include_str!("keys/ed25519.pem");
const SECP256K1: &str = include_str!("keys/secp256k1.pem");
const ENCRYPTED: &str = include_str!("keys/encrypted.pem");

fn of(auth_type: AuthType, base: &Value, change: &Value) -> Result<SecretForm, Vec<String>> {
    let mut secret = base.clone();
    for (name, value) in change.as_object().unwrap() {
        secret[name] = value.clone();
    }
    read(auth_type, Side::Target, &secret)
}

#[test]
fn keys_are_told_apart_and_brought_into_one_form() {
    let kind = |pem: &str| private_key(&json!(pem)).map(|key| key.kind).ok();
    for (pem, want) in [
        (RSA, Some(KeyKind::Rsa)),
        (RSA_PKCS1, Some(KeyKind::Rsa)),
        (P256, Some(KeyKind::Ec(Curve::P256))),
        (P256_SEC1, Some(KeyKind::Ec(Curve::P256))),
        (P384, Some(KeyKind::Ec(Curve::P384))),
        (P521, Some(KeyKind::Ec(Curve::P521))),
        (ED25519, Some(KeyKind::Ed25519)),
        (RSA_SHORT, None),
        (SECP256K1, None),
        (ENCRYPTED, None),
        ("", None),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            None,
        ),
    ] {
        assert_eq!(kind(pem), want, "{pem}");
    }
    // Cut anywhere it is none, and says so without ending the process.
    for end in 0..P256_SEC1.trim().len() {
        assert_eq!(kind(P256_SEC1.get(..end).unwrap()), None);
    }
    let of = |pem: &str| private_key(&json!(pem)).unwrap().bytes;
    assert!(of(RSA) == of(RSA_PKCS1));
    assert_eq!(of(ED25519).expose().len(), 32);
    assert!(of(P256_SEC1).expose().starts_with(&[0x30, 0x81]));
}

#[test]
fn a_token_says_who_signs_it() {
    let base = json!({"algorithm": "ES256", "privateKey": P256});
    let form = of(AuthType::SignedJwt, &base, &json!({"keyId": "k\"1"})).unwrap();
    let SecretForm::SignedJwt(jwt) = &form else {
        panic!("{form:?}");
    };
    assert_eq!(jwt.header, r#"{"alg":"ES256","kid":"k\"1","typ":"JWT"}"#);
    assert_eq!((&*jwt.claims, jwt.ttl_seconds), ("{}", 60));
    assert_eq!((&*jwt.name, &*jwt.prefix), ("Authorization", "Bearer "));
    assert!(!format!("{form:?}").contains("MIG"));
    let base = json!({
        "algorithm": "HS256", "sharedSecret": "base64:c2VjcmV0", "location": "query",
        "name": "jwt", "claims": {"iss": "us", "aud": ["a"]}, "ttlSeconds": 5
    });
    let form = of(AuthType::SignedJwt, &base, &json!({})).unwrap();
    let SecretForm::SignedJwt(jwt) = &form else {
        panic!("{form:?}");
    };
    assert_eq!(jwt.claims, r#"{"aud":["a"],"iss":"us"}"#);
    assert_eq!(jwt.prefix, "");
    assert!(matches!(&jwt.key, SigningKey::Shared(key) if key.expose() == b"secret"));
}

#[test]
fn every_algorithm_takes_its_kind_of_key_and_no_other() {
    for (algorithm, fitting) in [
        ("RS256", RSA),
        ("RS512", RSA_PKCS1),
        ("PS256", RSA),
        ("PS512", RSA_PKCS1),
        ("ES256", P256_SEC1),
        ("ES384", P384),
        ("ES512", P521),
        ("EdDSA", ED25519),
    ] {
        for pem in [RSA, RSA_PKCS1, P256_SEC1, P384, P521, ED25519] {
            let secret = json!({"algorithm": algorithm, "privateKey": pem});
            let is_rsa = ["RS", "PS"].iter().any(|it| algorithm.starts_with(it))
                && [RSA, RSA_PKCS1].contains(&pem);
            let got = of(AuthType::SignedJwt, &secret, &json!({}));
            assert_eq!(got.is_ok(), is_rsa || pem == fitting, "{algorithm}");
        }
    }
}

#[test]
fn each_call_has_a_token_of_its_own_where_that_is_cheap() {
    let shared = json!("shared-secret-of-at-least-thirty-two-bytes");
    for (algorithm, member, key, seconds, want) in [
        ("HS256", "sharedSecret", &shared, 0, Some((60, true))),
        ("ES256", "privateKey", &json!(P256), 0, Some((60, true))),
        ("EdDSA", "privateKey", &json!(ED25519), 0, Some((60, true))),
        ("EdDSA", "privateKey", &json!(ED25519), 1, Some((1, false))),
        ("RS256", "privateKey", &json!(RSA), 0, None),
        ("RS256", "privateKey", &json!(RSA), 1, Some((1, false))),
        ("PS256", "privateKey", &json!(RSA), 0, None),
        ("PS256", "privateKey", &json!(RSA), 29, None),
        ("PS256", "privateKey", &json!(RSA), 30, Some((30, false))),
    ] {
        let mut secret = json!({"algorithm": algorithm, "ttlSeconds": seconds});
        secret[member] = key.clone();
        let got = of(AuthType::SignedJwt, &secret, &json!({}));
        let got = match got {
            Ok(SecretForm::SignedJwt(jwt)) => {
                assert_eq!(jwt.minted_ahead().is_some(), algorithm == "PS256");
                Ok((jwt.ttl_seconds, jwt.is_each_call))
            }
            Err(fields) => Err(fields),
            other => panic!("{other:?}"),
        };
        let refused = vec!["ValidationFailed ttlSeconds".to_owned()];
        assert_eq!(got, want.ok_or(refused), "{algorithm} {seconds}");
    }
}

#[test]
fn every_problem_of_a_token_has_its_place() {
    let base = json!({"algorithm": "HS256", "sharedSecret": "s"});
    for (change, want) in [
        (json!({"algorithm": "none"}), "ValidationFailed algorithm"),
        (
            json!({"sharedSecret": null}),
            "ValidationFailed sharedSecret",
        ),
        (
            json!({"sharedSecret": "base64:?"}),
            "InvalidSecret sharedSecret",
        ),
        (json!({"privateKey": P256}), "InvalidSecret privateKey"),
        (json!({"claims": []}), "ValidationFailed claims"),
        (json!({"claims": {"exp": 1}}), "ValidationFailed claims"),
        (
            json!({"claims": {"a": "x".repeat(4_096)}}),
            "ValidationFailed claims",
        ),
        (json!({"ttlSeconds": -1}), "ValidationFailed ttlSeconds"),
        (json!({"ttlSeconds": 3_601}), "ValidationFailed ttlSeconds"),
        (json!({"keyId": ""}), "ValidationFailed keyId"),
        (json!({"location": "cookie"}), "ValidationFailed location"),
        (json!({"name": "Host"}), "InvalidSecret name"),
        (json!({"prefix": "a\nb"}), "InvalidSecret prefix"),
        (json!({"kid": "a"}), "UnknownField kid"),
    ] {
        let got = of(AuthType::SignedJwt, &base, &change);
        assert_eq!(got, Err(vec![want.to_owned()]), "{change}");
    }
}

#[test]
fn every_problem_of_aws_has_its_place() {
    let base = json!({
        "accessKeyId": "AKID", "secretAccessKey": "s", "region": "eu-west-1", "service": "s3"
    });
    assert!(of(AuthType::AwsSigV4, &base, &json!({"unsignedPayload": true})).is_ok());
    for (change, want) in [
        (json!({"accessKeyId": "a/b"}), "InvalidSecret accessKeyId"),
        (json!({"accessKeyId": ""}), "InvalidSecret accessKeyId"),
        (
            json!({"secretAccessKey": null}),
            "ValidationFailed secretAccessKey",
        ),
        (json!({"sessionToken": " a"}), "InvalidSecret sessionToken"),
        (json!({"region": "a b"}), "InvalidSecret region"),
        (json!({"service": 1}), "ValidationFailed service"),
        (
            json!({"unsignedPayload": "yes"}),
            "ValidationFailed unsignedPayload",
        ),
        (json!({"host": "a"}), "UnknownField host"),
    ] {
        let got = of(AuthType::AwsSigV4, &base, &change);
        assert_eq!(got, Err(vec![want.to_owned()]), "{change}");
    }
}

#[test]
fn every_problem_of_a_signature_has_its_place() {
    let base = json!({"key": "s", "stringToSign": "{method}", "header": "X-Sig"});
    let form = of(
        AuthType::Hmac,
        &base,
        &json!({"stringToSign": "{bodySha256}"}),
    );
    assert!(matches!(form, Ok(SecretForm::Hmac(hmac)) if hmac.reads_body));
    for (change, want) in [
        (json!({"key": "base64:"}), "InvalidSecret key"),
        (json!({"hash": "sha1"}), "ValidationFailed hash"),
        (json!({"stringToSign": ""}), "InvalidSecret stringToSign"),
        (
            json!({"stringToSign": "{body}"}),
            "InvalidSecret stringToSign",
        ),
        (
            json!({"stringToSign": "{header:te}"}),
            "InvalidSecret stringToSign",
        ),
        (
            json!({"stringToSign": "{header:x-rr-a}"}),
            "InvalidSecret stringToSign",
        ),
        (json!({"encoding": "base32"}), "ValidationFailed encoding"),
        (json!({"header": null}), "ValidationFailed header"),
        (json!({"header": "Content-Length"}), "InvalidSecret header"),
        (
            json!({"timestampHeader": "x_sig"}),
            "InvalidSecret timestampHeader",
        ),
        (json!({"algorithm": "a"}), "UnknownField algorithm"),
    ] {
        let got = of(AuthType::Hmac, &base, &change);
        assert_eq!(got, Err(vec![want.to_owned()]), "{change}");
    }
}
