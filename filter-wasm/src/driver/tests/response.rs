//! Bodies of responses in pieces, and their trailers.

use requestrocket_policy::authz::LayerName;

use super::*;

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

/// Gives the call a piece; what Envoy then has in its place.
fn piece(
    (host, shared, call): &mut (FakeHost, Shared, Call),
    text: &str,
    is_end: bool,
) -> (Flow, String) {
    *host.chunk.borrow_mut() = text.as_bytes().to_vec();
    let size = text.len();
    let flow = call.on_response_body(host, shared, Chunk { size, is_end });
    let left = host.chunk.borrow().clone();
    (flow, String::from_utf8(left).unwrap())
}

/// One that can be decided at the end only.
fn holding() -> PolicyFixture {
    fixture().redactions(LayerName::Proxy, &["destroy $[-1]"])
}

#[test]
fn a_head_is_held_until_something_passes() {
    let mut scene = answering(&redacting());
    assert_eq!(piece(&mut scene, "", false), (Flow::Held, String::new()));
    assert_eq!(piece(&mut scene, "{", false).0, Flow::Continue);
    let mut scene = answering(&holding());
    assert_eq!(piece(&mut scene, "[1", false), (Flow::Held, String::new()));
    assert_eq!(piece(&mut scene, ",2]", false), (Flow::Held, String::new()));
    assert_eq!(
        piece(&mut scene, "", true),
        (Flow::Continue, "[1]".to_owned())
    );
}

/// Envoy has a buffer to write to only where the head was held.
#[test]
fn trailers_end_a_body() {
    let mut scene = answering(&redacting());
    assert_eq!(piece(&mut scene, r#"{"s":1,"a":2}"#, false).1, r#"{"a":2}"#);
    let (host, shared, call) = &mut scene;
    let host = std::mem::take(host).failing_at(HostCall::ReplaceResponseChunk);
    assert_eq!(call.on_response_trailers(&host, shared), Flow::Continue);
    assert!(!host.is_reset.get());

    let mut scene = answering(&holding());
    assert_eq!(piece(&mut scene, "[1,2]", false).0, Flow::Held);
    let (host, shared, call) = &mut scene;
    assert_eq!(call.on_response_trailers(host, shared), Flow::Continue);
    assert_eq!(*host.chunk.borrow(), b"[1]");
}

#[test]
fn trailers_behind_half_a_document_complete_nothing() {
    let mut scene = answering(&redacting());
    assert_eq!(piece(&mut scene, r#"{"a":2"#, false).0, Flow::Continue);
    let (host, shared, call) = &mut scene;
    assert_eq!(call.on_response_trailers(host, shared), Flow::Dropped);
    assert!(host.is_reset.get());
    assert!(host.warnings.borrow().is_empty());
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
