//! Matching in list order, and the equal work of refusals.

use proptest::prelude::*;

use super::*;
use crate::fixtures::Admitting;

mod model;

fn key() -> DigestKey {
    DigestKey::new(&[7; DIGEST_BYTES]).unwrap()
}

fn credential(n: u128, form: Form, secrets: &[&str]) -> ProxyCredential {
    let digest = |secret: &&str| SecretDigest {
        hmac: key().digest(secret.as_bytes()),
        valid_until_ms: None,
    };
    let digests = secrets.iter().map(digest).collect();
    let accepts = Some(Accepted::Secret { form, digests });
    ProxyCredential {
        id: uuid::Uuid::from_u128(n).into(),
        is_active: true,
        ends_at_ms: None,
        accepts,
    }
}

fn bearer(prefix: &str) -> Form {
    Form::Bearer {
        prefix: prefix.into(),
    }
}

/// Hashes that a wrong value costs.
fn work(credentials: &[ProxyCredential], value: &str) -> usize {
    let key = key();
    let mut attempt = Attempt::new(&key, value.as_bytes());
    assert!(attempt.first_match(credentials, &Admitting(0)).is_none());
    attempt.spend_the_rest();
    attempt.hashes
}

#[test]
fn a_refusal_costs_the_same_whatever_the_proxy_accepts() {
    let of_each = || {
        vec![
            credential(1, Form::ApiKey, &["a"]),
            credential(2, Form::Jwt, &["b"]),
            credential(3, bearer("Bearer "), &["c"]),
            credential(4, Form::BasicAuth, &["u:d"]),
        ]
    };
    let mut many = of_each();
    many.extend((5..50).map(|n| credential(n, Form::ApiKey, &["x", "y", "z"])));
    for value in [
        "wrong",
        "Bearer wrong",
        "Basic dTp3cm9uZw==",
        "Basic !",
        "",
        "u:wrong",
    ] {
        for credentials in [&[][..], &of_each()[..1], &of_each()[3..], &of_each(), &many] {
            assert_eq!(
                work(credentials, value),
                REFUSAL_HASHES,
                "{value} {}",
                credentials.len()
            );
        }
    }
}

#[test]
fn a_match_costs_one_hash_however_many_credentials_there_are() {
    let mut credentials: Vec<_> = (0..40)
        .map(|n| credential(n, Form::ApiKey, &["no"]))
        .collect();
    credentials.extend((40..80).map(|n| credential(n, Form::Jwt, &["no"])));
    credentials.push(credential(80, Form::Jwt, &["no", "yes"]));
    let key = key();
    let mut attempt = Attempt::new(&key, b"yes");
    let matched = attempt.first_match(&credentials, &Admitting(0));
    assert_eq!(
        matched,
        Some((uuid::Uuid::from_u128(80).into(), AuthType::Jwt))
    );
    assert_eq!(attempt.hashes, 1);
}

#[test]
fn prefixes_of_one_length_are_not_confused() {
    let credentials = [
        credential(1, bearer("Bearer "), &["t"]),
        credential(2, bearer("Secret "), &["t"]),
        credential(3, bearer(""), &["Secret u"]),
        credential(4, bearer("Secret "), &["u"]),
    ];
    for (value, want) in [
        ("Bearer t", Some(1)),
        ("Secret t", Some(2)),
        ("Secret u", Some(3)),
        ("Token  t", None),
        ("t", None),
    ] {
        let got = verify(&credentials, &key(), value.as_bytes(), &Admitting(0)).ok();
        let want = want.map(|n| (uuid::Uuid::from_u128(n).into(), AuthType::Bearer));
        assert_eq!(got, want, "{value}");
    }
}

#[test]
fn longer_values_than_any_secret_match_nothing() {
    let longest = "k".repeat(MAX_PRESENTED_BYTES);
    let too_long = format!("{longest}k");
    let credentials = [credential(1, Form::ApiKey, &[&longest, &too_long])];
    assert!(verify(&credentials, &key(), longest.as_bytes(), &Admitting(0)).is_ok());
    assert!(verify(&credentials, &key(), too_long.as_bytes(), &Admitting(0)).is_err());
    // The longest pair that can be stored, in base64, still fits.
    assert!("Basic ".len() + (8192 + 1 + 8192_usize).div_ceil(3) * 4 <= MAX_PRESENTED_BYTES);
}

#[test]
fn an_unknown_proxy_is_refused_without_a_policy() {
    for value in [&b""[..], b"key", &vec![0xff; 100_000]] {
        refuse_unknown(value);
    }
}

proptest! {
    #[test]
    fn only_the_secret_itself_matches(secret in "[!-~]{1,20}", other in "[!-~]{1,20}") {
        let credentials = [
            credential(1, Form::ApiKey, &[&secret]),
            credential(2, bearer("Bearer "), &[&secret]),
        ];
        let is_match = |value: &str| verify(&credentials, &key(), value.as_bytes(), &Admitting(0)).is_ok();
        let bearer_form = format!("Bearer {secret}");
        prop_assert!(is_match(&secret) && is_match(&bearer_form));
        prop_assert_eq!(is_match(&other), other == secret || other == bearer_form);
    }

    #[test]
    fn any_value_is_judged_without_panic(value: Vec<u8>) {
        let credentials = [
            credential(1, Form::BasicAuth, &["u:p"]),
            credential(2, bearer("Bearer "), &["t"]),
        ];
        let _ = verify(&credentials, &key(), &value, &Admitting(0));
        let _ = verify(&credentials, &key(), &[b"Basic ", value.as_slice()].concat(), &Admitting(0));
    }
}
