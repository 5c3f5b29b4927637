mod admitted;
mod apart;
mod arriving;
mod crowd;
mod newer_keys;
mod notes;
mod opaque;
mod open;
mod refused;
mod request;
mod response;
mod room;
mod signing;
mod tokens;

use requestrocket_policy::{
    authz::LayerName,
    envelope::KeyRing,
    fixtures::{PROXY_ID, PolicyFixture},
    holding::{Pool, Share},
};

use super::*;
use crate::cache::Room;
use crate::fake_host::{FakeHost, HostCall};

const ROOM: Room = Room {
    bytes: 1 << 20,
    entry_bytes: 1 << 10,
};
const ROOMS: Rooms = Rooms {
    admissions: ROOM,
    policies: ROOM,
};
const KEY: (&str, &str) = ("authorization", "right");

fn fixture() -> PolicyFixture {
    PolicyFixture::new()
        .api_key("right")
        .base_path("/base")
        .header("authorization", "Bearer target")
}

fn path(rest: &str) -> String {
    format!("/api/{PROXY_ID}{rest}")
}

fn policies_of(fixture: &PolicyFixture) -> Shared {
    let keys = fixture.keys.to_text();
    let keys = std::str::from_utf8(keys.expose()).unwrap();
    shared(Some(keys.parse().unwrap()))
}

/// With counters of an Envoy that no call of the test is on.
fn shared(keys: Option<KeyRing>) -> Shared {
    Shared {
        policies: Policies::new(keys, ROOMS),
        counters: Counters::start(&FakeHost::default()).unwrap(),
        turns: Turns::default(),
        open: OpenCalls::of_workers(Some(2)),
        tokens: RefCell::default(),
        notes: Notes::start(&FakeHost::default()),
        keys: NewerKeys::default(),
        opaque: OpaqueTokens::default(),
        refused: RefusedTokens::default(),
        usage: Usage::start(&FakeHost::default()),
    }
}

/// A call of the fixture's proxy, and the policies to judge it by.
fn call(fixture: &PolicyFixture, headers: &[(&str, &str)]) -> (FakeHost, Shared) {
    let host = FakeHost::get(&path("/x?q=1"), headers)
        .on_route(&format!("{PROXY_ID}/1"), Some(fixture.encode()));
    (host, policies_of(fixture))
}

#[track_caller]
fn refused(host: &FakeHost, policies: &Shared, status: u16) {
    assert_eq!(
        Call::new(7).on_request_head(host, policies, true),
        Flow::Ended
    );
    assert_eq!(host.status(), Some(status));
}

#[track_caller]
fn refused_bare(host: &FakeHost, policies: &Shared) {
    refused(host, policies, 503);
    let replies = host.replies.borrow();
    assert!(replies[0].headers.is_empty() && replies[0].body.is_empty());
}

#[test]
fn a_granted_call_is_edited_and_forwarded() {
    let (host, policies) = call(&fixture(), &[KEY, ("x-other", "1")]);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &policies, true), Flow::Continue);
    assert_eq!(host.status(), None);
    assert_eq!(host.header(":path").as_deref(), Some("/base/x?q=1"));
    assert_eq!(
        host.header("authorization").as_deref(),
        Some("Bearer target")
    );
    assert_eq!(host.header("x-other").as_deref(), Some("1"));
    assert_eq!(
        call.on_response_head(&host, &policies, false),
        Flow::Continue
    );
}

#[test]
fn the_presented_credential_is_removed_when_nothing_replaces_it() {
    let (host, policies) = call(&PolicyFixture::new().api_key("right"), &[KEY]);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Continue
    );
    assert_eq!(host.header("authorization"), None);
}

#[test]
fn the_presented_credential_is_taken_off_the_query() {
    let fixture = PolicyFixture::new().api_key("right").query("key", "target");
    let path = path("/x?a=1&Authorization=right&b=2");
    let host = FakeHost::get(&path, &[]).on_route(&format!("{PROXY_ID}/1"), Some(fixture.encode()));
    let policies = policies_of(&fixture);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Continue
    );
    assert_eq!(
        host.header(":path").as_deref(),
        Some("/x?a=1&b=2&key=target")
    );
    assert_eq!(host.header("authorization"), None);
}

#[test]
fn an_injected_header_stands_alone() {
    let fixture = PolicyFixture::new()
        .api_key("right")
        .header("x-key", "target");
    let (host, policies) = call(&fixture, &[KEY, ("x-key", "forged"), ("x-key", "again")]);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Continue
    );
    let request = host.request.borrow();
    let values: Vec<_> = request
        .iter()
        .filter(|(name, _)| name == "x-key")
        .map(|(_, value)| value.as_slice())
        .collect();
    assert_eq!(values, [b"target"]);
}

#[test]
fn a_denial_is_answered_with_an_id_of_our_own() {
    let (host, policies) = call(&fixture(), &[("authorization", "wrong")]);
    refused(&host, &policies, 403);
    let replies = host.replies.borrow();
    let id = "abababab-abab-4bab-abab-abababababab";
    assert!(
        replies[0]
            .headers
            .contains(&("requestrocket-request-id", id.to_owned()))
    );
    let body = String::from_utf8(replies[0].body.clone()).unwrap();
    assert!(body.contains(id), "{body}");
    assert_eq!(host.header("authorization").as_deref(), Some("wrong"));
}

