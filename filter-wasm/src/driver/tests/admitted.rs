//! Calls that wait for a policy that is too heavy to be compiled at once.

use super::*;
use crate::driver::again::AGAIN_HEADER;

/// Takes more than one step.
fn heavy() -> PolicyFixture {
    let texts: Vec<String> = (0..12)
        .map(|n| format!(r"deny 1 p:^/\w\w\w\w\w{n}$"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    fixture().rules(LayerName::Proxy, "allow", &texts)
}

/// A call in the filter's first place, or in its second.
fn on_version(fixture: &PolicyFixture, version: &str, is_again: bool) -> FakeHost {
    let route = format!("{PROXY_ID}/{version}");
    let mut headers = vec![KEY, ("x-rr-route", route.as_str())];
    if is_again {
        headers.push((AGAIN_HEADER, "1"));
    }
    FakeHost::get(&path("/x"), &headers).on_route(&route, Some(fixture.encode()))
}

/// Compiles until somebody can go on; the ticks it took.
fn compile(shared: &Shared, host: &FakeHost) -> (usize, Vec<u32>) {
    for tick in 1..1_000 {
        let streams = shared.policies.compile_some(host);
        if !streams.is_empty() {
            return (tick, streams);
        }
    }
    panic!("nobody goes on")
}

#[track_caller]
fn waits(stream: u32, host: &FakeHost, shared: &Shared) -> Call {
    let mut call = Call::new(stream);
    let flow = call.on_request_head(host, shared, true);
    assert_eq!((flow, host.status()), (Flow::AwaitAnswer, None));
    call
}

#[test]
fn a_call_waits_for_a_heavy_policy_and_comes_again() {
    let fixture = heavy();
    let shared = policies_of(&fixture);
    let host = on_version(&fixture, "1", false);
    let mut call = waits(7, &host, &shared);
    assert!(!shared.policies.are_idle());
    let (ticks, streams) = compile(&shared, &host);
    assert!(ticks > 3, "{ticks}");
    assert_eq!(streams, [7]);
    assert!(shared.policies.are_idle());
    assert_eq!(call.on_policy(&host, &shared), Flow::Continue);
    assert!(call.is_done());
    // It goes to where Envoy chooses its route again, as it came.
    assert_eq!(host.header("x-rr-route"), None);
    assert_eq!(host.header("authorization").as_deref(), Some("right"));
    let again = on_version(&fixture, "1", true);
    let flow = Call::new(8).on_request_head(&again, &shared, true);
    assert_eq!((flow, again.policy_reads.get()), (Flow::Continue, 0));
    assert_eq!(again.header(AGAIN_HEADER), None);
    assert_eq!(again.header(":path").as_deref(), Some("/base/x"));
}

#[test]
fn calls_wait_together_and_the_policy_is_read_once() {
    let fixture = heavy();
    let shared = policies_of(&fixture);
    let hosts: Vec<_> = (0..3).map(|_| on_version(&fixture, "1", false)).collect();
    for (stream, host) in (1..).zip(&hosts) {
        waits(stream, host, &shared);
    }
    let reads: Vec<_> = hosts.iter().map(|host| host.policy_reads.get()).collect();
    assert_eq!(reads, [1, 0, 0]);
    assert_eq!(compile(&shared, &hosts[0]).1, [1, 2, 3]);
}

#[test]
fn whoever_is_not_let_in_begins_nothing_and_waits_for_nothing() {
    let fixture = heavy();
    let shared = policies_of(&fixture);
    for (presented, status) in [(vec![], 401), (vec![("authorization", "wrong")], 403)] {
        let (host, _) = call(&fixture, &presented);
        refused(&host, &shared, status);
        assert!(shared.policies.are_idle());
    }
    // Neither while the policy is being compiled.
    waits(7, &on_version(&fixture, "1", false), &shared);
    let (host, _) = call(&fixture, &[("authorization", "wrong")]);
    refused(&host, &shared, 403);
}

#[test]
fn what_changed_in_the_meantime_is_what_counts() {
    let fixture = heavy();
    let shared = policies_of(&fixture);
    let host = on_version(&fixture, "1", false);
    let mut call = waits(7, &host, &shared);
    compile(&shared, &host);
    assert_eq!(call.on_policy(&host, &shared), Flow::Continue);
    let newer = fixture.rules(LayerName::Proxy, "deny", &[]);
    let again = on_version(&newer, "2", true);
    refused(&again, &shared, 403);
}

#[test]
fn a_call_that_came_again_is_judged_where_it_is() {
    let fixture = heavy();
    let shared = policies_of(&fixture);
    let host = on_version(&fixture, "2", true);
    let mut call = waits(7, &host, &shared);
    compile(&shared, &host);
    assert_eq!(call.on_policy(&host, &shared), Flow::Continue);
    assert_eq!(host.header(AGAIN_HEADER), None);
    assert_eq!(host.header(":path").as_deref(), Some("/base/x"));
}

#[test]
fn a_call_that_came_again_and_then_needs_its_body_is_refused() {
    let mut fixture = heavy();
    let looking = requestrocket_policy::fixtures::rules::layer("allow", &["deny 1 b:$.a"]);
    fixture.layer(LayerName::Target).rules = looking.rules;
    let shared = policies_of(&fixture);
    let host = on_version(&fixture, "1", true);
    let mut call = Call::new(7);
    let flow = call.on_request_head(&host, &shared, false);
    assert_eq!(flow, Flow::AwaitAnswer);
    compile(&shared, &host);
    assert_eq!(call.on_policy(&host, &shared), Flow::Ended);
    assert_eq!(host.status(), Some(503));
    assert_eq!(host.notes.borrow().len(), 1);
}

#[test]
fn a_heavy_policy_that_is_none_refuses_who_waited() {
    let mut fixture = heavy();
    fixture.wire.max_inspected_bytes = 0;
    let shared = policies_of(&fixture);
    let host = on_version(&fixture, "1", true);
    let mut call = waits(7, &host, &shared);
    compile(&shared, &host);
    assert_eq!(host.warnings.borrow().len(), 1);
    assert_eq!(call.on_policy(&host, &shared), Flow::Ended);
    assert_eq!(host.status(), Some(503));
    // It is remembered.
    let host = on_version(&fixture, "1", false);
    refused_bare(&host, &shared);
    assert_eq!(host.policy_reads.get(), 0);
}

#[test]
fn too_many_policies_at_once_are_refused() {
    let fixture = heavy();
    let shared = policies_of(&fixture);
    for version in 0..6 {
        waits(
            version,
            &on_version(&fixture, &version.to_string(), false),
            &shared,
        );
    }
    let host = on_version(&fixture, "6", false);
    refused(&host, &shared, 503);
    let replies = host.replies.borrow();
    let body = String::from_utf8(replies[0].body.clone()).unwrap();
    assert!(body.contains("OVERLOADED"), "{body}");
}

#[test]
fn a_light_policy_waits_for_nobody() {
    let mut fixture = heavy();
    let shared = policies_of(&fixture);
    waits(1, &on_version(&fixture, "1", false), &shared);
    fixture.layer(LayerName::Proxy).rules.clear();
    let host = on_version(&fixture, "2", false);
    let flow = Call::new(2).on_request_head(&host, &shared, true);
    assert_eq!((flow, host.policy_reads.get()), (Flow::Continue, 1));
    assert_eq!(compile(&shared, &host).1, [1]);
    assert_eq!(host.compiled.get(), 2);
}
