//! What is no scheme, with a message for each reason.

use super::*;
use crate::{
    compile::{InvalidPolicy, upstream::InvalidUpstream},
    fixtures::PolicyFixture,
};

fn hmac(bend: impl FnOnce(&mut wire::HmacSignature)) -> WireScheme {
    let mut hmac = wire::HmacSignature {
        key: b"k".as_slice().into(),
        hash: wire::Hash::Sha512.into(),
        string_to_sign: "{method}{header:host}{header:x-a}".to_owned(),
        is_base64: true,
        header: "X-Sig".to_owned(),
        prefix: "v1=".to_owned(),
        timestamp_header: String::new(),
    };
    bend(&mut hmac);
    WireScheme::Hmac(hmac)
}

fn aws(bend: impl FnOnce(&mut wire::AwsSigV4)) -> WireScheme {
    let mut aws = wire::AwsSigV4 {
        access_key_id: "AKID".to_owned(),
        secret_access_key: b"k".as_slice().into(),
        session_token: Vec::new().into(),
        region: "us-east-1".to_owned(),
        service: "s3".to_owned(),
        unsigned_payload: false,
    };
    bend(&mut aws);
    WireScheme::AwsSigV4(aws)
}

fn jwt(bend: impl FnOnce(&mut wire::SignedJwt)) -> WireScheme {
    let mut jwt = wire::SignedJwt {
        header: "{}".to_owned(),
        claims: "{}".to_owned(),
        ttl_seconds: 60,
        is_each_call: false,
        location: wire::Location::Query.into(),
        name: "jwt".to_owned(),
        prefix: String::new(),
        hash: wire::Hash::Sha256.into(),
        key: Some(WireKey::Ed25519Seed(vec![1; 32].into())),
    };
    bend(&mut jwt);
    WireScheme::SignedJwt(jwt)
}

/// Why a policy with that value is refused, if it is.
fn refusal(scheme: WireScheme) -> Option<InvalidComputed> {
    let fixture = PolicyFixture::new().computed(scheme);
    match fixture.compile() {
        Ok(_) => None,
        Err(InvalidPolicy::Upstream(InvalidUpstream::Computed {
            position: 0,
            source,
        })) => Some(source),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_is_right_compiles() {
    for scheme in [
        hmac(|_| {}),
        hmac(|it| it.timestamp_header = "X-Time".to_owned()),
        aws(|_| {}),
        aws(|it| it.session_token = b"tok".as_slice().into()),
        jwt(|_| {}),
        jwt(|it| it.location = wire::Location::Header.into()),
        jwt(|it| it.key = Some(WireKey::Rsa(b"any".as_slice().into()))),
        jwt(|it| it.key = Some(WireKey::Ecdsa(wire::EcdsaKey::default()))),
    ] {
        assert_eq!(refusal(scheme), None);
    }
}

#[test]
fn what_is_wrong_says_why() {
    use InvalidComputed::{HeaderName, Key, Scheme, Text};
    for (case, (scheme, want)) in [
        (hmac(|it| it.key.clear()), Key),
        (hmac(|it| it.hash = 0), Scheme),
        (hmac(|it| it.hash = 9), Scheme),
        (hmac(|it| it.header = "Host".to_owned()), HeaderName),
        (
            hmac(|it| it.timestamp_header = "x-rr-a".to_owned()),
            HeaderName,
        ),
        (hmac(|it| it.string_to_sign = "{body}".to_owned()), Text),
        (
            hmac(|it| it.string_to_sign = "{header:x-rr-route}".to_owned()),
            HeaderName,
        ),
        (hmac(|it| it.prefix = "a\nb".to_owned()), Text),
        (aws(|it| it.region = "a\nb".to_owned()), Text),
        (aws(|it| it.session_token = b"a\nb".as_slice().into()), Text),
        (jwt(|it| it.location = 0), Text),
        (jwt(|it| it.name.clear()), Text),
        (jwt(|it| it.claims = "[]".to_owned()), Text),
        (jwt(|it| it.prefix = "\r".to_owned()), Text),
        (jwt(|it| it.key = None), Key),
        (
            jwt(|it| it.key = Some(WireKey::Secret(Vec::new().into()))),
            Key,
        ),
        (
            jwt(|it| it.key = Some(WireKey::Ed25519Seed(vec![1; 31].into()))),
            Key,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(refusal(scheme), Some(want), "case {case}");
    }
}

#[test]
fn one_value_is_computed() {
    let fixture = PolicyFixture::new().computed(aws(|_| {}));
    let twice = fixture.computed(hmac(|_| {}));
    let want = InvalidUpstream::Computed {
        position: 1,
        source: InvalidComputed::Several,
    };
    assert_eq!(twice.compile().err(), Some(InvalidPolicy::Upstream(want)));
}
