//! What is told of a call's meters and filters for its record.

use prost::Message as _;
use requestrocket_proto::record::v1::{MeterDelta, Note, Outcome, Removed};

use super::*;

const WHICH: CallNumber = CallNumber {
    worker: [7; 16],
    number: 3,
};
const OK_JSON: [(&str, &str); 3] = [
    (":status", "200"),
    ("content-type", "application/json"),
    ("x-units", "2.5"),
];

fn header(name: &str) -> Extraction {
    Extraction::HeaderName(name.to_owned())
}

fn body(path: &str) -> Extraction {
    Extraction::BodyPath(path.to_owned())
}

fn delta(n: u128, micros: u64) -> MeterDelta {
    let meter_id = Uuid::from_u128(0x4000 + n).as_bytes().to_vec().into();
    MeterDelta { meter_id, micros }
}

fn removed(stage: &str, nodes: u64) -> Removed {
    Removed {
        stage: stage.to_owned(),
        nodes,
    }
}

/// The last that was told of a response that came so.
fn told(fixture: &PolicyFixture, head: &[(&str, &str)], chunks: &[&[u8]]) -> Option<Outcome> {
    let ports = Counting::default();
    let (mut exchange, decision) = call(fixture, &ports);
    decision.unwrap();
    let _ = exchange.on_response_head(&FakeResponse::new(head), chunks.is_empty(), &ports);
    let mut last = exchange.outcome();
    for (place, chunk) in chunks.iter().enumerate() {
        let turn = &mut Turn::of(u64::MAX);
        let is_end = place + 1 == chunks.len();
        let _ = exchange.on_response_chunk((chunk, is_end), turn, &ports);
        last = exchange.outcome().or(last);
    }
    assert_eq!(exchange.outcome(), None, "it was told");
    last.map(|bytes| Outcome::decode(&bytes[..]).unwrap())
}

#[test]
fn a_call_that_is_let_through_tells_at_once_which_meters_counted_it() {
    let mut fixture = fixture();
    fixture.wire.meters = vec![
        meter(1, "", None, None),
        meter(2, "POST", None, None),
        meter(3, "", Some(header("x-units")), None),
    ];
    let note = |fixture: &PolicyFixture| {
        let (exchange, _) = call(fixture, &Counting::default());
        let path = api("/x");
        let lines = lines("GET", &path, &[("authorization", "key")]);
        let note = exchange.note(&RequestHead::new(&lines), WHICH, &Admitting(0));
        Note::decode(&note[..]).unwrap().meters
    };
    assert_eq!(note(&fixture), [delta(1, 1_000_000)]);
    let refusing = fixture.rules(LayerName::Proxy, "deny", &[]);
    assert_eq!(note(&refusing), []);
}

#[test]
fn what_a_response_brought_and_lost_is_told_once_it_is_known() {
    let mut fixture = fixture()
        .redactions(LayerName::Target, &["destroy $..secret", "destroy $.gone"])
        .redactions(LayerName::Proxy, &["retain $.kept"]);
    fixture.wire.meters = vec![
        meter(1, "", None, None),
        meter(2, "", Some(body("$.used")), None),
        meter(3, "", Some(header("x-units")), None),
        meter(4, "", Some(header("x-none")), None),
    ];
    let json = br#"{"used":3,"kept":1,"secret":2,"deep":[{"secret":1},4]}"#;
    let (first, rest) = json.split_at(20);
    let want = Outcome {
        filters: vec![removed("target", 2), removed("proxy", 2)],
        meters: vec![delta(3, 2_500_000), delta(2, 3_000_000)],
    };
    assert_eq!(told(&fixture, &OK_JSON, &[json]), Some(want.clone()));
    assert_eq!(told(&fixture, &OK_JSON, &[first, rest]), Some(want));
}

#[test]
fn of_a_whole_body_and_of_a_stream_all_nodes_are_told() {
    let held = fixture().redactions(LayerName::Proxy, &["destroy $.x[?@.a]"]);
    let json = br#"{"x":[{"a":1},{"b":2},{"a":3}]}"#;
    let filters = |told: Option<Outcome>| told.unwrap().filters;
    assert_eq!(
        filters(told(&held, &OK_JSON, &[json])),
        [removed("proxy", 2)]
    );
    let lines = [(":status", "200"), ("content-type", "application/x-ndjson")];
    let chunks: [&[u8]; 2] = [b"{\"x\":[{\"a\":1}]}\n{\"x\":", b"[{\"a\":1},2]}\n{}\n"];
    assert_eq!(filters(told(&held, &lines, &chunks)), [removed("proxy", 2)]);
}

#[test]
fn nothing_is_told_where_nothing_came_of_it_and_no_node_of_what_was_replaced() {
    let mut fixture = fixture().redactions(LayerName::Proxy, &["destroy $.secret"]);
    assert_eq!(told(&fixture, &OK_JSON, &[b"{\"a\":1}"]), None);
    fixture.wire.meters = vec![meter(3, "", Some(header("x-units")), None)];
    let refused = told(&fixture, &OK_JSON, &[b"{\"secret\":1]"]).unwrap();
    assert_eq!(refused.meters, [delta(3, 2_500_000)]);
    assert_eq!(refused.filters, []);
}
