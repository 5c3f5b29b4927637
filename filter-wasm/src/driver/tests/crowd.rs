//! Callers with as many open calls as they may have.

use std::ops::Range;

use super::*;

const OF_CALLER: u32 = 2_000;

/// A worker on which so many streams are open, of a proxy with three callers.
fn worker(streams: u32) -> (FakeHost, Shared) {
    let three = fixture().api_key("second").api_key("third");
    let (host, shared) = call(&three, &[KEY]);
    host.there.borrow_mut().extend(0..streams);
    (host, shared)
}

/// What becomes of calls on these streams.
fn calls(host: &FakeHost, shared: &Shared, key: &str, streams: Range<u32>) -> Vec<Flow> {
    let mut sent = host.request.borrow().clone();
    for (_, value) in sent.iter_mut().filter(|(name, _)| name == KEY.0) {
        *value = key.into();
    }
    let of = |stream| {
        host.request.replace(sent.clone());
        Call::new(stream).on_request_head(host, shared, true)
    };
    let flows = streams.map(of).collect();
    host.request.replace(sent);
    flows
}

#[test]
fn a_caller_with_too_many_open_calls_is_overload_and_no_other_is() {
    let (host, shared) = worker(OF_CALLER + 2);
    let open = calls(&host, &shared, "right", 0..OF_CALLER);
    assert!(open.iter().all(|flow| *flow == Flow::Continue));
    let last = OF_CALLER..OF_CALLER + 1;
    assert_eq!(calls(&host, &shared, "right", last.clone()), [Flow::Ended]);
    assert_eq!(host.status(), Some(503));
    let reply = host.replies.borrow()[0].clone();
    assert!(String::from_utf8_lossy(&reply.body).contains("OVERLOADED"));
    assert!(reply.headers.iter().any(|(name, _)| *name == "retry-after"));
    let other = OF_CALLER + 1..OF_CALLER + 2;
    assert_eq!(calls(&host, &shared, "second", other), [Flow::Continue]);
    host.there.borrow_mut().remove(&3);
    // Two looks later it is known that one of them is over.
    for _ in 0..2 {
        shared.open.look(&host, 1).unwrap_or_default();
    }
    assert_eq!(calls(&host, &shared, "right", last), [Flow::Continue]);
}

#[test]
fn calls_that_are_over_are_none_that_are_open() {
    let (host, shared) = worker(0);
    for first in [0, OF_CALLER, 2 * OF_CALLER] {
        host.there.replace((first..first + OF_CALLER).collect());
        let flows = calls(&host, &shared, "right", first..first + OF_CALLER);
        assert!(flows.iter().all(|flow| *flow == Flow::Continue), "{first}");
    }
}

#[test]
fn a_proxy_with_too_many_open_calls_is_overload_whoever_calls() {
    let (host, shared) = worker(2 * OF_CALLER + 1);
    for (key, streams) in [
        ("right", 0..OF_CALLER),
        ("second", OF_CALLER..2 * OF_CALLER),
    ] {
        let flows = calls(&host, &shared, key, streams);
        assert!(flows.iter().all(|flow| *flow == Flow::Continue), "{key}");
    }
    let one_more = 2 * OF_CALLER..2 * OF_CALLER + 1;
    assert_eq!(calls(&host, &shared, "third", one_more), [Flow::Ended]);
}
