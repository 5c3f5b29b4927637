use super::*;
use crate::fixtures::{PolicyFixture, tokens::token_of};

const SECRET: &str = "a secret of thirty-two bytes, ok";

fn fixture() -> PolicyFixture {
    PolicyFixture::new().shared_secret(SECRET)
}

fn invalid(fixture: &PolicyFixture) -> Option<String> {
    let admission = fixture.admission();
    admission.err().map(|invalid| invalid.to_string())
}

fn check(change: impl FnOnce(&mut wire::SignedToken), want: &str) {
    let mut fixture = fixture();
    change(fixture.last_token());
    let want = format!("proxy credential 0: token: {want}");
    assert_eq!(invalid(&fixture), Some(want));
}

#[test]
fn a_credential_that_could_verify_nothing_does_not_compile() {
    assert_eq!(invalid(&fixture()), None);
    check(|token| token.r#type = 0, "type is unknown");
    check(|token| token.r#type = 9, "type is unknown");
    check(|token| token.algorithms.clear(), "there are no algorithms");
    let unknown = "algorithm is none of HS, RS, PS, ES 256 to 512 and EdDSA";
    check(|token| token.algorithms.push("none".into()), unknown);
    check(|token| token.keys[0].algorithm = "hs256".into(), unknown);
    check(
        |token| token.keys.clear(),
        "there must be one key, or a set",
    );
    check(
        |token| token.keys.extend_from_within(..),
        "there must be one key, or a set",
    );
    check(
        |token| token.keys[0].material = None,
        "key has no known material",
    );
    check(|token| token.claims = None, "claim checks are incomplete");
    let required = |allowed| wire::RequiredClaim {
        name: "a".to_owned(),
        allowed,
    };
    check(
        |token| {
            let checks = token.claims.as_mut().unwrap();
            checks.required = vec![required(vec![wire::ClaimValue { value: None }])];
        },
        "claim checks are incomplete",
    );
}

#[test]
fn keys_that_are_none_do_not_compile() {
    let weak = wire::RsaKey {
        modulus: vec![0xff; 128].into(),
        exponent: vec![3].into(),
    };
    let point = |curve: wire::Curve| wire::EcKey {
        curve: curve.into(),
        x: vec![1; 32].into(),
        y: vec![1; 32].into(),
    };
    for (material, want) in [
        (
            Material::Rsa(weak),
            "an RSA key must have 2048 bits or more",
        ),
        (
            Material::Ec(point(wire::Curve::Unspecified)),
            "key has no known material",
        ),
        (
            Material::Ec(point(wire::Curve::P384)),
            "an EC key must be a point with two coordinates of its curve's length",
        ),
        (
            Material::Ed25519(vec![1].into()),
            "an Ed25519 key must be 32 bytes",
        ),
    ] {
        check(|token| token.keys[0].material = Some(material), want);
    }
}

#[test]
fn a_shared_secret_opens_for_its_credential_and_version_only() {
    let not_ours = "shared secret: envelope is not authentic";
    check(|token| token.version += 1, not_ours);
    let sealed = fixture().last_token().clone();
    let moved = PolicyFixture::new().api_key("key").signed_token(sealed);
    assert!(
        invalid(&moved)
            .unwrap()
            .starts_with("proxy credential 1: token: shared secret")
    );
    check(
        |token| token.keys[0].material = Some(Material::SealedSecret(vec![1].into())),
        "shared secret: envelope is truncated",
    );
}

#[test]
fn a_short_shared_secret_is_no_key() {
    let short = PolicyFixture::new().shared_secret("short");
    let want = "proxy credential 0: token: a shared secret must be at least 32 bytes";
    assert_eq!(invalid(&short).as_deref(), Some(want));
}

#[test]
fn a_set_may_be_empty_and_a_lone_key_may_not() {
    let mut fixture = fixture();
    let token = fixture.last_token();
    (token.is_key_set, token.keys) = (true, Vec::new());
    assert_eq!(invalid(&fixture), None);
    let key = Material::Ed25519(vec![1; 32].into());
    let fixture = PolicyFixture::new().signed_token(token_of("EdDSA", key));
    assert_eq!(invalid(&fixture), None);
}
