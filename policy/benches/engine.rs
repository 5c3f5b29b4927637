//! Micro-benchmarks: `cargo bench -p requestrocket-policy --features fixtures`.
//!
//! The request path is to stay around a microsecond; compiling happens once per policy and worker.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its fixture is of no use"
)]

use std::{hint::black_box, sync::Arc};

use divan::Bencher;
use requestrocket_policy::{
    admission::Admission,
    envelope::{Binding, Key, KeyRing, Nonce},
    exchange::{CallNumber, Exchange, RequestBody, RequestDecision, Resolved},
    fixtures::{Admitting, ORGANISATION_ID, PROXY_ID, PolicyFixture, REGION, rules::layer},
    http::{HeaderLine, RequestHead},
    policy::Policy,
};

fn main() {
    divan::main();
}

/// What curl or a client library sends, with the credential.
fn lines<'a>(path: &'a str, credential: &'a str) -> Vec<HeaderLine<'a>> {
    [
        (":authority", "gateway.example:10000"),
        (":path", path),
        (":method", "GET"),
        (":scheme", "https"),
        ("user-agent", "python-requests/2.32.3"),
        ("accept-encoding", "gzip, deflate"),
        ("accept", "application/json"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-rr-request-id", "4be0643f-1d98-4573-97cd-ca98a65347dd"),
        ("authorization", credential),
    ]
    .iter()
    .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    .collect()
}

fn resolved(fixture: &PolicyFixture) -> Resolved {
    Resolved::Proxy(Arc::new(fixture.compile().expect("a valid fixture")))
}

fn run(bencher: Bencher<'_, '_>, resolved: &Resolved, path: &str, credential: &str) {
    let lines = lines(path, credential);
    bencher.bench_local(|| {
        let mut exchange = Exchange::new(black_box(resolved.clone()));
        let head = RequestHead::new(black_box(&lines));
        let is_forwarded = matches!(
            exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(0)),
            RequestDecision::Forward(_)
        );
        black_box(exchange.finish(&Admitting(0)));
        is_forwarded
    });
}

fn api(below: &str) -> String {
    format!("/api/{PROXY_ID}{below}")
}

#[divan::bench]
fn granted_api_key_and_header(bencher: Bencher<'_, '_>) {
    let fixture = PolicyFixture::new()
        .api_key("rr_local-1_0123456789abcdef0123456789abcdef012345")
        .header(
            "Authorization",
            "Bearer sk-0123456789abcdef0123456789abcdef",
        );
    let key = "rr_local-1_0123456789abcdef0123456789abcdef012345";
    run(
        bencher,
        &resolved(&fixture),
        &api("/v1/items?limit=20"),
        key,
    );
}

/// What the record of such a call takes besides.
#[divan::bench]
fn noted_api_key_and_header(bencher: Bencher<'_, '_>) {
    let key = "rr_local-1_0123456789abcdef0123456789abcdef012345";
    let fixture = PolicyFixture::new().api_key(key).header(
        "Authorization",
        "Bearer sk-0123456789abcdef0123456789abcdef",
    );
    let path = api("/v1/items?limit=20");
    let lines = lines(&path, key);
    let head = RequestHead::new(&lines);
    let mut exchange = Exchange::new(resolved(&fixture));
    let decision = exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(0));
    assert!(matches!(decision, RequestDecision::Forward(_)), "granted");
    let which = CallNumber {
        worker: [7; 16],
        number: 1,
    };
    bencher.bench_local(|| exchange.note(black_box(&head), black_box(which), &Admitting(0)));
}

#[divan::bench]
fn granted_bearer_with_base_path_and_query_injection(bencher: Bencher<'_, '_>) {
    let fixture = PolicyFixture::new()
        .bearer("Bearer ", "0123456789abcdef0123456789abcdef")
        .base_path("/v1")
        .query("api_key", "0123456789abcdef");
    let bearer = "Bearer 0123456789abcdef0123456789abcdef";
    run(
        bencher,
        &resolved(&fixture),
        &api("/items/a%20b?limit=20&x=1"),
        bearer,
    );
}

#[divan::bench]
fn granted_basic(bencher: Bencher<'_, '_>) {
    let fixture = PolicyFixture::new().basic_auth("user:0123456789abcdef");
    let basic = "Basic dXNlcjowMTIzNDU2Nzg5YWJjZGVm";
    run(bencher, &resolved(&fixture), &api("/items"), basic);
}

