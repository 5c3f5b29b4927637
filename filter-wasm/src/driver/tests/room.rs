//! Room for bodies of requests that wait for them.

use requestrocket_policy::fixtures::holder;

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
fn a_body_for_which_a_caller_has_no_room_left_is_overload() {
    let (over, flow, _host) = waits(0, (MOST, false));
    assert_eq!(flow, Flow::AwaitBody);
    is_overloaded(waits(1, (MOST, false)));
    drop(over);
    let (_, flow, _) = waits(2, (MOST, false));
    assert_eq!(flow, Flow::AwaitBody, "what ended made room");
}

#[test]
fn a_body_that_is_judged_takes_room_twice() {
    // Each takes as much as it may.
    let others: Vec<Share> = (100..124).map(as_much_as_may_be).collect();
    is_overloaded(waits(1, (MOST, true)));
    drop(others);
    let (_, flow, _) = waits(2, (MOST, true));
    assert_eq!(flow, Flow::Continue);
}

fn as_much_as_may_be(number: u128) -> Share {
    let mut share = Share::new(Pool::Responses, holder(number));
    for bytes in (0..192).map(|mebibytes| mebibytes << 20) {
        if share.set(bytes).is_err() {
            break;
        }
    }
    share
}
