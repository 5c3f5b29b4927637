//! What a caller gets of a response to which filters apply.

use requestrocket_proto::policy::v1 as wire;

use super::*;
use crate::{authz::LayerName, coding::tests::gzip};

const JSON: (&str, &str) = ("content-type", "application/json");
const OK: (&str, &str) = (":status", "200");

fn redacting(texts: &[&str]) -> PolicyFixture {
    let mut fixture = fixture().redactions(LayerName::Proxy, texts);
    fixture.admission.max_response_bytes = 64;
    fixture
}

fn forwarded(fixture: &PolicyFixture, method: &str) -> Exchange {
    let mut exchange = Exchange::new(resolved(fixture));
    let path = api("/x");
    let lines = lines(method, &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    let decision = exchange.on_request(&head, RequestBody::Whole(b""), &Admitting(0));
    assert!(matches!(decision, RequestDecision::Forward(_)));
    exchange
}

/// What reaches the caller: a refusal, or the bytes with `!` at the end when they were cut. Turns
/// change nothing of it, however short they are.
fn answer(
    fixture: &PolicyFixture,
    head: &[(&str, &str)],
    chunks: &[&[u8]],
) -> Result<String, Denial> {
    let answer = answer_in_turns(fixture, head, chunks, u64::MAX);
    for steps in [1, 100] {
        let same = answer_in_turns(fixture, head, chunks, steps);
        assert_eq!(answer, same, "in turns of {steps}");
    }
    answer
}

fn answer_in_turns(
    fixture: &PolicyFixture,
    head: &[(&str, &str)],
    chunks: &[&[u8]],
    steps: u64,
) -> Result<String, Denial> {
    let mut exchange = forwarded(fixture, "GET");
    let ports = Admitting(0);
    let decision = exchange.on_response_head(&FakeResponse::new(head), chunks.is_empty(), &ports);
    let body_use = match decision {
        ResponseDecision::Refuse(refusal) => return Err(refusal.denial),
        ResponseDecision::Forward(_, body_use) => body_use,
    };
    let mut sent = Vec::new();
    for (place, chunk) in chunks.iter().enumerate() {
        let is_end = place + 1 == chunks.len();
        let mut decision = match body_use {
            BodyUse::Unused => ChunkDecision::Pass,
            BodyUse::Size => exchange.on_response_size(chunk.len()),
            BodyUse::Bytes | BodyUse::Rewrite => {
                exchange.on_response_chunk((chunk, is_end), &mut Turn::of(steps), &ports)
            }
        };
        while decision == ChunkDecision::Later {
            decision = exchange.on_turn(&mut Turn::of(steps), &ports);
        }
        match decision {
            ChunkDecision::Pass => sent.extend_from_slice(chunk),
            ChunkDecision::Replace(bytes, _) => sent.extend(bytes),
            ChunkDecision::Wait => {}
            ChunkDecision::Refuse(refusal) => {
                assert!(sent.is_empty(), "the head was gone");
                return Err(refusal.denial);
            }
            ChunkDecision::Cut => {
                sent.push(b'!');
                break;
            }
            ChunkDecision::Later => panic!("it is worked on"),
        }
    }
    Ok(String::from_utf8(sent).unwrap())
}

#[track_caller]
fn check(texts: &[&str], head: &[(&str, &str)], chunks: &[&[u8]], want: Result<&str, Denial>) {
    let got = answer(&redacting(texts), head, chunks);
    assert_eq!(
        got.as_deref(),
        want.as_ref().map(|text| *text),
        "{texts:?} {head:?}"
    );
}

const DESTROY: &[&str] = &["destroy $.secret"];
const NOT_FILTERABLE: Result<&str, Denial> = Err(Denial::ResponseNotFilterable);

#[test]
fn json_is_redacted_as_it_comes() {
    let plain: &[u8] = b"{\"a\":1,\"secret\":2}";
    check(DESTROY, &[OK, JSON], &[plain], Ok("{\"a\":1}"));
    check(
        DESTROY,
        &[OK, JSON],
        &[b"{\"a\":1,\"sec", b"ret\":2}"],
        Ok("{\"a\":1}"),
    );
    check(&["retain $.a"], &[OK, JSON], &[plain], Ok("{\"a\":1}"));
    check(
        &["destroy $.x[-1]"],
        &[OK, JSON],
        &[b"{\"x\":[1,", b"2]}"],
        Ok("{\"x\":[1]}"),
    );
}

#[test]
fn filters_with_conditions_apply_to_some_calls_only() {
    let plain: &[u8] = b"{\"secret\":2}";
    check(
        &["destroy $.secret POST"],
        &[OK, JSON],
        &[plain],
        Ok("{\"secret\":2}"),
    );
    check(
        &["destroy $.secret GET p:^/x"],
        &[OK, JSON],
        &[plain],
        Ok("{}"),
    );
}

#[test]
fn only_2xx_is_redacted() {
    let plain: &[u8] = b"{\"secret\":2}";
    for (status, want) in [
        ("200", Ok("{}")),
        ("201", Ok("{}")),
        ("299", Ok("{}")),
        ("206", NOT_FILTERABLE),
        ("two hundred", Ok("{}")),
        ("", Ok("{}")),
        ("302", Ok("{\"secret\":2}")),
        ("404", Ok("{\"secret\":2}")),
        ("500", Ok("{\"secret\":2}")),
    ] {
        check(DESTROY, &[(":status", status), JSON], &[plain], want);
    }
}

#[test]
fn what_is_no_json_is_refused_unless_it_is_empty() {
    for kind in [
        Some("text/html"),
        Some("application/octet-stream"),
        Some("application/json; charset=utf-16"),
        Some("multipart/byteranges; boundary=x"),
        None,
    ] {
        let mut head = vec![OK];
        head.extend(kind.map(|kind| ("content-type", kind)));
        check(DESTROY, &head, &[b"{\"secret\":2}"], NOT_FILTERABLE);
        check(DESTROY, &head, &[b""], Ok(""));
        check(DESTROY, &head, &[], Ok(""));
    }
    check(DESTROY, &[OK, JSON], &[b""], Ok(""));
}

#[test]
fn an_early_fault_is_422_and_a_later_one_a_cut() {
    check(DESTROY, &[OK, JSON], &[b"<html>"], NOT_FILTERABLE);
    check(DESTROY, &[OK, JSON], &[b"{\"a\":1"], NOT_FILTERABLE);
    check(
        DESTROY,
        &[OK, JSON],
        &[b"{\"a\":1,", b"oops"],
        Ok("{\"a\":1!"),
    );
    check(
        DESTROY,
        &[OK, JSON],
        &[b"{\"a\":1}", b"{}"],
        Ok("{\"a\":1}!"),
    );
    check(
        &["destroy $.x[-1]"],
        &[OK, JSON],
        &[b"{\"x\":[1,", b"2]"],
        NOT_FILTERABLE,
    );
}

#[test]
fn sizes_are_of_decoded_bytes_and_refused_while_the_head_is_held() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(80));
    let long = long.as_bytes();
    let declared = ("content-length", "88");
    check(
        DESTROY,
        &[OK, JSON, declared],
        &[long],
        Err(Denial::ResponseTooLarge),
    );
    check(DESTROY, &[OK, JSON], &[long], Err(Denial::ResponseTooLarge));
    check(
        &["destroy $.x[-1]"],
        &[OK, JSON],
        &[&long[..40], &long[40..]],
        Err(Denial::ResponseTooLarge),
    );
    let shown = format!("{}!", String::from_utf8_lossy(&long[..40]));
    check(
        DESTROY,
        &[OK, JSON],
        &[&long[..40], &long[40..]],
        Ok(&shown),
    );
}

