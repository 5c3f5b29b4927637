//! Callers whose tokens Envoy verifies.

use requestrocket_policy::fixtures::tokens::{token_of, unsigned};
use requestrocket_proto::policy::v1::{RsaKey, verification_key::Material};

use super::*;
use crate::fake_host::HostCall;

fn fixture() -> PolicyFixture {
    let key = Material::Rsa(RsaKey {
        modulus: vec![0xff; 256].into(),
        exponent: vec![1, 0, 1].into(),
    });
    PolicyFixture::new().signed_token(token_of("RS256", key))
}

/// With some signature.
fn token(sub: &str) -> String {
    let claims = format!("{{\"sub\":\"{sub}\",\"exp\":2000000000}}");
    format!("{}.{}", unsigned("RS256", &claims), "A".repeat(342))
}

/// What Envoy answers a call with that token, which it was asked so often about.
fn check(host: &FakeHost, shared: &Shared, want: (Option<u16>, usize)) {
    Call::new(1).on_request_head(host, shared, true);
    assert_eq!((host.status(), host.verified.borrow().len()), want);
}

fn host(fixture: &PolicyFixture, token: &str, verdict: bool) -> FakeHost {
    let authorization = ("authorization", token);
    let (mut host, _) = call(fixture, &[authorization]);
    host.verdict = verdict;
    host
}

#[test]
fn envoy_verifies_a_token_once_and_its_verdict_counts() {
    let fixture = fixture();
    let shared = policies_of(&fixture);
    for (sub, verdict, want) in [
        ("a", false, (Some(403), 1)),
        ("a", true, (None, 1)),
        ("a", false, (None, 0)),
        ("b", false, (Some(403), 1)),
    ] {
        check(&host(&fixture, &token(sub), verdict), &shared, want);
    }
}

#[test]
fn a_call_of_envoy_that_fails_is_no_verdict() {
    let fixture = fixture();
    let host = host(&fixture, &token("a"), true).failing_at(HostCall::IsSigned);
    check(&host, &policies_of(&fixture), (Some(403), 0));
}
