//! Callers that leave before a response's end: what passed counts, the latest value of it.

use super::*;

/// What is counted when the caller leaves after these chunks.
fn counted(fixture: &PolicyFixture, head: &[(&str, &str)], chunks: &[&[u8]]) -> Vec<String> {
    let ports = Counting::default();
    let (mut exchange, decision) = call(fixture, &ports);
    decision.unwrap();
    let decision = exchange.on_response_head(&FakeResponse::new(head), false, &ports);
    assert!(matches!(decision, ResponseDecision::Forward(..)));
    for chunk in chunks {
        let decision = exchange.on_response_chunk((chunk, false), &mut Turn::of(u64::MAX), &ports);
        let is_cut = matches!(decision, ChunkDecision::Cut | ChunkDecision::Refuse(_));
        assert!(!is_cut, "{decision:?}");
    }
    exchange.finish(&ports);
    let added = ports.added.borrow();
    added.iter().map(|(_, amount)| amount.clone()).collect()
}

fn metered() -> PolicyFixture {
    let mut fixture = fixture();
    fixture.wire.meters = vec![meter(1, "", Some(body(USAGE)), None)];
    fixture
}

fn of_type(content_type: &str) -> [(&str, &str); 2] {
    [OK, ("content-type", content_type)]
}

/// The values that end at these places of a stream, and what counts of its first `at` bytes.
fn latest(ends: &[(usize, &str)], at: usize) -> Vec<String> {
    let mut passed = ends.iter().filter(|(end, _)| *end <= at);
    passed
        .next_back()
        .map(|(_, value)| (*value).to_owned())
        .into_iter()
        .collect()
}

#[test]
fn the_latest_value_counts_wherever_the_caller_leaves() {
    let usage = |n: &str| format!(r#"{{"usage":{{"total":{n}}}}}"#);
    let (first, second) = (usage("7"), usage("\"9.5\""));
    let streams = [
        (
            "text/event-stream",
            format!(
                ": hi\n\ndata: {first}\n\ndata: {{}}\n\nid: 3\ndata: {second}\n\ndata: [DONE]\n\n"
            ),
        ),
        (
            "text/event-stream",
            format!("data: {first}\r\n\r\nevent: x\r\ndata:{second}\r\n\r\n"),
        ),
        (
            "application/x-ndjson",
            format!("{first}\n\n{{}}\n{second}\n"),
        ),
    ];
    let redacted = metered().redactions(LayerName::Proxy, &["destroy $.secret"]);
    for fixture in [metered(), redacted] {
        for (content_type, stream) in &streams {
            let end_of = |text: &str| stream.find(text).unwrap() + text.len();
            let ends = [(end_of(&first), "7"), (end_of(&second), "9.5")];
            for at in 0..=stream.len() {
                let passed = stream.as_bytes().get(..at).unwrap();
                let want = latest(&ends, at);
                let head = of_type(content_type);
                assert_eq!(counted(&fixture, &head, &[passed]), want, "{at}");
                let (left, right) = passed.split_at(at / 2);
                assert_eq!(counted(&fixture, &head, &[left, right]), want, "{at}");
            }
        }
    }
}

#[test]
fn a_path_that_needs_the_whole_record_is_read_as_well() {
    let mut fixture = fixture();
    fixture.wire.meters = vec![meter(1, "", Some(body("$.n[-1]")), None)];
    let head = of_type("text/event-stream");
    let stream = b"data: {\"n\":[1,2]}\n\ndata: {\"n\":[3";
    assert_eq!(counted(&fixture, &head, &[stream]), ["2"]);
    let whole = b"data: {\"n\":[1,2]}\n\ndata: {\"n\":[3]}";
    assert_eq!(counted(&fixture, &head, &[whole]), ["3"]);
}

/// What many callers leave behind at once has to be looked into at once.
#[test]
fn much_of_a_record_that_has_no_end_is_left_alone() {
    let long = "x".repeat(100 << 10);
    let head = of_type("text/event-stream");
    let stream = format!(
        "data: {{\"usage\":{{\"total\":7}}}}\n\ndata: {{\"x\":\"{long}\",\"usage\":{{\"total\":9}}}}"
    );
    assert_eq!(counted(&metered(), &head, &[stream.as_bytes()]), ["7"]);
    let whole = format!("{stream}\n\n");
    assert_eq!(counted(&metered(), &head, &[whole.as_bytes()]), ["9"]);
}

#[test]
fn who_leaves_is_counted_once() {
    let ports = Counting::default();
    let (mut exchange, _) = call(&metered(), &ports);
    let head = of_type("text/event-stream");
    exchange.on_response_head(&FakeResponse::new(&head), false, &ports);
    let last = b"data: {\"usage\":{\"total\":7}}\n\n";
    exchange.on_response_chunk((last, true), &mut Turn::of(u64::MAX), &ports);
    exchange.finish(&ports);
    assert_eq!(ports.added.borrow().len(), 1);
}

/// The end of a body is the end of its last record.
#[test]
fn an_event_without_its_blank_line_counts() {
    let chunk = "data: {\"usage\":{\"total\":7}}";
    for end in ["", "\n", "\r", "\n\n"] {
        let stream = format!("{chunk}{end}");
        let head = of_type("text/event-stream");
        adds(body(USAGE), &head, &[stream.as_bytes()], Some("7"));
    }
}