#[test]
fn without_filters_a_long_undeclared_body_is_cut_and_streams_are_not() {
    let chunk: &[u8] = &[b'x'; 40];
    let cut = format!("{}!", "x".repeat(40));
    let all = "x".repeat(120);
    for (kind, want) in [
        ("text/plain", cut.as_str()),
        ("application/json", &cut),
        ("text/event-stream", &all),
        ("application/x-ndjson", &all),
    ] {
        check(
            &[],
            &[OK, ("content-type", kind)],
            &[chunk, chunk, chunk],
            Ok(want),
        );
    }
}

#[test]
fn records_are_redacted_one_by_one() {
    let sse = ("content-type", "text/event-stream");
    check(
        DESTROY,
        &[OK, sse],
        &[
            b"event: x\ndata: {\"secret\":1,\"a\":2}\n\n: hi\n\nda",
            b"ta: [DONE]\n\n",
        ],
        Ok("event: x\ndata: {\"a\":2}\n\n: hi\n\ndata: [DONE]\n\n"),
    );
    check(
        DESTROY,
        &[OK, sse],
        &[b"data: {\"a\":2}\n\n", b"data: secret\n\n"],
        Ok("data: {\"a\":2}\n\n!"),
    );
    check(
        DESTROY,
        &[OK, ("content-type", "application/x-ndjson")],
        &[b"{\"secret\":1}\n{\"a\":[", b"1]}\n"],
        Ok("{}\n{\"a\":[1]}\n"),
    );
}

