//! What one part of a response may cost, counted: bodies made to cost much, and long honest ones.

use requestrocket_proto::policy::v1 as wire;

use super::*;
use crate::{
    authz::LayerName,
    coding::tests::gzip,
    effort::{TURN_STEPS, counted},
};

const OK: (&str, &str) = (":status", "200");
/// What no turn may be beyond: its steps, and the work that was begun with the last of them.
const MOST_STEPS: u64 = 2 * TURN_STEPS;
/// Codings around codings are taken off together, as far as that may cost.
const MOST_CODED_STEPS: u64 = 8 << 20;

/// What is done to a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looking {
    Filters(&'static str, usize),
    FourLayers(&'static str),
    Meters(&'static str, usize),
}

fn fixture_for(looking: Looking) -> PolicyFixture {
    let many = |text: &str, count: usize| -> Vec<String> {
        let numbered = (0..count).map(|n| text.replace('#', &(n + 1).to_string()));
        numbered.collect()
    };
    let mut fixture = match looking {
        Looking::Filters(text, count) => {
            let texts = many(&format!("destroy {text}"), count);
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            fixture().redactions(LayerName::Proxy, &texts)
        }
        Looking::FourLayers(text) => {
            let text = &[&*format!("destroy {text}")];
            fixture()
                .redactions(LayerName::TargetCredential, text)
                .redactions(LayerName::Target, text)
                .redactions(LayerName::ProxyCredential, text)
                .redactions(LayerName::Proxy, text)
        }
        Looking::Meters(path, count) => {
            let mut fixture = fixture();
            let meters = many(path, count).into_iter().zip(1..);
            fixture.wire.meters = meters
                .map(|(path, n)| wire::Meter {
                    meter_id: crate::fixtures::rules::rule_id(n).to_string(),
                    conditions: Some(crate::fixtures::rules::conditions("")),
                    extraction: Some(wire::meter::Extraction::BodyPath(path)),
                    ..wire::Meter::default()
                })
                .collect();
            fixture
        }
    };
    fixture.admission.max_response_bytes = 1 << 40;
    fixture
}

/// What became of the body, and the most steps that a part of it cost.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Whole,
    Cut,
    Refused(Denial),
}

fn run<'c>(
    looking: Looking,
    (kind, coding): (&str, &str),
    chunks: impl Iterator<Item = &'c [u8]>,
) -> (End, u64) {
    let mut exchange = Exchange::new(resolved(&fixture_for(looking)));
    let path = api("/x");
    let lines = lines("GET", &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    let ports = Admitting(0);
    let decision = exchange.on_request(&head, RequestBody::Whole(b""), &ports);
    assert!(matches!(decision, RequestDecision::Forward(_)));
    let head = [OK, ("content-type", kind), ("content-encoding", coding)];
    let decision = exchange.on_response_head(&FakeResponse::new(&head), false, &ports);
    assert!(matches!(decision, ResponseDecision::Forward(..)));
    let mut most = 0;
    for (chunk, is_end) in chunks.map(|chunk| (chunk, false)).chain([(&[][..], true)]) {
        let mut decide = |exchange: &mut Exchange, chunk| {
            let before = counted();
            let turn = &mut Turn::of(TURN_STEPS);
            let decision = match chunk {
                Some(chunk) => exchange.on_response_chunk(chunk, turn, &ports),
                None => exchange.on_turn(turn, &ports),
            };
            most = most.max(counted() - before);
            decision
        };
        let mut decision = decide(&mut exchange, Some((chunk, is_end)));
        while decision == ChunkDecision::Later {
            decision = decide(&mut exchange, None);
        }
        match decision {
            ChunkDecision::Pass | ChunkDecision::Replace(..) | ChunkDecision::Wait => {}
            ChunkDecision::Refuse(refusal) => return (End::Refused(refusal.denial), most),
            ChunkDecision::Cut => return (End::Cut, most),
            ChunkDecision::Later => panic!("it is worked on"),
        }
    }
    (End::Whole, most)
}

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const SSE: &str = "text/event-stream";
const NOT_FILTERABLE: End = End::Refused(Denial::ResponseNotFilterable);
const TOO_LARGE: End = End::Refused(Denial::ResponseTooLarge);

/// How a body is looked into, its kind and coding, what it is made of, and what becomes of it.
type Case = (Looking, &'static str, &'static str, String, End);

fn json(item: &str, count: usize) -> String {
    format!("[{}1]", item.repeat(count))
}

fn lines_of(line: &str, bytes: usize) -> String {
    line.repeat(bytes / line.len())
}

#[track_caller]
fn check(cases: impl IntoIterator<Item = Case>) {
    for (looking, kind, coding, body, want) in cases {
        let sent = match coding {
            "identity" => body.into_bytes(),
            // Nothing at all comes out of members without a byte, however many there are.
            "gzip, gzip" => gzip(&gzip(b"").repeat(2 << 20)),
            _ => gzip(body.as_bytes()),
        };
        let (end, most) = run(looking, (kind, coding), sent.chunks(1 << 20));
        assert_eq!(end, want, "{looking:?} {kind} {coding}");
        let most_allowed = match coding {
            "gzip, gzip" => MOST_CODED_STEPS,
            _ => MOST_STEPS,
        };
        assert!(most <= most_allowed, "{looking:?} {kind} {coding}: {most}");
    }
}

const ID: &str = "identity";
const GZIP: &str = "gzip";

#[test]
fn no_part_of_a_filtered_body_costs_more_than_its_share() {
    let one = Looking::Filters("$.a", 1);
    let (ones, blank) = (lines_of("1\n", 16 << 20), "\n".repeat(16 << 20));
    let events = lines_of("data:1\n\n", 8 << 20);
    let (lists, few) = (lines_of("[]\n", 1 << 20), lines_of("1\n", 1 << 20));
    let (late, named) = (Looking::Filters("$[-#]", 50), Looking::Filters("$.a#", 100));
    let indexed = Looking::Filters("$[#].a", 100);
    check([
        (one, NDJSON, GZIP, ones, TOO_LARGE),
        (one, SSE, GZIP, blank, TOO_LARGE),
        (one, SSE, GZIP, events, End::Whole),
        (one, JSON, "gzip, gzip", String::new(), TOO_LARGE),
        (named, NDJSON, ID, few, End::Whole),
        (indexed, JSON, ID, json("{},", 1 << 18), End::Whole),
        (late, NDJSON, ID, lists, End::Whole),
    ]);
}

#[test]
fn no_document_that_is_held_costs_more_than_its_share() {
    let (four, below) = (
        Looking::FourLayers("$.a[-1]"),
        Looking::FourLayers("$..[-1]"),
    );
    check([
        (four, JSON, ID, json("1,", 400_000), End::Whole),
        (four, JSON, ID, json("1,", 1 << 21), NOT_FILTERABLE),
        (four, JSON, ID, json("1,", 5 << 20), TOO_LARGE),
        (below, JSON, GZIP, json("[1],", 1 << 19), NOT_FILTERABLE),
    ]);
}

/// What only meters look into passes, whatever becomes of the value.
#[test]
fn no_part_of_a_metered_body_costs_more_than_its_share() {
    let (one, late) = (Looking::Meters("$.a", 1), Looking::Meters("$.a[-1]", 20));
    let (many, last) = (Looking::Meters("$[*].a", 20), Looking::Meters("$[-#]", 20));
    let (ones, lists) = (lines_of("1\n", 16 << 20), lines_of("[1]\n", 1 << 20));
    check([
        (one, NDJSON, GZIP, ones, End::Whole),
        (one, JSON, GZIP, json("1,", 8 << 20), End::Whole),
        (one, JSON, "gzip, gzip", String::new(), End::Whole),
        (many, JSON, ID, json("{\"a\":1},", 1 << 17), End::Whole),
        (last, NDJSON, ID, lists, End::Whole),
        (late, JSON, ID, json("1,", 5 << 20), End::Whole),
    ]);
}

#[test]
fn long_honest_bodies_pass() {
    let record =
        "{\"id\":1,\"name\":\"somebody\",\"secret\":{\"a\":[1,2,3]},\"text\":\"longer text\"}";
    let array = format!("{record},").repeat(64 * 1024 / record.len());
    let line = format!("{record}\n").repeat(64 * 1024 / record.len());
    let event = format!("data: {record}\n\n").repeat(64 * 1024 / record.len());
    for looking in [
        Looking::FourLayers("$..secret"),
        Looking::Filters("$.secret#", 50),
        Looking::Meters("$.id", 10),
    ] {
        for (kind, start, part) in [(JSON, "[", &array), (NDJSON, "", &line), (SSE, "", &event)] {
            let megabytes = if cfg!(miri) { 1 } else { 4 };
            let parts = std::iter::repeat_n(part.as_bytes(), megabytes * 16);
            let chunks = [start.as_bytes()].into_iter().chain(parts);
            let end: &[u8] = if kind == JSON { b"1]" } else { b"" };
            let (end, most) = run(looking, (kind, ""), chunks.chain([end]));
            assert_eq!(end, End::Whole, "{looking:?} {kind}");
            assert!(most < MOST_STEPS, "{looking:?} {kind}: {most}");
        }
    }
}
