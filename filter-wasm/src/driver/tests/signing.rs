//! Calls that the host helps to sign.

use requestrocket_proto::policy::v1::{self as wire, computed::Scheme, signed_jwt::Key};

use super::*;

/// The target wants a token that an RSA key signs.
fn minting() -> PolicyFixture {
    let scheme = Scheme::SignedJwt(wire::SignedJwt {
        header: r#"{"alg":"RS256"}"#.to_owned(),
        claims: r#"{"iss":"us"}"#.to_owned(),
        ttl_seconds: 60,
        is_each_call: false,
        location: wire::Location::Header.into(),
        name: "Authorization".to_owned(),
        prefix: "Bearer ".to_owned(),
        hash: wire::Hash::Sha256.into(),
        key: Some(Key::Rsa(b"pkcs8".as_slice().into())),
    });
    PolicyFixture::new().api_key("right").computed(scheme)
}

#[test]
fn a_token_is_signed_by_the_host_and_put_on_the_call() {
    let (host, shared) = call(&minting(), &[KEY]);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, true), Flow::Continue);
    let value = host.header("authorization").unwrap();
    assert!(
        value.starts_with("Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ1cyIsImlhdCI6"),
        "{value}"
    );
}

#[test]
fn a_call_that_cannot_be_signed_is_refused() {
    for failing in [HostCall::Sign, HostCall::SetRequestHeader] {
        let (host, shared) = call(&minting(), &[KEY]);
        let host = host.failing_at(failing);
        let mut call = Call::new(7);
        assert_eq!(call.on_request_head(&host, &shared, true), Flow::Ended);
        assert_eq!(host.status(), Some(503), "{failing:?}");
    }
}