/// A stream has no limit, but what a few of its bytes decode to is kept before any of it passes.
#[test]
fn a_stream_may_be_long_but_not_out_of_one_chunk() {
    let head = [
        OK,
        ("content-type", "text/event-stream"),
        ("content-encoding", "gzip"),
    ];
    let sent = |megabytes: usize| {
        let lines = (0..1_024 * megabytes).map(|line| {
            // Too much of the same would be taken for a bomb.
            let differs = line.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            format!(": {differs:016x}{}\n\n", "-".repeat(1_004))
        });
        gzip(lines.collect::<String>().as_bytes())
    };
    let (half, whole) = (sent(6), sent(36));
    let mut stream = redacting(DESTROY);
    stream.admission.max_response_bytes = 2_048;
    let (first, second) = half.split_at(half.len() / 2);
    let passed = answer_in_turns(&stream, &head, &[first, second], u64::MAX).unwrap();
    assert_eq!(passed.len(), 6 << 20);
    let too_large = Err(Denial::ResponseTooLarge);
    let of_one_chunk = answer_in_turns(&stream, &head, &[&whole], u64::MAX);
    assert_eq!(of_one_chunk, too_large);
    // What comes in many pieces passes.
    let pieces: Vec<&[u8]> = whole.chunks(whole.len() / 10).collect();
    let of_pieces = answer_in_turns(&stream, &head, &pieces, u64::MAX);
    assert_eq!(of_pieces.unwrap().len(), 36 << 20);
}

#[test]
fn codings_are_taken_off_and_unknown_ones_refused() {
    let sent = gzip(b"{\"a\":1,\"secret\":2}");
    let gzip = ("content-encoding", "gzip");
    check(
        DESTROY,
        &[OK, JSON, gzip],
        &[&sent[..9], &sent[9..]],
        Ok("{\"a\":1}"),
    );
    check(DESTROY, &[OK, JSON, gzip], &[&sent[..9]], NOT_FILTERABLE);
    check(DESTROY, &[OK, JSON, gzip], &[b"{\"a\":1}"], NOT_FILTERABLE);
    check(
        DESTROY,
        &[OK, JSON, ("content-encoding", "lzma")],
        &[b"{\"a\":1}"],
        NOT_FILTERABLE,
    );
}

#[test]
fn the_head_says_nothing_that_no_longer_holds() {
    let sent = [
        OK,
        JSON,
        ("content-length", "12"),
        ("etag", "\"x\""),
        ("digest", "sha-256=x"),
        ("content-md5", "x"),
        ("content-encoding", "gzip"),
        ("last-modified", "yesterday"),
    ];
    let names = |method, is_end| {
        let mut exchange = forwarded(&redacting(DESTROY), method);
        match exchange.on_response_head(&FakeResponse::new(&sent), is_end, &Admitting(0)) {
            ResponseDecision::Forward(edits, _) => edits,
            ResponseDecision::Refuse(refusal) => panic!("{refusal:?}"),
        }
    };
    let want = [
        "content-length",
        "etag",
        "content-md5",
        "digest",
        "content-encoding",
    ];
    let want: Vec<_> = want.into_iter().map(ResponseEdit::RemoveHeader).collect();
    assert_eq!(names("GET", false), want);
    assert_eq!(names("HEAD", true), want);
}

