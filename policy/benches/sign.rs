//! What a call costs whose target credential is computed, beside one whose is not:
//! `cargo bench -p requestrocket-policy --features fixtures --bench sign`.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its fixture is of no use"
)]

use std::{hint::black_box, sync::Arc};

use divan::Bencher;
use requestrocket_policy::{
    authn::AuthPorts,
    exchange::{Charging, Exchange, Ports, RequestBody, RequestDecision, Resolved},
    fixtures::{PROXY_ID, PolicyFixture},
    http::{HeaderLine, RequestHead},
    jose::{Question, Signatures},
    limit::{Charge, Micros},
    shares::Holder,
    sign::Tools,
};
use requestrocket_proto::policy::v1::{self as wire, computed::Scheme, signed_jwt::Key};
use uuid::Uuid;

fn main() {
    divan::main();
}

/// Admits every call, now.
struct Host {
    now_ms: u64,
}

impl Tools for Host {
    fn random(&self) -> Option<[u8; 16]> {
        Some([1; 16])
    }
}

impl Signatures for Host {
    fn is_signed(&self, _: &Question<'_>) -> bool {
        false
    }
}

impl AuthPorts for Host {
    fn now_ms(&self) -> u64 {
        self.now_ms
    }
}

impl Ports for Host {
    fn has_room(&self, _: Holder) -> bool {
        true
    }

    fn charge(&self, _: &[(Uuid, &Charge)]) -> Charging {
        Charging::Admitted(Vec::new())
    }

    fn add(&self, _: (Uuid, &Charge), _: Micros) {}
}

const NOW_MS: u64 = 1_700_000_000_000;

fn run(bencher: Bencher<'_, '_>, fixture: &PolicyFixture, body: &[u8], step_ms: u64) {
    let resolved = Resolved::Proxy(Arc::new(fixture.compile().expect("a valid fixture")));
    let path = format!("/api/{PROXY_ID}/v1/orders?limit=10&after=2026-11-01");
    let lines: Vec<HeaderLine<'_>> = [
        (":authority", "gateway.example:10000"),
        (":path", &*path),
        (":method", "POST"),
        ("user-agent", "python-requests/2.32.3"),
        ("content-type", "application/json"),
        ("x-forwarded-for", "203.0.113.7"),
        ("authorization", "key"),
    ]
    .iter()
    .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    .collect();
    let mut host = Host { now_ms: NOW_MS };
    bencher.bench_local(|| {
        host.now_ms += step_ms;
        let mut exchange = Exchange::new(black_box(resolved.clone()));
        let head = RequestHead::new(black_box(&lines));
        let body = RequestBody::Whole(black_box(body));
        let decision = exchange.on_request(&head, body, &host);
        assert!(matches!(decision, RequestDecision::Forward(_)));
    });
}

fn computed(scheme: Scheme) -> PolicyFixture {
    PolicyFixture::new().api_key("key").computed(scheme)
}

fn jwt(hash: wire::Hash, key: Key) -> PolicyFixture {
    computed(Scheme::SignedJwt(wire::SignedJwt {
        header: r#"{"alg":"HS256","typ":"JWT"}"#.to_owned(),
        claims: r#"{"aud":"https://api.example.com","iss":"our-company"}"#.to_owned(),
        ttl_seconds: 60,
        is_each_call: false,
        location: wire::Location::Header.into(),
        name: "Authorization".to_owned(),
        prefix: "Bearer ".to_owned(),
        hash: hash.into(),
        key: Some(key),
    }))
}

fn aws(unsigned_payload: bool) -> PolicyFixture {
    computed(Scheme::AwsSigV4(wire::AwsSigV4 {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
            .as_slice()
            .into(),
        session_token: Vec::new().into(),
        region: "eu-west-1".to_owned(),
        service: "s3".to_owned(),
        unsigned_payload,
    }))
}

fn hmac(string_to_sign: &str) -> PolicyFixture {
    computed(Scheme::Hmac(wire::HmacSignature {
        key: b"a key of thirty-two bytes or more".as_slice().into(),
        hash: wire::Hash::Sha256.into(),
        string_to_sign: string_to_sign.to_owned(),
        is_base64: false,
        header: "X-Signature".to_owned(),
        prefix: String::new(),
        timestamp_header: "X-Timestamp".to_owned(),
    }))
}

#[divan::bench]
fn static_header(bencher: Bencher<'_, '_>) {
    let fixture = PolicyFixture::new().api_key("key");
    run(
        bencher,
        &fixture.header("Authorization", "Bearer t"),
        b"",
        0,
    );
}

#[divan::bench]
fn signed_jwt_served_again(bencher: Bencher<'_, '_>) {
    let key = Key::Secret(b"k".as_slice().into());
    run(bencher, &jwt(wire::Hash::Sha256, key), b"", 0);
}

#[divan::bench]
fn signed_jwt_hs256_minted(bencher: Bencher<'_, '_>) {
    let key = Key::Secret(b"k".as_slice().into());
    run(bencher, &jwt(wire::Hash::Sha256, key), b"", 60_000);
}

#[divan::bench]
fn signed_jwt_eddsa_minted(bencher: Bencher<'_, '_>) {
    let key = Key::Ed25519Seed(vec![1; 32].into());
    run(bencher, &jwt(wire::Hash::Sha512, key), b"", 60_000);
}

#[divan::bench]
fn aws_unsigned_payload(bencher: Bencher<'_, '_>) {
    run(bencher, &aws(true), b"", 0);
}

#[divan::bench(args = [0, 1_024, 65_536])]
fn aws_hashed_payload(bencher: Bencher<'_, '_>, bytes: usize) {
    run(bencher, &aws(false), &vec![b'x'; bytes], 0);
}

#[divan::bench]
fn hmac_of_the_head(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        &hmac("{timestamp}.{method}.{path}?{query}"),
        b"",
        0,
    );
}

#[divan::bench]
fn hmac_of_a_kilobyte(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        &hmac("{timestamp}.{method}.{path}.{bodySha256}"),
        &[b'x'; 1_024],
        0,
    );
}