/// None of the twenty denies, and the one that allows is the last of each layer. The host counts
/// nothing here.
#[divan::bench]
fn granted_with_twenty_rules_over_four_layers(bencher: Bencher<'_, '_>) {
    let mut fixture = PolicyFixture::new()
        .api_key("key")
        .header("Authorization", "Bearer target-token");
    let allowing = "allow 100 GET p:^/v1/";
    for credential in &mut fixture.wire.proxy_credentials {
        credential.layer = Some(layer(
            "allow",
            &[
                "deny 500 DELETE p:^/v1/",
                "deny 500 p:(?i)^/v[0-9]+/admin(/|$)",
                "deny 500 h:^x-debug$",
                "deny 500 q:^(token|key)$",
                allowing,
            ],
        ));
    }
    if let Some(credential) = &mut fixture.wire.target_credential {
        credential.layer = Some(layer(
            "allow",
            &[
                "deny 500 GET p:^/v1/internal/",
                "deny 500 h:^user-agent$=(?i)(curl|wget)/[0-9.]+",
                "deny 500 p:^/v1/exports/[0-9]+$ q:^limit$=^[0-9]{4,}$",
                "deny 500 POST PUT p:^/v1/keys",
                allowing,
            ],
        ));
    }
    if let Some(target) = &mut fixture.wire.target {
        target.layer = Some(layer(
            "allow",
            &[
                r"deny 500 p:\.(bak|old|sql)$",
                "deny 500 PATCH p:^/v1/accounts/[0-9a-f-]{36}/",
                "deny 500 h:^content-type$=^application/xml",
                "deny 500 q:^include$=(^|,)secrets(,|$)",
                allowing,
            ],
        ));
    }
    fixture.wire.layer = Some(layer(
        "allow",
        &[
            "deny 500 GET p:^/v1/(ledgers|payouts)/[0-9]+/raw$",
            r"deny 500 h:^x-forwarded-host$=\.internal$",
            "deny 500 q:^debug$=^(1|true)$",
            "deny 500 OPTIONS",
            allowing,
        ],
    ));
    run(bencher, &resolved(&fixture), &api("/v1/me"), "key");
}

#[divan::bench]
fn refused_wrong_key(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        &resolved(&PolicyFixture::new().api_key("key")),
        &api("/items"),
        "wrong",
    );
}

#[divan::bench]
fn refused_unknown_proxy(bencher: Bencher<'_, '_>) {
    run(bencher, &Resolved::UnknownProxy, &api("/items"), "wrong");
}

#[divan::bench]
fn refused_ambiguous_path(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        &Resolved::UnknownProxy,
        &api("/a/b%2e%2e/%2e%2e/c"),
        "wrong",
    );
}

#[divan::bench(args = [1, 20])]
fn compile(bencher: Bencher<'_, '_>, credentials: usize) {
    let mut fixture = PolicyFixture::new().header("Authorization", "Bearer target-token");
    for n in 0..credentials {
        fixture = fixture.api_key(&format!("key-{n}"));
    }
    let (admission, policy) = fixture.encode();
    bencher.bench_local(|| {
        let admission = Admission::compile(black_box(&admission), &fixture.keys);
        admission.is_ok_and(|admission| Policy::compile(admission.into(), &policy).is_ok())
    });
}

#[divan::bench]
fn envelope_open(bencher: Bencher<'_, '_>) {
    let keys = KeyRing::of(Key::generate().expect("randomness"));
    let organisation = ORGANISATION_ID.parse().expect("an id");
    let binding = Binding::data_key(REGION, organisation);
    let nonce = Nonce::random().expect("randomness");
    let envelope = keys.seal(&[7; 32], &binding, nonce).expect("short");
    bencher.bench_local(|| keys.open(black_box(&envelope), &binding).is_ok());
}

#[divan::bench]
fn denial_response(bencher: Bencher<'_, '_>) {
    use requestrocket_policy::denial::Denial;

    let id = "4be0643f-1d98-4573-97cd-ca98a65347dd";
    bencher.bench_local(|| black_box(Denial::CredentialInvalid).response(black_box(id)));
}
