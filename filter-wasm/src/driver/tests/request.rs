//! Requests that wait: for their body, or for the region server.

use prost::Message as _;
use requestrocket_policy::{authz::LayerName, effort::Turn, limit::Report};
use requestrocket_proto::{meter::v1 as meter, policy::v1 as wire};

use super::*;
use crate::counters::Answered;
use crate::driver::{
    again::{AGAIN_HEADER, ASKED_HEADER},
    policies::ROUTE_HEADER,
};

/// Denies a model, which stands in the body.
fn judging_bodies() -> PolicyFixture {
    let mut fixture = fixture().rules(LayerName::Proxy, "allow", &["deny 500 POST b:$.m=^bad$"]);
    fixture.wire.max_inspected_bytes = 32;
    fixture
}

fn posted(fixture: &PolicyFixture, body: &[u8]) -> (FakeHost, Shared) {
    let (mut host, shared) = call(fixture, &[KEY]);
    for (name, value) in host.request.get_mut() {
        if name == ":method" {
            *value = b"POST".to_vec();
        }
    }
    host.request_body = body.to_vec();
    (host, shared)
}

/// Where a call comes back to that has waited, with the route that is in force now.
fn posted_again(fixture: &PolicyFixture, body: &[u8]) -> (FakeHost, Shared) {
    let (mut host, shared) = posted(fixture, body);
    let mark = (AGAIN_HEADER.to_owned(), b"1".to_vec());
    host.request.get_mut().push(mark);
    (host, shared)
}

/// A call that comes to where it is judged, and whose body may be so long.
pub(super) fn waiting_call(most: u64) -> (FakeHost, Shared) {
    let mut fixture = judging_bodies();
    fixture.wire.max_inspected_bytes = most;
    posted_again(&fixture, b"{}")
}

#[test]
fn a_call_that_waited_goes_on_to_be_judged_again() {
    // Not even what is to be denied is answered here, nor is anything counted or edited.
    let (mut host, shared) = posted(&judging_bodies(), b"{\"m\":\"bad\"}");
    let route = host.route.as_ref().unwrap().0.clone();
    let named = (ROUTE_HEADER.to_owned(), route);
    host.request.get_mut().push(named);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    assert!(host.header(ROUTE_HEADER).is_some());
    let all = call.on_request_body(&host, &shared, (11, true));
    assert_eq!((all, host.status()), (Flow::Continue, None));
    assert_eq!(host.header(ROUTE_HEADER), None);
    assert_eq!(host.header(":path"), Some(path("/x?q=1")));
    assert!(call.is_done());
    // What was judged again is let through without the mark, with which it would lead nowhere.
    let (host, shared) = posted_again(&judging_bodies(), b"{}");
    let mut call = Call::new(8);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let all = call.on_request_body(&host, &shared, (2, true));
    assert_eq!((all, host.header(AGAIN_HEADER)), (Flow::Continue, None));
    assert_eq!(host.header(":path").as_deref(), Some("/base/x?q=1"));
}

#[test]
fn a_call_that_cannot_go_on_to_be_judged_again_is_refused() {
    let (host, shared) = posted(&judging_bodies(), b"{}");
    let host = host.failing_at(HostCall::RemoveRequestHeader);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let all = call.on_request_body(&host, &shared, (2, true));
    assert_eq!((all, host.status()), (Flow::Ended, Some(503)));
    assert_eq!(host.notes.borrow().len(), 1);
}

#[test]
fn a_body_has_a_minute_and_a_second_more_for_each_64_kib() {
    let mut fixture = judging_bodies();
    fixture.wire.max_inspected_bytes = 1 << 20;
    let (host, shared) = posted(&fixture, b"");
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let start = host.envoy.now_ms.get();
    for (after_ms, size, want) in [
        (0, 1, Flow::AwaitBody),
        (60_000, 2, Flow::AwaitBody),
        (61_000, 64 << 10, Flow::AwaitBody),
        (61_001, 64 << 10, Flow::Ended),
    ] {
        host.envoy.now_ms.set(start + after_ms);
        let flow = call.on_request_body(&host, &shared, (size, false));
        assert_eq!(flow, want, "{after_ms} ms, {size} bytes");
    }
    assert_eq!(host.status(), Some(408));
}

