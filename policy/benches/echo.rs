//! Micro-benchmarks: `cargo bench -p requestrocket-policy --features fixtures --bench echo`.
//!
//! Bodies a second that are searched for what their requests carried, in parts as Envoy hands them
//! over; and heads, most of which say nothing of it.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its policy is of no use"
)]

use std::sync::Arc;

use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use requestrocket_policy::{
    effort::Turn,
    exchange::{Exchange, RequestBody, RequestDecision, Resolved},
    fixtures::{Admitting, PROXY_ID, PolicyFixture},
    http::{HeaderLine, RequestHead, ResponseHead},
};

const PART_BYTES: usize = 16 << 10;
const BODY_BYTES: usize = 1 << 20;
const TOKEN: &str = "sk-live-51Hq0vKLmN8pQrStUvWxYz0123456789abcdef";

fn main() {
    divan::main();
}

/// What a body is like.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Objects of an API.
    Json,
    /// Pictures in base64, in which anything may begin.
    Base64,
    Binary,
    /// The token, time and again.
    Echo,
}

impl Kind {
    fn body(self) -> Vec<u8> {
        let mut number: u32 = 1;
        let mut next = || {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            number
        };
        let mut body = Vec::with_capacity(BODY_BYTES + 128);
        while body.len() < BODY_BYTES {
            let [a, b, c, d] = next().to_be_bytes();
            match self {
                Self::Json => body.extend(
                    format!(
                        r#"{{"id":"{a:02x}{b:02x}{c:02x}","name":"item {d}","isActive":true}},"#
                    )
                    .into_bytes(),
                ),
                Self::Base64 => body.extend([a, b, c].map(|byte| {
                    let digits =
                        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                    digits.get(usize::from(byte >> 2)).copied().unwrap_or(b'A')
                })),
                Self::Binary => body.extend([a, b, c]),
                Self::Echo => body.extend(format!("{{\"token\":\"{TOKEN}\"}},").into_bytes()),
            }
        }
        body.truncate(BODY_BYTES);
        body
    }
}

fn policy(token: Option<&str>) -> Resolved {
    let fixture = PolicyFixture::new().api_key("key");
    let fixture = match token {
        Some(token) => fixture.header("authorization", &format!("Bearer {token}")),
        None => fixture,
    };
    Resolved::Proxy(Arc::new(fixture.compile().expect("a valid policy")))
}

fn forwarded(resolved: &Resolved) -> Exchange {
    let path = format!("/api/{PROXY_ID}/x");
    let lines: [HeaderLine<'_>; 4] = [
        (b":authority", b"gateway.example"),
        (b":method", b"GET"),
        (b":path", path.as_bytes()),
        (b"authorization", b"key"),
    ];
    let mut exchange = Exchange::new(resolved.clone());
    let decision = exchange.on_request(
        &RequestHead::new(&lines),
        RequestBody::Whole(b""),
        &Admitting(0),
    );
    assert!(matches!(decision, RequestDecision::Forward(_)));
    exchange
}

/// Lines as an API sends them.
struct Head(Vec<HeaderLine<'static>>);

impl Head {
    fn usual() -> Self {
        Self(vec![
            (b":status", b"200"),
            (b"date", b"Sun, 29 Nov 2026 17:00:00 GMT"),
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", b"1048576"),
            (b"etag", b"W/\"7d-9f8e7d6c5b4a39281706f5e4d3c2b1a0\""),
            (b"x-request-id", b"4bf92f35-77b3-4da6-a3ce-929d0e0e4736"),
            (
                b"set-cookie",
                b"session=eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl; Path=/; HttpOnly",
            ),
            (
                b"strict-transport-security",
                b"max-age=31536000; includeSubDomains",
            ),
            (b"vary", b"Origin, Accept-Encoding"),
            (b"cache-control", b"private, max-age=0, must-revalidate"),
            (b"x-ratelimit-remaining", b"4999"),
            (b"server", b"nginx"),
        ])
    }
}

impl ResponseHead for Head {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let line = self.0.iter().find(|(other, _)| *other == name.as_bytes());
        line.map(|(_, value)| value.to_vec())
    }

    fn lines(&self, look: &mut dyn FnMut(&[HeaderLine<'_>])) {
        look(&self.0);
    }
}

#[divan::bench(args = [Kind::Json, Kind::Base64, Kind::Binary, Kind::Echo])]
fn body_of_a_mebibyte(bencher: Bencher<'_, '_>, kind: Kind) {
    let (resolved, body, head) = (policy(Some(TOKEN)), kind.body(), Head::usual());
    bencher
        .counter(BytesCount::new(body.len()))
        .with_inputs(|| {
            let mut exchange = forwarded(&resolved);
            let _forwarded = exchange.on_response_head(&head, false, &Admitting(0));
            let parts: Vec<_> = body.chunks(PART_BYTES).map(<[u8]>::to_vec).collect();
            (exchange, parts)
        })
        .bench_local_values(|(mut exchange, mut parts)| {
            let mut turn = Turn::of(u64::MAX);
            for part in &mut parts {
                let _searched = exchange.search_part((part, false), &mut turn);
            }
            parts
        });
}

#[divan::bench(args = [None, Some(TOKEN)])]
fn head(bencher: Bencher<'_, '_>, token: Option<&str>) {
    let (resolved, head) = (policy(token), Head::usual());
    bencher
        .counter(ItemsCount::new(1_usize))
        .with_inputs(|| forwarded(&resolved))
        .bench_local_values(|mut exchange| exchange.on_response_head(&head, false, &Admitting(0)));
}

#[divan::bench(args = [32, 1_024, 8_192])]
fn policy_with_a_token_of(bencher: Bencher<'_, '_>, bytes: usize) {
    let token = "t0K3n/+=".repeat(bytes / 8);
    let value = format!("Bearer {token}");
    let fixture = PolicyFixture::new()
        .api_key("key")
        .header("authorization", &value);
    bencher.bench_local(|| fixture.compile().expect("a valid policy"));
}