#[test]
fn a_policy_is_compiled_once() {
    let fixture = fixture();
    let policies = policies_of(&fixture);
    for _ in 0..3 {
        let (host, _) = call(&fixture, &[KEY]);
        assert_eq!(
            Call::new(7).on_request_head(&host, &policies, true),
            Flow::Continue
        );
        assert!(host.policy_reads.get() <= 1);
    }
    let (host, _) = call(&fixture, &[KEY]);
    let _ = Call::new(7).on_request_head(&host, &policies, true);
    assert_eq!(host.policy_reads.get() + host.admission_reads.get(), 0);
}

#[test]
fn whoever_is_not_let_in_has_no_policy_read() {
    let fixture = fixture();
    let policies = policies_of(&fixture);
    for (n, (presented, status)) in [
        (vec![], 401),
        (vec![("authorization", "wrong")], 403),
        (vec![("authorization", "")], 401),
        (vec![("authorization", "wrong"), KEY], 403),
    ]
    .into_iter()
    .enumerate()
    {
        let (host, _) = call(&fixture, &presented);
        let host = host.failing_at(HostCall::RoutePolicy);
        refused(&host, &policies, status);
        assert_eq!(host.policy_reads.get(), 0);
        assert_eq!(host.admission_reads.get(), usize::from(n == 0), "case {n}");
    }
    // Neither does the policy matter to them when it is there.
    let host = FakeHost::get(&path("/"), &[("authorization", "wrong")]).on_route(
        &format!("{PROXY_ID}/2"),
        Some((fixture.encode().0, vec![1, 2])),
    );
    refused(&host, &policies, 403);
}

#[test]
fn a_new_version_is_enforced_at_once() {
    let old = fixture();
    let policies = policies_of(&old);
    let (host, _) = call(&old, &[KEY]);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Continue
    );
    let host = FakeHost::get(&path("/"), &[KEY])
        .on_route(&format!("{PROXY_ID}/2"), Some(old.inactive().encode()));
    refused(&host, &policies, 403);
}

#[test]
fn without_keys_every_call_is_refused() {
    let (host, _) = call(&fixture(), &[KEY]);
    refused_bare(&host, &shared(None));
}

#[test]
fn other_keys_open_nothing() {
    let (host, _) = call(&fixture(), &[KEY]);
    let policies = shared(Some(fixture().keys));
    refused_bare(&host, &policies);
    assert_eq!(host.warnings.borrow().len(), 1);
}

#[test]
fn an_invalid_admission_refuses_and_is_compiled_once() {
    let fixture = fixture();
    let policies = policies_of(&fixture);
    for reads in [1, 0] {
        let parts = (vec![1, 2], fixture.encode().1);
        let host =
            FakeHost::get(&path("/"), &[KEY]).on_route(&format!("{PROXY_ID}/1"), Some(parts));
        refused_bare(&host, &policies);
        assert_eq!(
            (host.admission_reads.get(), host.policy_reads.get()),
            (reads, 0)
        );
    }
}

#[test]
fn an_invalid_policy_refuses_and_is_compiled_once() {
    let fixture = fixture();
    let policies = policies_of(&fixture);
    for reads in [1, 0] {
        let host = FakeHost::get(&path("/"), &[KEY]).on_route(
            &format!("{PROXY_ID}/1"),
            Some((fixture.encode().0, vec![1, 2])),
        );
        refused_bare(&host, &policies);
        assert_eq!(host.policy_reads.get(), reads);
    }
}

#[test]
fn a_route_without_a_policy_refuses() {
    let fixture = fixture();
    let policies = policies_of(&fixture);
    let host = FakeHost::get(&path("/"), &[KEY]).on_route(&format!("{PROXY_ID}/1"), None);
    refused_bare(&host, &policies);
    // It says nothing of the next request.
    let (host, _) = call(&fixture, &[KEY]);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Continue
    );
}

#[test]
fn the_route_is_read_off_the_header_that_envoy_put() {
    let fixture = fixture();
    let route = format!("{PROXY_ID}/1");
    let (host, policies) = call(&fixture, &[KEY, ("x-rr-route", &route)]);
    let host = host.failing_at(HostCall::RouteName);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Continue
    );
    // Both ways lead to the same policy.
    let (host, _) = call(&fixture, &[KEY]);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Continue
    );
    assert_eq!(host.policy_reads.get(), 0);
}

#[test]
fn no_route_is_an_unknown_proxy() {
    let (mut host, policies) = call(&fixture(), &[KEY]);
    host.route = None;
    refused(&host, &policies, 403);
    let (mut host, policies) = call(&fixture(), &[]);
    host.route = Some((Vec::new(), None));
    refused(&host, &policies, 401);
    let (mut host, policies) = call(&fixture(), &[KEY, ("x-rr-route", "")]);
    host.route = None;
    refused(&host, &policies, 403);
}