#[test]
fn silence_ends_a_wait_for_a_body_and_no_other() {
    let (host, shared) = posted(&judging_bodies(), b"");
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let start = host.envoy.now_ms.get();
    for (after_ms, status) in [(60_000, None), (60_001, Some(408))] {
        host.envoy.now_ms.set(start + after_ms);
        call.on_silence(&host, &shared);
        assert_eq!(host.status(), status, "{after_ms} ms");
    }
    assert!(call.is_done());
    assert_eq!(host.notes.borrow().len(), 1, "it has a record");
    // A target may think for as long as its proxy lets it.
    let (host, shared) = call_of_get();
    let mut call = Call::new(8);
    assert_eq!(call.on_request_head(&host, &shared, true), Flow::Continue);
    host.envoy.now_ms.set(start + 1_000_000);
    call.on_silence(&host, &shared);
    assert_eq!(host.status(), None);
}

#[test]
fn a_body_is_waited_for_only_when_a_rule_may_need_it() {
    let (host, shared) = call(&judging_bodies(), &[KEY]);
    let flow = Call::new(7).on_request_head(&host, &shared, false);
    assert_eq!(flow, Flow::Continue, "GET");
    let (host, shared) = posted(&judging_bodies(), b"");
    let flow = Call::new(7).on_request_head(&host, &shared, true);
    assert_eq!(flow, Flow::Continue, "no body");
    let (host, shared) = posted(&judging_bodies(), b"");
    let flow = Call::new(7).on_request_head(&host, &shared, false);
    assert_eq!(flow, Flow::AwaitBody);
    assert_eq!(host.header(":path"), Some(path("/x?q=1")), "not edited yet");
}

#[test]
fn the_whole_body_decides() {
    for (body, status) in [
        (&b"{\"m\":\"good\"}"[..], None),
        (b"{\"m\":\"bad\"}", Some(403)),
        (b"{\"m\":\"good\",\"m\":\"bad\"}", Some(403)),
        (b"{\"m\":", Some(403)),
        (b"m=bad", None),
    ] {
        let (host, shared) = posted_again(&judging_bodies(), body);
        let mut call = Call::new(7);
        assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
        let some = call.on_request_body(&host, &shared, (2, false));
        assert_eq!(some, Flow::AwaitBody);
        let all = call.on_request_body(&host, &shared, (body.len(), true));
        assert_eq!(all == Flow::Continue, status.is_none(), "{body:?}");
        assert_eq!(host.status(), status, "{body:?}");
        let is_edited = host.header(":path").as_deref() == Some("/base/x?q=1");
        assert_eq!(is_edited, status.is_none(), "{body:?}");
    }
}

#[test]
fn a_body_that_ends_with_trailers_decides_too() {
    let (host, shared) = posted_again(&judging_bodies(), b"{\"m\":\"bad\"}");
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let some = call.on_request_body(&host, &shared, (11, false));
    assert_eq!(some, Flow::AwaitBody);
    assert_eq!(call.on_request_trailers(&host, &shared), Flow::Ended);
    assert_eq!(host.status(), Some(403));
    // Of a call that waits for nothing they pass.
    let (host, shared) = call_of_get();
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::Continue);
    assert_eq!(call.on_request_trailers(&host, &shared), Flow::Continue);
}

/// A call with a body that is several turns of work, and how it is held.
fn much_work(is_bad: bool, has_trailers: bool) -> (FakeHost, Shared, Call, Flow) {
    let mut fixture = judging_bodies();
    fixture.wire.max_inspected_bytes = 4 << 20;
    let model = if is_bad { "bad" } else { "good" };
    let body = format!("{{\"m\":\"{model}\",\"x\":\"{}\"}}", "x".repeat(3 << 20));
    let (host, shared) = posted_again(&fixture, body.as_bytes());
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let all = if has_trailers {
        let some = call.on_request_body(&host, &shared, (body.len(), false));
        assert_eq!(some, Flow::AwaitBody);
        call.on_request_trailers(&host, &shared)
    } else {
        call.on_request_body(&host, &shared, (body.len(), true))
    };
    (host, shared, call, all)
}

