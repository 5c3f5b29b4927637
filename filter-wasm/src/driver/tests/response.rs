//! Bodies of responses in pieces, and their trailers.

use requestrocket_policy::{authz::LayerName, effort::Turn};

use super::*;
use crate::driver::valve::HEADER;

fn redacting() -> PolicyFixture {
    fixture().redactions(LayerName::Proxy, &["destroy $.s"])
}

/// A call whose answer, JSON without a length, has begun.
fn answering(fixture: &PolicyFixture) -> (FakeHost, Shared, Call) {
    let (host, shared) = call(fixture, &[KEY]);
    let host = host.answered_with(&[(":status", "200"), ("content-type", "application/json")]);
    let mut call = Call::new(7);
    assert_eq!(call.on_request_head(&host, &shared, true), Flow::Continue);
    assert_eq!(
        call.on_response_head(&host, &shared, false),
        Flow::AwaitBody
    );
    (host, shared, call)
}

/// Envoy says of either that it is answered.
#[test]
fn a_call_that_ends_is_refused_as_long_as_its_head_is_held() {
    for (is_begun, status) in [(false, Some(403)), (true, None)] {
        let mut answering = answering(&redacting());
        answering.0.answered.borrow_mut().insert(0);
        assert_eq!(answering.0.is_answered(), Ok(true));
        if is_begun {
            let (flow, sent) = piece(&mut answering, r#"{"a":1,"#, false);
            assert_eq!((flow, &*sent), (Flow::Continue, r#"{"a":1"#));
        }
        let (host, shared, call) = answering;
        let _rest = call.end(&host, &shared, Denial::CredentialInvalid);
        assert_eq!(host.status(), status, "begun: {is_begun}");
        assert_eq!(host.is_reset.get(), is_begun);
    }
}

#[test]
fn a_switch_of_protocols_passes_to_who_asked_for_it() {
    let asked = ("upgrade", "websocket");
    for (lines, want) in [
        (&[KEY, asked][..], Flow::Continue),
        (&[KEY][..], Flow::Ended),
    ] {
        let (host, shared) = call(&fixture(), lines);
        let host = host.answered_with(&[(":status", "101"), asked]);
        let mut call = Call::new(7);
        assert_eq!(call.on_request_head(&host, &shared, false), Flow::Continue);
        let mut forgotten = Call::forgotten(&host, &shared, 7).unwrap();
        assert_eq!(forgotten.on_response_head(&host, &shared, false), want);
    }
}

const VALVE: u32 = 8;

/// Brings a piece to the valve, and what that lets through on to the call; what passes then.
fn piece(
    (host, shared, call): &mut (FakeHost, Shared, Call),
    text: &str,
    is_end: bool,
) -> (Flow, String) {
    *host.chunk.borrow_mut() = text.as_bytes().to_vec();
    let size = text.len();
    let chunk = Chunk { size, is_end };
    let mut flow = call.on_valve_body((host, shared), VALVE, chunk);
    if flow == Flow::Continue {
        flow = call.on_response_body(host, shared, chunk);
    }
    let left = host.chunk.borrow().clone();
    (flow, String::from_utf8(left).unwrap())
}

/// Brings trailers there; what was held back passes before them.
fn trailers((host, shared, call): &mut (FakeHost, Shared, Call)) -> (Flow, String) {
    host.chunk.borrow_mut().clear();
    let flow = call.on_valve_trailers((host, shared), VALVE);
    if flow != Flow::Continue {
        return (flow, String::new());
    }
    let nothing = Chunk {
        size: 0,
        is_end: false,
    };
    assert_eq!(call.on_response_body(host, shared, nothing), Flow::Continue);
    let left = host.chunk.borrow().clone();
    (
        call.on_response_trailers(host, shared),
        String::from_utf8(left).unwrap(),
    )
}

/// One that can be decided at the end only.
fn holding() -> PolicyFixture {
    fixture().redactions(LayerName::Proxy, &["destroy $[-1]"])
}

#[test]
fn a_head_is_held_until_something_passes() {
    let mut scene = answering(&redacting());
    assert_eq!(
        piece(&mut scene, "", false),
        (Flow::HeldBack, String::new())
    );
    assert_eq!(piece(&mut scene, "{", false).0, Flow::Continue);
    let mut scene = answering(&holding());
    for part in ["[1", ",2]"] {
        let held = (Flow::HeldBack, String::new());
        assert_eq!(piece(&mut scene, part, false), held);
    }
    assert_eq!(
        piece(&mut scene, "", true),
        (Flow::Continue, "[1]".to_owned())
    );
}

/// Bytes can pass only in the place of others.
#[test]
fn trailers_end_a_body() {
    let mut scene = answering(&redacting());
    assert_eq!(piece(&mut scene, r#"{"s":1,"a":2}"#, false).1, r#"{"a":2}"#);
    let (host, shared, call) = &mut scene;
    let valve = call.on_valve_trailers((host, shared), VALVE);
    assert_eq!(valve, Flow::Continue);
    assert_eq!(call.on_response_trailers(host, shared), Flow::Continue);
    assert!(!host.is_reset.get());

    let mut scene = answering(&holding());
    assert_eq!(piece(&mut scene, "[1,2]", false).0, Flow::HeldBack);
    assert_eq!(trailers(&mut scene), (Flow::Continue, "[1]".to_owned()));
}

#[test]
fn trailers_behind_half_a_document_complete_nothing() {
    let mut scene = answering(&redacting());
    assert_eq!(piece(&mut scene, r#"{"a":2"#, false).0, Flow::Continue);
    assert_eq!(trailers(&mut scene).0, Flow::Dropped);
    assert!(scene.0.is_reset.get());
    assert!(scene.0.warnings.borrow().is_empty());
}

/// Takes turns of that many steps until nothing is left to be done.
fn turns((host, shared, call): &mut (FakeHost, Shared, Call), steps: u64) -> usize {
    let mut turns = 0;
    while let Some(stream) = shared.turns.next() {
        assert_eq!(stream, 7);
        let turned = call.on_turn(host, shared, &mut Turn::of(steps));
        let valve = shared.turns.took(turned != Turned::Waits);
        assert_eq!(valve, (turned != Turned::Waits).then_some(VALVE));
        turns += 1;
    }
    turns
}

/// Leaves the organisation of the fixture nothing to spend at once.
fn spend((host, shared, _): &(FakeHost, Shared, Call)) {
    let fixture = redacting();
    let organisation = fixture.admission.organisation_id.parse().unwrap();
    shared
        .turns
        .at_once(organisation, host, |turn| *turn = Turn::of(0));
}

#[test]
fn what_is_too_much_at_once_is_held_back_until_turns_have_done_it() {
    let mut scene = answering(&redacting());
    spend(&scene);
    for part in [r#"{"s":1,"#, r#""a":2"#] {
        let (flow, held) = piece(&mut scene, part, false);
        assert_eq!((flow, &*held), (Flow::HeldBack, part));
    }
    assert!(turns(&mut scene, 4) > 1);
    // Envoy lets through all that it held.
    let (host, shared, call) = &mut scene;
    let all = Chunk {
        size: 12,
        is_end: false,
    };
    assert_eq!(call.on_response_body(host, shared, all), Flow::Continue);
    assert_eq!(*host.chunk.borrow(), br#"{"a":2"#);
    spend(&scene);
    let (flow, _) = piece(&mut scene, "text", true);
    assert_eq!(flow, Flow::HeldBack);
    assert_eq!(turns(&mut scene, u64::MAX), 1);
    assert!(scene.0.is_reset.get());
}

#[test]
fn trailers_wait_for_the_turns_of_their_body() {
    let mut scene = answering(&holding());
    spend(&scene);
    assert_eq!(piece(&mut scene, "[1,2]", false).0, Flow::HeldBack);
    assert_eq!(trailers(&mut scene).0, Flow::Held);
    turns(&mut scene, 1);
    let (host, shared, call) = &mut scene;
    let all = Chunk {
        size: 5,
        is_end: false,
    };
    assert_eq!(call.on_response_body(host, shared, all), Flow::Continue);
    assert_eq!(*host.chunk.borrow(), b"[1]");
    assert_eq!(call.on_response_trailers(host, shared), Flow::Continue);
}

/// Answers that Envoy makes itself, between the two, are seen by the call alone.
#[test]
fn what_no_valve_saw_is_worked_on_too() {
    let (host, shared, mut call) = answering(&redacting());
    *host.chunk.borrow_mut() = br#"{"s":1,"a":2}"#.to_vec();
    let whole = Chunk {
        size: 13,
        is_end: true,
    };
    assert_eq!(call.on_response_body(&host, &shared, whole), Flow::Continue);
    assert_eq!(*host.chunk.borrow(), br#"{"a":2}"#);
}

#[test]
fn a_valve_is_named_by_the_call_and_nothing_of_that_is_sent() {
    let (host, shared, _) = answering(&redacting());
    assert_eq!(host.header(HEADER).as_deref(), Some("7"));
    let mut valve = Call::new(VALVE);
    assert_eq!(valve.on_request_head(&host, &shared, true), Flow::Continue);
    assert_eq!(valve.valve_of(), Some(7));
    assert_eq!(host.header(HEADER), None);
    let (host, shared) = call(&fixture(), &[KEY]);
    Call::new(7).on_request_head(&host, &shared, true);
    assert_eq!(host.header(HEADER), None, "nobody looks into the response");
}

#[test]
fn what_is_no_json_is_refused_while_the_head_is_held_and_cut_after() {
    let mut scene = answering(&redacting());
    assert_eq!(piece(&mut scene, "text", false).0, Flow::Ended);
    assert_eq!(scene.0.status(), Some(422));
    let mut scene = answering(&redacting());
    assert_eq!(piece(&mut scene, r#"{"a":1,"#, false).0, Flow::Continue);
    assert_eq!(
        piece(&mut scene, "text", false),
        (Flow::Dropped, String::new())
    );
    assert!(scene.0.is_reset.get());
    assert_eq!(scene.0.status(), None);
}

/// A turn of which nothing comes yet lets go of what is held only when that is much.
#[test]
fn little_is_held_on_while_nothing_comes_of_it() {
    let mut scene = answering(&holding());
    spend(&scene);
    assert_eq!(piece(&mut scene, "[1,", false).0, Flow::HeldBack);
    let (host, shared, call) = &mut scene;
    let turned = call.on_turn(host, shared, &mut Turn::of(u64::MAX));
    assert_eq!(turned, Turned::Over);
    shared.turns.took(true);
    assert_eq!(trailers(&mut scene).0, Flow::Held);
    turns(&mut scene, u64::MAX);
    assert_eq!(scene.0.status(), Some(422), "it is no document");

    let mut scene = answering(&holding());
    spend(&scene);
    let much = format!("[1,{}", " ".repeat(32 << 10));
    assert_eq!(piece(&mut scene, &much, false).0, Flow::HeldBack);
    let (host, shared, call) = &mut scene;
    let turned = call.on_turn(host, shared, &mut Turn::of(u64::MAX));
    assert_eq!(turned, Turned::Done);
    shared.turns.took(true);
    let all = Chunk {
        size: much.len(),
        is_end: false,
    };
    assert_eq!(call.on_response_body(host, shared, all), Flow::HeldBack);
    assert!(host.chunk.borrow().is_empty());
}

/// Nobody waits for work whose result could not be sent, and nobody does it in one go.
#[test]
fn trailers_with_nothing_held_back_get_one_turn() {
    let mut scene = answering(&holding());
    spend(&scene);
    let much = format!("[{}1]", "1,".repeat(200_000));
    assert_eq!(piece(&mut scene, &much, false).0, Flow::HeldBack);
    let (host, shared, call) = &mut scene;
    let turned = call.on_turn(host, shared, &mut Turn::of(u64::MAX));
    assert_eq!(turned, Turned::Done);
    shared.turns.took(true);
    let all = Chunk {
        size: much.len(),
        is_end: false,
    };
    assert_eq!(call.on_response_body(host, shared, all), Flow::HeldBack);
    assert_eq!(trailers(&mut scene).0, Flow::Dropped);
    assert!(scene.0.is_reset.get());
    let (host, shared, call) = &mut scene;
    assert!(shared.turns.is_empty());
    let turned = call.on_turn(host, shared, &mut Turn::of(1));
    assert_eq!(turned, Turned::Waits, "most of it was not done");
}
