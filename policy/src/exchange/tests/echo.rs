//! What a response says of the secret that its request carried.

use super::*;
use crate::{authz::LayerName, coding::tests::gzip};

const OK: (&str, &str) = (":status", "200");
const JSON: (&str, &str) = ("content-type", "application/json");
const SSE: (&str, &str) = ("content-type", "text/event-stream");
const GZIP: (&str, &str) = ("content-encoding", "gzip");
/// What the target of [`fixture`] gets.
const SECRET: &str = "target-token";
const STARS: &str = "************";
const WARNING: (&str, &str) = ("requestrocket-proxy-warning", "secret-echo");

fn forwarded(fixture: &PolicyFixture, method: &str) -> Exchange {
    let mut exchange = Exchange::new(resolved(fixture));
    let path = api("/x");
    let lines = lines(method, &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    let decision = exchange.on_request(&head, RequestBody::Whole(b""), &Admitting(0));
    assert!(matches!(decision, RequestDecision::Forward(_)));
    exchange
}

fn redacting(texts: &[&str]) -> PolicyFixture {
    fixture().redactions(LayerName::Proxy, texts)
}

/// The exchange with this head, and its edits as lines.
fn answered(fixture: &PolicyFixture, head: &[(&str, &str)]) -> (Exchange, Vec<String>) {
    let mut exchange = forwarded(fixture, "GET");
    let decision = exchange.on_response_head(&FakeResponse::new(head), false, &Admitting(0));
    match decision {
        ResponseDecision::Forward(edits, _) => (exchange, shown_all(&edits)),
        ResponseDecision::Refuse(refusal) => panic!("{refusal:?}"),
    }
}

fn shown_all(edits: &[ResponseEdit]) -> Vec<String> {
    let shown = |edit: &ResponseEdit| match edit {
        ResponseEdit::SetHeader(name, value) => format!("{name}: {value}"),
        ResponseEdit::RemoveHeader(name) => format!("- {name}"),
        ResponseEdit::PutLines(name, lines) => {
            let lines = lines.iter().map(|line| String::from_utf8_lossy(line));
            format!("{name} = {}", lines.collect::<Vec<_>>().join(" | "))
        }
    };
    edits.iter().map(shown).collect()
}

#[test]
fn every_line_of_a_head_is_masked_and_the_head_says_so() {
    let warning = format!("{}: {}", WARNING.0, WARNING.1);
    let basic = "dXNlcjp0YXJnZXQtdG9rZW4=";
    for (lines, want) in [
        (vec![("x-a", "b")], vec![]),
        (
            vec![("www-authenticate", "Bearer realm=\"target-token\"")],
            vec![format!("www-authenticate = Bearer realm=\"{STARS}\"")],
        ),
        (
            vec![("set-cookie", "a=1"), ("set-cookie", "t=target%2Dtoken")],
            vec!["set-cookie = a=1 | t=**************".to_owned()],
        ),
        (
            vec![
                ("location", "/?t=target-token&u=target-token"),
                ("x-a", basic),
            ],
            vec![
                format!("location = /?t={STARS}&u={STARS}"),
                "x-a = dXNlcj*****************=".to_owned(),
            ],
        ),
        (
            vec![("x-target-token", "1")],
            vec!["x-target-token = ".to_owned()],
        ),
        (vec![("x-a", "Bearer target-toke")], vec![]),
    ] {
        let (_, edits) = answered(&fixture(), &[&[OK], &lines[..]].concat());
        let warned = if want.is_empty() {
            None
        } else {
            Some(warning.clone())
        };
        let want: Vec<_> = want.into_iter().chain(warned).collect();
        assert_eq!(edits, want, "{lines:?}");
    }
}

#[test]
fn trailers_are_searched_too() {
    let (exchange, _) = answered(&fixture(), &[OK]);
    let trailers: [HeaderLine<'_>; 2] = [
        (b"grpc-status", b"16"),
        (b"grpc-message", b"bad token target%2dtoken"),
    ];
    let edits = exchange.search_trailers(&trailers).unwrap();
    assert_eq!(
        shown_all(&edits),
        ["grpc-message = bad token **************"]
    );
}

#[test]
fn a_response_is_searched_only_where_its_request_carried_something() {
    for (fixture, is_searched) in [
        (fixture(), true),
        (
            PolicyFixture::new().api_key("key").query("k", "12345678"),
            true,
        ),
        (
            PolicyFixture::new().api_key("key").header("x-k", "1234567"),
            false,
        ),
        (PolicyFixture::new().api_key("key"), false),
    ] {
        let exchange = forwarded(&fixture, "GET");
        assert_eq!(exchange.awaits_response(), is_searched);
        let (exchange, edits) = answered(&fixture, &[OK, ("x-a", SECRET)]);
        assert_eq!(exchange.body_search().is_some(), is_searched);
        assert!(is_searched || edits.is_empty());
    }
}

#[test]
fn a_head_is_held_where_its_body_comes_at_once() {
    let length = ("content-length", "12");
    let other = ("content-encoding", "aes128gcm");
    for (head, want) in [
        (vec![OK, length], BodySearch::HeadAndParts),
        (vec![OK, JSON], BodySearch::HeadAndParts),
        (vec![OK, SSE], BodySearch::Parts),
        (vec![OK], BodySearch::Parts),
        (vec![OK, other], BodySearch::Parts),
        (vec![OK, length, GZIP], BodySearch::None),
        (vec![(":status", "101")], BodySearch::None),
    ] {
        let mut exchange = forwarded(&fixture(), "GET");
        let asked = Asked(FakeResponse::new(&head));
        let decision = exchange.on_response_head(&asked, false, &Admitting(0));
        assert!(matches!(decision, ResponseDecision::Forward(..)));
        assert_eq!(exchange.body_search(), Some(want), "{head:?}");
    }
    let mut of_head = forwarded(&fixture(), "HEAD");
    let _passes = of_head.on_head(&FakeResponse::new(&[OK, length]));
    assert_eq!(of_head.body_search(), Some(BodySearch::None));
}

/// A response to who asked for a switch of protocols.
struct Asked(FakeResponse);

impl ResponseHead for Asked {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.0.header(name)
    }

    fn lines(&self, look: &mut dyn FnMut(&[HeaderLine<'_>])) {
        self.0.lines(look);
    }

    fn is_switch_asked(&self) -> bool {
        true
    }
}

#[test]
fn the_head_warns_of_its_body_as_long_as_it_is_held() {
    let warning = format!("{}: {}", WARNING.0, WARNING.1);
    for (kind, parts, want) in [
        (
            JSON,
            vec!["{\"t\":\"target-token\"}"],
            vec![warning.clone()],
        ),
        (JSON, vec!["{\"t\":\"target-", "token\"}"], vec![warning]),
        (JSON, vec!["{\"a\":1,", "\"t\":\"target-token\"}"], vec![]),
        (SSE, vec!["data: target-token\n\n"], vec![]),
    ] {
        let (mut exchange, _) = answered(&fixture(), &[OK, kind]);
        let (mut at_hand, mut sent, mut said) = (Vec::new(), String::new(), Vec::new());
        for part in &parts {
            at_hand.extend_from_slice(part.as_bytes());
            let turn = &mut Turn::of(1);
            match exchange.search_part((&mut at_hand, false), turn) {
                PartSearched::Held => continue,
                PartSearched::Clean => {}
                PartSearched::Masked(edits) => said.extend(shown_all(&edits)),
                PartSearched::Cut => panic!("cut"),
            }
            sent += std::str::from_utf8(&std::mem::take(&mut at_hand)).unwrap();
        }
        assert_eq!(sent, parts.concat().replace(SECRET, STARS));
        assert_eq!(said, want, "{parts:?}");
    }
}

/// What becomes of a body that is redacted, in turns that are so long; and what its head says.
fn made(
    fixture: &PolicyFixture,
    head: &[(&str, &str)],
    chunks: &[&[u8]],
    steps: u64,
) -> (String, Vec<String>) {
    let (mut exchange, mut said) = answered(fixture, head);
    assert_eq!(exchange.body_search(), Some(BodySearch::None));
    said.retain(|edit| edit.contains(WARNING.0));
    let ports = Admitting(0);
    let mut sent = Vec::new();
    for (place, chunk) in chunks.iter().enumerate() {
        let is_end = place + 1 == chunks.len();
        let turn = &mut Turn::of(steps);
        let mut decision = exchange.on_response_chunk((chunk, is_end), turn, &ports);
        while decision == ChunkDecision::Later {
            decision = exchange.on_turn(&mut Turn::of(steps), &ports);
        }
        match decision {
            ChunkDecision::Replace(bytes, edits) => {
                sent.extend(bytes);
                said.extend(shown_all(&edits));
            }
            ChunkDecision::Wait => {}
            ChunkDecision::Pass
            | ChunkDecision::Later
            | ChunkDecision::Refuse(_)
            | ChunkDecision::Cut => panic!("{decision:?}"),
        }
    }
    (String::from_utf8(sent).unwrap(), said)
}

#[test]
fn what_is_made_of_a_body_is_searched_in_whatever_pieces_it_comes() {
    let body = "{\"s\":1,\"t\":\"target\\u002dtoken\",\"u\":[\"Basic dXM6dGFyZ2V0LXRva2Vu\"]}";
    let want = "{\"t\":\"*****************\",\"u\":[\"Basic dXM6****************\"]}";
    let records = "data: {\"s\":1,\"t\":\"target-token\"}\n\n".repeat(3);
    let wanted = records.replace("\"s\":1,", "").replace(SECRET, STARS);
    for (text, head, body, want) in [
        (
            "destroy $.s",
            vec![OK, JSON],
            body.as_bytes().to_vec(),
            want,
        ),
        (
            "destroy $.s",
            vec![OK, JSON, GZIP],
            gzip(body.as_bytes()),
            want,
        ),
        (
            "destroy $.x[-1]",
            vec![OK, JSON],
            body.as_bytes().to_vec(),
            "",
        ),
        (
            "destroy $.s",
            vec![OK, SSE],
            records.as_bytes().to_vec(),
            &wanted,
        ),
        (
            "destroy $.s",
            vec![OK, SSE, GZIP],
            gzip(records.as_bytes()),
            &wanted,
        ),
    ] {
        let fixture = redacting(&[text]);
        let want = if want.is_empty() {
            body.iter()
                .map(|byte| char::from(*byte))
                .collect::<String>()
                .replace("target\\u002dtoken", &"*".repeat(17))
                .replace("dGFyZ2V0LXRva2Vu", &"*".repeat(16))
        } else {
            want.to_owned()
        };
        for border in 0..=body.len() {
            let (first, second) = body.split_at(border);
            for steps in [1, u64::MAX] {
                let (sent, _) = made(&fixture, &head, &[first, second], steps);
                assert_eq!(sent, want, "{text} {head:?} {border} {steps}");
            }
        }
        let (_, said) = made(&fixture, &head, &[&body], u64::MAX);
        assert_eq!(
            said,
            [format!("{}: {}", WARNING.0, WARNING.1)],
            "{text} {head:?}"
        );
    }
}

#[test]
fn a_long_body_that_is_made_as_a_whole_is_searched_in_turns() {
    let mut fixture = redacting(&["destroy $[-1]"]);
    fixture.admission.max_response_bytes = 8 << 20;
    let items = format!("\"{}\",\"target-token\",", "a".repeat(200 << 10)).repeat(5);
    let body = format!("[{items}1,2]");
    let (sent, _) = made(&fixture, &[OK, JSON], &[body.as_bytes()], 1_000);
    assert!(sent == body.replace(",2]", "]").replace(SECRET, STARS));
}
