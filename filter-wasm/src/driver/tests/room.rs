//! Room for bodies of requests that wait for them.

use super::{request::waiting_call, *};

const MOST: usize = 16 << 20;

/// A call that waits, here or where it is judged, and what becomes of it when so much has come.
fn waits(stream: u32, (size, is_end): (usize, bool)) -> (Call, Flow, FakeHost) {
    let (host, shared) = waiting_call(16 << 20);
    let mut call = Call::new(stream);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let flow = call.on_request_body(&host, &shared, (size, is_end));
    (call, flow, host)
}

#[track_caller]
fn is_overloaded((_, flow, host): (Call, Flow, FakeHost)) {
    assert_eq!((flow, host.status()), (Flow::Ended, Some(503)));
    let replies = host.replies.borrow();
    let after = replies[0]
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    assert!(after.is_some(), "it may come again");
    assert!(String::from_utf8_lossy(&replies[0].body).contains("OVERLOADED"));
}

#[test]
fn a_body_for_which_an_organisation_has_no_room_left_is_overload() {
    let mut open: Vec<_> = (0..3).map(|number| waits(number, (MOST, false))).collect();
    assert!(open.iter().all(|(_, flow, _)| *flow == Flow::AwaitBody));
    is_overloaded(waits(3, (1, false)));
    let (over, ..) = open.remove(0);
    drop(over);
    let (_, flow, _) = waits(4, (MOST / 2, false));
    assert_eq!(flow, Flow::AwaitBody, "what ended made room");
}

#[test]
fn a_body_that_is_judged_takes_room_twice() {
    let organisation = uuid::Uuid::from_u128(1).into();
    let mut others = Share::new(Pool::Responses, organisation);
    others.set(88 << 20).unwrap();
    let mut more = Share::new(Pool::Responses, uuid::Uuid::from_u128(2).into());
    more.set(48 << 20).unwrap();
    let mut most = Share::new(Pool::Responses, uuid::Uuid::from_u128(3).into());
    most.set(26 << 20).unwrap();
    is_overloaded(waits(1, (MOST, true)));
    drop(others);
    let (_, flow, _) = waits(2, (MOST, true));
    assert_eq!(flow, Flow::Continue);
}
