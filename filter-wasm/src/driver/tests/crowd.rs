//! Callers with as many open calls as they may have.

use std::ops::Range;

use requestrocket_policy::shares::Holder;

use super::*;
use crate::driver::open::Follows;

const OF_CALLER: u32 = 2_000;
const OF_PROXY: u32 = 3_000;
const OF_ORGANISATION: u32 = 4_500;
/// Of all organisations, on one of two workers.
const OF_ALL: u32 = 14_000;

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

fn holder((organisation, proxy, credential): (u128, u128, u128)) -> Holder {
    Holder {
        organisation: uuid::Uuid::from_u128(organisation).into(),
        proxy: uuid::Uuid::from_u128(proxy).into(),
        credential: Some(uuid::Uuid::from_u128(credential).into()),
    }
}

/// How many calls of that holder are let through, of as many as there are of all, on streams that
/// stay open. Each holder's have a range of streams of its own.
fn opened(host: &FakeHost, shared: &Shared, of: (u32, u128, u128, u128)) -> u32 {
    let (range, organisation, proxy, credential) = of;
    let holder = holder((organisation, proxy, credential));
    let mut count = 0;
    for stream in range * OF_ALL..(range + 1) * OF_ALL {
        host.there.borrow_mut().insert(stream);
        if !shared.open.has_room(host, stream, holder) {
            break;
        }
        shared.open.begin(stream, holder, Follows::Nothing);
        count += 1;
    }
    count
}

#[test]
fn neither_a_caller_nor_a_proxy_takes_all_that_its_organisation_may_have() {
    let (host, shared) = worker(0);
    let opened = |of| opened(&host, &shared, of);
    assert_eq!(opened((1, 1, 11, 111)), OF_CALLER);
    let second = opened((2, 1, 11, 112));
    assert!(second >= 600, "another caller of the proxy: {second}");
    let rest = opened((3, 1, 11, 113)) + OF_CALLER + second;
    assert!(rest <= OF_PROXY, "{rest} of one proxy");
    let other = opened((4, 1, 12, 121));
    assert!(other >= 600, "another proxy: {other}");
    let same = opened((5, 1, 13, 111));
    assert_eq!(same, 0, "the same credential elsewhere");
    let all = rest + other;
    assert!(all <= OF_ORGANISATION, "{all} of one organisation");
    assert_eq!(opened((6, 2, 21, 211)), OF_CALLER, "another organisation");
}

#[test]
fn however_many_organisations_take_what_they_may_there_is_something_for_the_next() {
    let (host, shared) = worker(0);
    let mut all = 0;
    for organisation in 1..=6_u32 {
        let mut of = 0;
        for caller in 0..6_u32 {
            let range = organisation * 6 + caller;
            let proxy = u128::from(10 * organisation + caller / 2);
            let id = u128::from(100 * organisation + caller);
            of += opened(&host, &shared, (range, organisation.into(), proxy, id));
        }
        assert!(of > 50, "organisation {organisation} has {of}");
        all += of;
    }
    assert!(all < OF_ALL, "{all}");
    assert!(opened(&host, &shared, (60, 99, 99, 99)) > 20, "the next");
}

#[test]
fn others_calls_that_are_over_are_in_nobodys_way() {
    let (host, shared) = worker(0);
    for stream in 0..2 * OF_ALL {
        let others = holder((1 + u128::from(stream % 8), 1, 1));
        shared.open.begin(stream, others, Follows::Nothing);
    }
    assert_eq!(opened(&host, &shared, (9, 99, 99, 99)), OF_CALLER);
}