#[test]
fn requests_ask_for_nothing_that_could_not_be_redacted() {
    let asked = [
        ("authorization", "key"),
        ("accept-encoding", "gzip"),
        ("range", "bytes=0-1"),
        ("if-range", "x"),
    ];
    let removed = ["- range", "- if-range", "- accept-encoding"];
    let edits = decide(&resolved(&redacting(DESTROY)), "GET", &api("/x"), &asked).unwrap();
    assert!(
        removed
            .iter()
            .all(|edit| edits.contains(&(*edit).to_owned())),
        "{edits:?}"
    );
    let twins = [
        ("authorization", "key"),
        ("accept_encoding", "gzip"),
        ("if_range", "x"),
    ];
    let edits = decide(&resolved(&redacting(DESTROY)), "GET", &api("/x"), &twins).unwrap();
    assert!(
        edits.ends_with(&["- if_range".to_owned(), "- accept_encoding".to_owned()]),
        "{edits:?}"
    );
    let edits = decide(&resolved(&redacting(&[])), "GET", &api("/x"), &asked).unwrap();
    assert!(
        !edits.iter().any(|edit| removed.contains(&edit.as_str())),
        "{edits:?}"
    );
    let upgrade = [("authorization", "key"), ("upgrade", "websocket")];
    let refused = decide(&resolved(&redacting(DESTROY)), "GET", &api("/x"), &upgrade);
    assert_eq!(refused, Err(Denial::ResponseNotFilterable));
}

#[test]
fn stages_run_in_order_and_each_sees_what_the_one_before_left() {
    let fixture = fixture()
        .redactions(LayerName::TargetCredential, &["destroy $[0]"])
        .redactions(LayerName::Target, &["destroy $[0]"])
        .redactions(LayerName::ProxyCredential, &["retain $[0:2]"])
        .redactions(LayerName::Proxy, &["destroy $[1]"]);
    let got = answer(&fixture, &[OK, JSON], &[b"[1,2,3,4,5]"]);
    assert_eq!(got.as_deref(), Ok("[3]"));
}

#[test]
fn override_headers_are_dropped_where_methods_are_judged() {
    let sent = [
        ("authorization", "key"),
        ("x-http-method-override", "DELETE"),
    ];
    let override_gone = "- x-http-method-override".to_owned();
    let plain = decide(&resolved(&fixture()), "POST", &api("/"), &sent).unwrap();
    assert!(!plain.contains(&override_gone));
    let judged = fixture().rules(LayerName::Target, "allow", &["deny 500 DELETE"]);
    let judged = decide(&resolved(&judged), "POST", &api("/"), &sent).unwrap();
    assert!(judged.contains(&override_gone));
    // A caller could otherwise get the answer of a method that is redacted or metered, and it would
    // be neither.
    let redacted = redacting(&["destroy $.s GET"]);
    let redacted = decide(&resolved(&redacted), "POST", &api("/"), &sent).unwrap();
    assert!(redacted.contains(&override_gone));
    let mut metered = fixture();
    metered.wire.meters = vec![wire::Meter {
        meter_id: crate::fixtures::rules::rule_id(1).to_string(),
        conditions: Some(crate::fixtures::rules::conditions("GET")),
        ..wire::Meter::default()
    }];
    let metered = decide(&resolved(&metered), "POST", &api("/"), &sent).unwrap();
    assert!(metered.contains(&override_gone));
    for twin in [
        "x_http_method_override",
        "x_http-method",
        "x_method_override",
    ] {
        let sent = [("authorization", "key"), (twin, "DELETE")];
        let judged = fixture().rules(LayerName::Target, "allow", &["deny 500 DELETE"]);
        let judged = decide(&resolved(&judged), "POST", &api("/"), &sent).unwrap();
        assert!(judged.contains(&format!("- {twin}")), "{judged:?}");
    }
}