#[test]
fn a_body_that_is_much_work_is_looked_into_in_turns() {
    for (is_bad, has_trailers) in [(false, false), (true, false), (false, true), (true, true)] {
        let (host, shared, mut call, all) = much_work(is_bad, has_trailers);
        assert_eq!((all, host.status()), (Flow::AwaitAnswer, None));
        assert_eq!(host.header(":path"), Some(path("/x?q=1")), "not edited yet");
        // However long that takes.
        host.envoy.now_ms.set(host.envoy.now_ms.get() + 1_000_000);
        call.on_silence(&host, &shared);
        let mut turns = vec![];
        while let Some(stream) = shared.turns.next() {
            assert_eq!(stream, 7);
            let turned = call.on_turn(&host, &shared, &mut Turn::of(1));
            shared.turns.took(turned != Turned::Waits);
            turns.push(turned);
        }
        let end = turns.pop();
        assert!(turns.len() > 1 && turns.iter().all(|turned| *turned == Turned::Waits));
        let want = if is_bad {
            (Some(Turned::Over), Some(403), path("/x?q=1"))
        } else {
            (Some(Turned::Forwarded), None, "/base/x?q=1".to_owned())
        };
        let edited = host.header(":path").unwrap();
        assert_eq!((end, host.status(), edited), want);
    }
}

#[test]
fn of_a_call_that_is_gone_the_body_is_not_looked_into() {
    let (host, shared, call, _) = much_work(false, false);
    call.on_end(&host, &shared);
    assert_eq!(host.status(), None);
    let turned = Call::new(7).on_turn(&host, &shared, &mut Turn::of(1));
    assert_eq!(turned, Turned::Over);
}

fn call_of_get() -> (FakeHost, Shared) {
    call(&fixture(), &[KEY])
}

#[test]
fn a_body_that_is_too_large_is_refused_as_soon_as_that_is_known() {
    let (host, shared) = posted(&judging_bodies(), &[b'x'; 33]);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let most = call.on_request_body(&host, &shared, (32, false));
    assert_eq!(most, Flow::AwaitBody);
    let more = call.on_request_body(&host, &shared, (33, false));
    assert_eq!((more, host.status()), (Flow::Ended, Some(413)));
    assert!(call.is_done());
}

#[test]
fn a_body_that_cannot_be_read_is_refused() {
    let (host, shared) = posted_again(&judging_bodies(), b"{}");
    let host = host.failing_at(HostCall::RequestBody);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, false), Flow::AwaitBody);
    let all = call.on_request_body(&host, &shared, (2, true));
    assert_eq!((all, host.status()), (Flow::Ended, Some(503)));
}

/// A proxy with one call a minute, on an Envoy of its own.
fn limited() -> (FakeHost, Shared) {
    let mut fixture = fixture();
    fixture.wire.limits = Some(once_a_minute());
    on_an_envoy(&fixture)
}

fn once_a_minute() -> wire::Limits {
    wire::Limits {
        minute: Some(1),
        ..wire::Limits::default()
    }
}

fn on_an_envoy(fixture: &PolicyFixture) -> (FakeHost, Shared) {
    let (host, shared) = call(fixture, &[KEY]);
    host.envoy.now_ms.set(1_795_676_400_000);
    let counters = Counters::start(&host).unwrap();
    (host, Shared { counters, ..shared })
}

/// The region server gives all there is, or nothing.
fn answered(host: &FakeHost, shared: &Shared, has_room: bool) -> Option<Answered> {
    let (token, request) = host.envoy.sent.borrow().last().cloned().unwrap();
    let request = meter::SyncRequest::decode(request.as_slice()).unwrap();
    let grants = request.reports.into_iter().map(|wire| {
        let report = Report::from_wire(wire).unwrap();
        meter::Grant {
            others_micros: if has_room { 0 } else { report.limit.get() },
            ceiling_micros: if has_room { report.limit.get() } else { 0 },
            valid_ms: 600,
            nodes: 2,
        }
    });
    let answer = meter::SyncResponse {
        grants: grants.collect(),
        epoch: 1,
    };
    let answer = answer.encode_to_vec();
    shared.counters.on_answer(host, token, &answer)
}