#[test]
fn a_policy_of_another_proxy_lets_nobody_in() {
    let fixture = fixture();
    let host = FakeHost::get("/api/7d444840-9dc0-41d1-b245-5ffdce74fad2/x", &[KEY]).on_route(
        "7d444840-9dc0-41d1-b245-5ffdce74fad2/1",
        Some(fixture.encode()),
    );
    refused(&host, &policies_of(&fixture), 403);
}

#[test]
fn every_failing_host_call_refuses() {
    use HostCall::{
        RemoveRequestHeader, RequestHeaders, RouteAdmission, RouteName, RoutePolicy,
        SetRequestHeader,
    };
    for failing in [
        RequestHeaders,
        RouteName,
        RouteAdmission,
        RoutePolicy,
        SetRequestHeader,
    ] {
        let (host, policies) = call(&fixture(), &[KEY]);
        refused_bare(&host.failing_at(failing), &policies);
    }
    let (host, policies) = call(&PolicyFixture::new().api_key("right"), &[KEY]);
    refused_bare(&host.failing_at(RemoveRequestHeader), &policies);
}

#[test]
fn without_a_clock_what_expires_has_expired() {
    let ends = || fixture().until(2_000);
    let (host, policies) = call(&ends(), &[KEY]);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Continue
    );
    let (host, policies) = call(&ends(), &[KEY]);
    refused(&host.failing_at(HostCall::Now), &policies, 403);
}

#[test]
fn without_randomness_a_denial_is_bare() {
    let (host, policies) = call(&fixture(), &[]);
    refused_bare(&host.failing_at(HostCall::Random), &policies);
}

#[test]
fn a_refusal_that_cannot_be_sent_still_holds_the_stream() {
    let (host, policies) = call(&fixture(), &[]);
    let host = host.failing_at(HostCall::SendReply);
    assert_eq!(
        Call::new(7).on_request_head(&host, &policies, true),
        Flow::Ended
    );
    assert_eq!(host.warnings.borrow().len(), 1);
}

/// A call that was forwarded and forgotten, when its response comes.
fn forgotten(host: &FakeHost, policies: &Shared) -> Call {
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(host, policies, true), Flow::Continue);
    assert!(call.is_done());
    Call::forgotten(host, policies, 7).unwrap()
}

#[test]
fn a_response_that_is_too_long_is_replaced() {
    let (host, policies) = call(&fixture(), &[KEY]);
    let host = host.answered_with(&[(":status", "200"), ("content-length", "99999999")]);
    let mut call = forgotten(&host, &policies);
    assert_eq!(call.on_response_head(&host, &policies, false), Flow::Ended);
    assert_eq!(host.status(), Some(413));
    // Our answer passes by the filter as well.
    assert_eq!(
        call.on_response_head(&host, &policies, false),
        Flow::Continue
    );
}

#[test]
fn a_length_without_a_body_is_no_length() {
    let (host, policies) = call(&fixture(), &[KEY]);
    let host = host.answered_with(&[(":status", "304"), ("content-length", "99999999")]);
    let mut call = forgotten(&host, &policies);
    assert_eq!(
        call.on_response_head(&host, &policies, false),
        Flow::Continue
    );
    assert_eq!(host.status(), None);
}

#[test]
fn a_response_that_cannot_be_read_is_replaced() {
    let (host, policies) = call(&fixture(), &[KEY]);
    let host = host.failing_at(HostCall::ResponseHeader);
    let mut call = forgotten(&host, &policies);
    assert_eq!(call.on_response_head(&host, &policies, false), Flow::Ended);
    assert_eq!(host.status(), Some(503));
}

#[test]
fn a_forgotten_response_without_a_length_is_watched() {
    let (host, policies) = call(&fixture(), &[KEY]);
    let host = host.answered_with(&[(":status", "200"), ("content-type", "text/plain")]);
    let mut call = forgotten(&host, &policies);
    assert_eq!(
        call.on_response_head(&host, &policies, false),
        Flow::Continue
    );
    let size = 99_999_999;
    let chunk = Chunk {
        size,
        is_end: false,
    };
    let flow = call.on_response_body(&host, &policies, chunk);
    assert_eq!((flow, host.is_reset.get()), (Flow::Dropped, true));
}

#[test]
fn a_call_whose_response_matters_is_remembered() {
    let fixture = fixture().redactions(LayerName::Proxy, &["destroy $.s"]);
    let (host, policies) = call(&fixture, &[KEY]);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &policies, true), Flow::Continue);
    assert!(!call.is_done());
    // Whose response comes nevertheless was refused before, and the refusal passes.
    assert!(Call::forgotten(&host, &policies, 8).is_none());
    let nowhere = FakeHost::default();
    assert!(Call::forgotten(&nowhere, &policies, 8).is_none());
}

#[test]
fn our_refusals_and_answers_of_envoy_pass() {
    let (host, policies) = call(&fixture(), &[]);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &policies, true), Flow::Ended);
    assert_eq!(
        call.on_response_head(&host, &policies, false),
        Flow::Continue
    );
    assert_eq!(
        Call::new(7).on_response_head(&host, &policies, false),
        Flow::Continue
    );
}