/// A call waited for the region server, and Envoy chooses its route again: to what it then comes.
fn comes_again(host: &FakeHost, shared: &Shared, (waited, asked): (&mut Call, Asked)) -> Flow {
    let flow = waited.on_answer(host, shared, asked);
    assert_eq!((flow, host.status()), (Flow::Continue, None));
    assert!(waited.is_done());
    assert_eq!(host.header(ROUTE_HEADER), None);
    assert_eq!(host.header(":path"), Some(path("/x?q=1")), "edited");
    let mark = (AGAIN_HEADER.to_owned(), b"1".to_vec());
    host.request.borrow_mut().push(mark);
    Call::new(8).on_request_head(host, shared, true)
}

#[test]
fn a_call_without_room_waits_for_the_region_server() {
    for (has_room, flow, status) in [
        (true, Flow::Continue, None),
        (false, Flow::Ended, Some(429)),
    ] {
        let (host, shared) = limited();
        let mut call = Call::new(7);
        let waits = call.on_request_head(&host, &shared, true);
        assert_eq!(waits, Flow::AwaitAnswer);
        let Answered { stream, asked } = answered(&host, &shared, has_room).unwrap();
        assert_eq!(stream, 7);
        let flow_again = comes_again(&host, &shared, (&mut call, asked));
        assert_eq!((flow_again, host.status()), (flow, status));
        assert_eq!(host.envoy.sent.borrow().len(), 1, "asked once");
    }
}

/// What was changed while it waited applies, and nothing that it waited for is taken.
#[test]
fn a_call_that_waited_for_the_region_server_is_judged_by_what_is_in_force_then() {
    let mut fixture = fixture();
    fixture.wire.limits = Some(once_a_minute());
    let (mut host, shared) = on_an_envoy(&fixture);
    let mut call = Call::new(7);
    let waits = call.on_request_head(&host, &shared, true);
    assert_eq!(waits, Flow::AwaitAnswer);
    let Answered { asked, .. } = answered(&host, &shared, true).unwrap();
    let changed = fixture.rules(LayerName::Proxy, "deny", &[]);
    let route = format!("{PROXY_ID}/2").into_bytes();
    host.route = Some((route, Some(changed.encode())));
    let flow = comes_again(&host, &shared, (&mut call, asked));
    assert_eq!((flow, host.status()), (Flow::Ended, Some(403)));
}

/// Others may use up what there was, again and again; a call has six questions in all.
#[test]
fn a_call_that_was_judged_again_waits_where_it_is() {
    for (asked_before, waits) in [("granted 5", true), ("granted 6", false)] {
        let (host, shared) = limited();
        for (name, value) in [(AGAIN_HEADER, "1"), (ASKED_HEADER, asked_before)] {
            let line = (name.to_owned(), value.as_bytes().to_vec());
            host.request.borrow_mut().push(line);
        }
        let mut call = Call::new(7);
        let flow = call.on_request_head(&host, &shared, true);
        if waits {
            assert_eq!(flow, Flow::AwaitAnswer);
            let Answered { asked, .. } = answered(&host, &shared, true).unwrap();
            assert_eq!(call.on_answer(&host, &shared, asked), Flow::Continue);
            let marks = [AGAIN_HEADER, ASKED_HEADER].map(|name| host.header(name));
            assert_eq!(marks, [None, None]);
        } else {
            assert_eq!((flow, host.status()), (Flow::Ended, Some(429)));
        }
    }
}

#[test]
fn what_a_call_takes_along_is_understood_or_it_is_refused() {
    for (asked_before, status) in [
        ("refused 1", Some(429)),
        ("unanswered 1", None),
        ("granted", Some(503)),
        ("granted -1", Some(503)),
        ("granted 256", Some(503)),
        ("given 1", Some(503)),
        ("", Some(503)),
    ] {
        let (host, shared) = limited();
        for (name, value) in [(AGAIN_HEADER, "1"), (ASKED_HEADER, asked_before)] {
            let line = (name.to_owned(), value.as_bytes().to_vec());
            host.request.borrow_mut().push(line);
        }
        Call::new(7).on_request_head(&host, &shared, true);
        assert_eq!(host.status(), status, "{asked_before}");
    }
}

#[test]
fn envoy_says_what_the_request_warns_of() {
    let mut metered = fixture();
    metered.wire.meters = vec![wire::Meter {
        meter_id: "44444444-4444-4444-8444-444444444444".to_owned(),
        limits: Some(once_a_minute()),
        ..wire::Meter::default()
    }];
    let judge = |host: &FakeHost, shared: &Shared| {
        let mut call = Call::new(7);
        let waits = call.on_request_head(host, shared, true);
        assert_eq!(waits, Flow::AwaitAnswer);
        let Answered { asked, .. } = answered(host, shared, true).unwrap();
        comes_again(host, shared, (&mut call, asked))
    };
    let (host, shared) = on_an_envoy(&metered);
    assert_eq!(judge(&host, &shared), Flow::Continue);
    let said = host.said.borrow().clone().unwrap();
    assert!(
        said.starts_with("meter-near-limit; meter=44444444"),
        "{said}"
    );
    let (host, shared) = on_an_envoy(&metered);
    let host = host.failing_at(HostCall::WarnCaller);
    assert_eq!(judge(&host, &shared), Flow::Ended);
    assert_eq!(host.status(), Some(503));
}

#[test]
fn a_region_server_that_fails_holds_nobody_up() {
    let (host, shared) = limited();
    let mut call = Call::new(7);
    let waits = call.on_request_head(&host, &shared, true);
    assert_eq!(waits, Flow::AwaitAnswer);
    let failed = shared.counters.on_failure(&host, 1).unwrap();
    let flow = comes_again(&host, &shared, (&mut call, failed.asked));
    assert_eq!(flow, Flow::Continue);
    // The share is used up, and nobody is asked for a while.
    let mut second = Call::new(8);
    assert_eq!(second.on_request_head(&host, &shared, true), Flow::Ended);
    assert_eq!(host.envoy.sent.borrow().len(), 1);
}

#[test]
fn a_call_that_cannot_be_counted_is_refused() {
    let (host, shared) = limited();
    let host = host.failing_at(HostCall::SharedData);
    refused_bare(&host, &shared);
}

#[test]
fn an_answer_to_a_call_that_does_not_wait_changes_nothing() {
    let (host, shared) = call_of_get();
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, true), Flow::Continue);
    let flow = call.on_answer(&host, &shared, Asked::NotYet);
    assert_eq!(flow, Flow::Ended);
    assert_eq!(call.on_response_head(&host, &shared, true), Flow::Continue);
}

#[test]
fn a_handshake_has_no_body_to_wait_for() {
    let asked = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
    ];
    let mut fixture = judging_bodies();
    fixture = fixture.rules(LayerName::Proxy, "allow", &["deny 500 b:$.m=^bad$"]);
    for (more, want) in [
        (&[][..], Flow::Continue),
        (&[("content-length", "2")], Flow::AwaitBody),
        (&[("transfer-encoding", "chunked")], Flow::AwaitBody),
    ] {
        let lines = [&[KEY][..], &asked, more].concat();
        let (host, shared) = call(&fixture, &lines);
        let mut handshake = Call::new(7);
        assert_eq!(handshake.on_request_head(&host, &shared, false), want);
    }
    // One header alone is no upgrade to Envoy.
    for half in asked {
        let (host, shared) = call(&fixture, &[KEY, half]);
        let mut no_handshake = Call::new(7);
        let flow = no_handshake.on_request_head(&host, &shared, false);
        assert_eq!(flow, Flow::AwaitBody, "{half:?}");
    }
    // Nor is what another method brings.
    let (mut host, shared) = posted(&fixture, b"{}");
    for (name, value) in asked {
        let line = (name.to_owned(), value.as_bytes().to_vec());
        host.request.get_mut().push(line);
    }
    let mut post = Call::new(7);
    assert_eq!(post.on_request_head(&host, &shared, false), Flow::AwaitBody);
}
