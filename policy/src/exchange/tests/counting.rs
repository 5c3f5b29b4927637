//! What is counted when, and what a refused caller is told.

mod leaving;
mod outcome;

use std::cell::RefCell;

use uuid::Uuid;

use super::*;
use crate::{
    authn::AuthPorts,
    authz::LayerName,
    coding::tests::gzip,
    jose::{self, Signatures},
    limit::{
        Asked, Charge, Charged, Decision, Micros, Moment, Tallies, decide as judge_limits,
        near_limits,
    },
    sign::Tools,
};
use requestrocket_proto::policy::v1 as wire;
use wire::meter::Extraction;

/// 2026-11-26T07:00:30Z.
const NOW_MS: u64 = 1_795_676_430_000;

/// A host that counts, and whose region does not answer.
#[derive(Default)]
struct Counting {
    tallies: RefCell<Tallies>,
    added: RefCell<Vec<(String, String)>>,
    is_away: bool,
    is_crowded: bool,
}

impl Tools for Counting {}

impl Signatures for Counting {
    fn is_signed(&self, _: &jose::Question<'_>) -> bool {
        false
    }
}

impl AuthPorts for Counting {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }
}

impl Ports for Counting {
    fn has_room(&self, _: Holder) -> bool {
        !self.is_crowded
    }

    fn charge(&self, charges: &[(Uuid, &Charge)]) -> Charging {
        let moment = Moment::at(NOW_MS);
        let asked = if self.is_away {
            Asked::NotYet
        } else {
            Asked::Unanswered
        };
        let mut tallies = self.tallies.borrow_mut();
        match judge_limits(&kept(&tallies, charges), asked, &moment) {
            Decision::Exceeded(exceeded) => Charging::Exceeded(exceeded),
            Decision::Ask(reports) => Charging::Ask(Question {
                reports: reports.into_iter().map(|one| (Uuid::nil(), one)).collect(),
                read_at_ms: moment.now_ms,
            }),
            Decision::Admit => {
                for (_, charge) in charges {
                    let tally = tallies.tally_mut(charge.counter);
                    tally.add(charge, charge.on_admission(), &moment);
                }
                Charging::Admitted(near_limits(&kept(&tallies, charges), &moment))
            }
        }
    }

    fn add(&self, (_, charge): (Uuid, &Charge), amount: Micros) {
        let added = (charge.counter.name(), amount.to_string());
        self.added.borrow_mut().push(added);
    }
}

fn kept<'a>(tallies: &Tallies, charges: &[(Uuid, &'a Charge)]) -> Vec<Charged<'a>> {
    let kept = charges.iter().map(|&(_, charge)| Charged {
        charge,
        tally: tallies.get(charge.counter),
    });
    kept.collect()
}

impl Counting {
    fn used(&self, counter: crate::limit::Counter) -> String {
        let tally = self.tallies.borrow().get(counter);
        tally
            .slot(crate::limit::Window::Minute, &Moment::at(NOW_MS))
            .own
            .to_string()
    }
}

fn per_minute(limit: u64) -> wire::Limits {
    wire::Limits {
        minute: Some(limit),
        ..wire::Limits::default()
    }
}

fn meter_id(n: u128) -> String {
    Uuid::from_u128(0x4000 + n).to_string()
}

fn meter(
    n: u128,
    conditions: &str,
    extraction: Option<Extraction>,
    limit: Option<u64>,
) -> wire::Meter {
    wire::Meter {
        meter_id: meter_id(n),
        conditions: Some(crate::fixtures::rules::conditions(conditions)),
        limits: limit.map(per_minute),
        extraction,
    }
}

/// What becomes of a GET of `/x`, with its exchange: what it warns of, or the refusal.
fn call(fixture: &PolicyFixture, ports: &Counting) -> (Exchange, Result<Vec<String>, Refusal>) {
    let mut exchange = Exchange::new(resolved(fixture));
    let path = api("/x");
    let lines = lines("GET", &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    let decision = match exchange.on_request(&head, RequestBody::Whole(b""), ports) {
        RequestDecision::Refuse(refusal) => Err(refusal),
        RequestDecision::Forward(edits) => {
            let warnings = edits.iter().filter_map(|edit| match edit {
                Edit::Warn(text) => Some(text.clone()),
                Edit::SetPath(_)
                | Edit::SetHeader(..)
                | Edit::SetComputed(..)
                | Edit::RemoveHeader(_) => None,
            });
            Ok(warnings.collect())
        }
        RequestDecision::HandOver(_) => panic!("it is handed over"),
        RequestDecision::NeedPolicy | RequestDecision::NeedBody | RequestDecision::Ask(_) => {
            panic!("it waits")
        }
    };
    (exchange, decision)
}

fn granted(fixture: &PolicyFixture, ports: &Counting, calls: usize) -> usize {
    (0..calls)
        .filter(|_| call(fixture, ports).1.is_ok())
        .count()
}

#[test]
fn plan_proxy_and_meters_all_limit() {
    for (plan, own, metered, want) in [
        (Some(2), None, None, 2),
        (None, Some(3), None, 3),
        (None, None, Some(4), 4),
        (Some(5), Some(4), Some(3), 3),
        (None, None, None, 9),
    ] {
        let mut fixture = fixture();
        fixture.wire.proxy_credentials[0].limits = plan.map(per_minute);
        fixture.wire.limits = own.map(per_minute);
        fixture.wire.meters = vec![meter(1, "", None, metered)];
        let got = granted(&fixture, &Counting::default(), 9);
        assert_eq!(got, want, "{plan:?} {own:?} {metered:?}");
    }
}

#[test]
fn a_refused_caller_is_told_by_what_and_until_when() {
    let mut fixture = fixture();
    fixture.wire.meters = vec![meter(1, "", None, Some(1))];
    let ports = Counting::default();
    assert_eq!(granted(&fixture, &ports, 1), 1);
    let refusal = call(&fixture, &ports).1.unwrap_err();
    assert_eq!(refusal.denial, Denial::RateLimited);
    let response = refusal.response("id");
    for line in [
        ("retry-after", "30"),
        ("ratelimit-policy", "\"minute\";q=1;w=60"),
        ("ratelimit", "\"minute\";r=0;t=30"),
    ] {
        assert!(
            response.headers.contains(&(line.0, line.1.to_owned())),
            "{line:?}"
        );
    }
    let body = String::from_utf8(response.body).unwrap();
    let named = format!("\"meter\":\"{}\",\"window\":\"minute\"", meter_id(1));
    assert!(body.contains(&named), "{body}");
}

#[test]
fn only_admitted_calls_count() {
    let mut fixture = fixture().rules(LayerName::Proxy, "allow", &["deny 500 p:^/secret"]);
    fixture.wire.meters = vec![meter(1, "", None, Some(9)), meter(2, "", None, Some(2))];
    let ports = Counting::default();
    let mut exchange = Exchange::new(resolved(&fixture));
    let path = api("/secret");
    let denied = lines("GET", &path, &[("authorization", "key")]);
    let decision = exchange.on_request(&RequestHead::new(&denied), RequestBody::Whole(b""), &ports);
    assert_eq!(refusal(decision), Some(Denial::RuleDenied));
    assert_eq!(granted(&fixture, &ports, 5), 2);
    let counter = crate::limit::Counter {
        kind: crate::limit::CounterKind::Meter,
        id: Uuid::from_u128(0x4001),
    };
    assert_eq!(ports.used(counter), "2");
}

#[test]
fn conditions_say_which_calls_a_meter_counts() {
    let mut fixture = fixture();
    for (conditions, want) in [("", 1), ("p:^/x", 1), ("POST", 3), ("p:^/other", 3)] {
        fixture.wire.meters = vec![meter(1, conditions, None, Some(1))];
        let got = granted(&fixture, &Counting::default(), 3);
        assert_eq!(got, want, "{conditions}");
    }
}

#[test]
fn a_body_condition_of_a_meter_waits_for_the_body_and_refuses_one_in_doubt() {
    let mut fixture = fixture();
    fixture.wire.meters = vec![meter(1, "b:$.model=^gpt", None, Some(1))];
    let resolved = resolved(&fixture);
    let path = api("/x");
    let lines = lines("POST", &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    let ports = Counting::default();
    let ask = |body| {
        let mut exchange = Exchange::new(resolved.clone());
        match exchange.on_request(&head, body, &ports) {
            RequestDecision::Refuse(refusal) => format!("{:?}", refusal.denial),
            RequestDecision::NeedBody => "NeedBody".to_owned(),
            RequestDecision::Forward(_) => "Forward".to_owned(),
            RequestDecision::HandOver(_) => "HandOver".to_owned(),
            RequestDecision::Ask(_) => "Ask".to_owned(),
            RequestDecision::NeedPolicy => "NeedPolicy".to_owned(),
        }
    };
    assert_eq!(ask(RequestBody::Unread), "NeedBody");
    assert_eq!(ask(RequestBody::Whole(b"{\"model\":\"other\"}")), "Forward");
    assert_eq!(ask(RequestBody::Whole(b"{\"model\":\"gpt-5\"}")), "Forward");
    assert_eq!(
        ask(RequestBody::Whole(b"{\"model\":\"gpt-5\"}")),
        "RateLimited"
    );
    assert_eq!(ask(RequestBody::Whole(b"{\"model\":\"other\"}")), "Forward");
    assert_eq!(ask(RequestBody::Whole(b"{\"model\":")), "RuleDenied");
}

#[test]
fn a_call_without_room_asks_and_is_judged_anew() {
    let mut fixture = fixture();
    fixture.wire.limits = Some(per_minute(5));
    let mut ports = Counting {
        is_away: true,
        ..Counting::default()
    };
    let mut exchange = Exchange::new(resolved(&fixture));
    let path = api("/x");
    let lines = lines("GET", &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    let asks = exchange.on_request(&head, RequestBody::Whole(b""), &ports);
    assert!(matches!(asks, RequestDecision::Ask(Question { reports, .. }) if reports.len() == 1));
    ports.is_away = false;
    let decision = exchange.on_request(&head, RequestBody::Whole(b""), &ports);
    assert!(matches!(decision, RequestDecision::Forward(_)));
}

#[test]
fn a_call_of_a_caller_with_too_many_is_overload_and_not_counted() {
    let mut fixture = fixture();
    fixture.wire.limits = Some(per_minute(1));
    let mut ports = Counting::default();
    let path = api("/x");
    let lines = lines("GET", &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    for (is_crowded, want) in [(true, Some(Denial::Overloaded)), (false, None)] {
        ports.is_crowded = is_crowded;
        let mut exchange = Exchange::new(resolved(&fixture));
        let decision = exchange.on_request(&head, RequestBody::Whole(b""), &ports);
        assert_eq!(refusal(decision), want, "{is_crowded}");
    }
}

#[test]
fn counters_at_fault_refuse() {
    struct Faulty;
    impl Tools for Faulty {}
    impl Signatures for Faulty {
        fn is_signed(&self, _: &jose::Question<'_>) -> bool {
            false
        }
    }
    impl AuthPorts for Faulty {
        fn now_ms(&self) -> u64 {
            NOW_MS
        }
    }
    impl Ports for Faulty {
        fn has_room(&self, _: Holder) -> bool {
            true
        }
        fn charge(&self, _: &[(Uuid, &Charge)]) -> Charging {
            Charging::Fault
        }
        fn add(&self, _: (Uuid, &Charge), _: Micros) {}
    }
    let mut fixture = fixture();
    fixture.wire.limits = Some(per_minute(5));
    let mut exchange = Exchange::new(resolved(&fixture));
    let path = api("/x");
    let lines = lines("GET", &path, &[("authorization", "key")]);
    let decision = exchange.on_request(&RequestHead::new(&lines), RequestBody::Whole(b""), &Faulty);
    assert_eq!(refusal(decision), Some(Denial::GatewayFault));
}

/// The warning of meter 1 with a limit of 5.
fn near_limit(used: u64) -> String {
    let id = meter_id(1);
    format!("meter-near-limit; meter={id}; window=minute; used={used}; limit=5")
}

#[test]
fn a_meter_near_its_limit_warns_once_the_call_is_let_through() {
    let mut fixture = fixture();
    fixture.wire.meters = vec![meter(1, "", None, Some(5)), meter(2, "", None, Some(6))];
    let ports = Counting::default();
    let warnings: Vec<_> = (0..5).map(|_| call(&fixture, &ports).1.unwrap()).collect();
    assert!(warnings[..3].iter().all(Vec::is_empty), "{warnings:?}");
    assert_eq!(warnings[3], [near_limit(4)]);
    let other = near_limit(5)
        .replace(&meter_id(1), &meter_id(2))
        .replace("limit=5", "limit=6");
    assert_eq!(warnings[4], [format!("{}, {other}", near_limit(5))]);
}

#[test]
fn a_warning_of_the_response_keeps_that_of_the_request() {
    let value = Extraction::HeaderName("x-cost".to_owned());
    let mut fixture = fixture();
    fixture.wire.meters = vec![meter(1, "", None, Some(5)), meter(2, "", Some(value), None)];
    let ports = Counting::default();
    let head = |lines: &[(&str, &str)]| {
        let (mut exchange, warned) = call(&fixture, &ports);
        let head = FakeResponse::new(lines);
        let decision = exchange.on_response_head(&head, true, &ports);
        let ResponseDecision::Forward(edits, _) = decision else {
            panic!("refused");
        };
        (warned.unwrap(), edits)
    };
    let (good, bad) = ([(":status", "200"), ("x-cost", "1")], [(":status", "200")]);
    for _ in 0..3 {
        assert_eq!(head(&good), (vec![], vec![]));
    }
    // The host says it: the head needs no change.
    assert_eq!(head(&good), (vec![near_limit(4)], vec![]));
    let both = format!("{}, meter-value-missing", near_limit(5));
    let edit = ResponseEdit::SetHeader("requestrocket-proxy-warning", both);
    assert_eq!(head(&bad), (vec![near_limit(5)], vec![edit]));
}

/// What a response adds to a meter with this extraction, and whether its head warns.
fn value_of(
    extraction: Extraction,
    head: &[(&str, &str)],
    chunks: &[&[u8]],
) -> (Vec<String>, bool) {
    let mut fixture = fixture();
    fixture.wire.meters = vec![meter(1, "", Some(extraction), None)];
    let ports = Counting::default();
    let (mut exchange, decision) = call(&fixture, &ports);
    decision.unwrap();
    let decision = exchange.on_response_head(&FakeResponse::new(head), chunks.is_empty(), &ports);
    let ResponseDecision::Forward(edits, body_use) = decision else {
        panic!("refused");
    };
    if body_use == BodyUse::Bytes {
        for (place, chunk) in chunks.iter().enumerate() {
            let is_end = place + 1 == chunks.len();
            let decision =
                exchange.on_response_chunk((chunk, is_end), &mut Turn::of(u64::MAX), &ports);
            assert_eq!(decision, ChunkDecision::Pass);
        }
    }
    // As the host does: of a body that is not used it lets the exchange go at the head.
    if body_use != BodyUse::Unused {
        exchange.finish(&ports);
    }
    let added = ports
        .added
        .borrow()
        .iter()
        .map(|(_, amount)| amount.clone())
        .collect();
    let is_warned = edits.iter().any(|edit| {
        matches!(edit, ResponseEdit::SetHeader(_, text) if text.contains("meter-value-missing"))
    });
    (added, is_warned)
}

fn body(path: &str) -> Extraction {
    Extraction::BodyPath(path.to_owned())
}

const OK: (&str, &str) = (":status", "200");
const JSON: (&str, &str) = ("content-type", "application/json");
const USAGE: &str = "$.usage.total";

#[track_caller]
fn adds(extraction: Extraction, head: &[(&str, &str)], chunks: &[&[u8]], want: Option<&str>) {
    let (added, _) = value_of(extraction, head, chunks);
    let want: Vec<String> = want.into_iter().map(str::to_owned).collect();
    assert_eq!(added, want, "{head:?}");
}

#[test]
fn values_are_read_from_headers() {
    let header = || Extraction::HeaderName("X-Tokens".to_owned());
    adds(header(), &[OK, ("x-tokens", "7")], &[], Some("7"));
    adds(header(), &[OK, ("x-tokens", "seven")], &[], None);
    adds(header(), &[OK], &[], None);
    let value = ("x-tokens", "7");
    adds(
        header(),
        &[OK, value, ("content-length", "2")],
        &[b"{}"],
        Some("7"),
    );
    adds(header(), &[OK, value], &[b"{}"], Some("7"));
}

#[test]
fn a_header_is_read_also_of_a_response_that_is_refused() {
    let extraction = Extraction::HeaderName("x-tokens".to_owned());
    let mut fixture = fixture();
    fixture.wire.meters = vec![meter(1, "", Some(extraction), None)];
    let ports = Counting::default();
    let (mut exchange, decision) = call(&fixture, &ports);
    decision.unwrap();
    let head = [OK, ("x-tokens", "7"), ("content-length", "999999999")];
    let decision = exchange.on_response_head(&FakeResponse::new(&head), false, &ports);
    assert_eq!(refused(decision), Some(Denial::ResponseTooLarge));
    let added = ports.added.borrow();
    assert_eq!(added[..], [(meter_id(1), "7".to_owned())]);
}

#[test]
fn values_are_read_from_json_of_any_status_in_any_chunks() {
    let document: &[u8] = b"{\"usage\":{\"total\":12.5}}";
    adds(body(USAGE), &[OK, JSON], &[document], Some("12.5"));
    adds(
        body(USAGE),
        &[(":status", "500"), JSON],
        &[document],
        Some("12.5"),
    );
    for at in 1..document.len() {
        let (left, right) = document.split_at(at);
        adds(body(USAGE), &[OK, JSON], &[left, right], Some("12.5"));
    }
    for (path, document, want) in [
        (USAGE, "{\"usage\":{\"total\":\"3\"}}", Some("3")),
        (USAGE, "{\"usage\":{\"total\":-3}}", None),
        ("$.a[*]", "{\"a\":[1,2,3]}", Some("6")),
        ("$.a[-1]", "{\"a\":[1,2,3]}", Some("3")),
        // A part of such a path is found in passing, and not again at the end.
        ("$.a['x',-1]", "{\"a\":{\"x\":5}}", Some("5")),
        ("$.a[0,-1]", "{\"a\":[1,2,3]}", Some("4")),
        // What is cut short counts for what passed.
        ("$.a[*]", "{\"a\":[1,2,3", Some("3")),
    ] {
        adds(body(path), &[OK, JSON], &[document.as_bytes()], want);
    }
    adds(
        body(USAGE),
        &[OK, ("content-type", "text/plain")],
        &[document],
        None,
    );
}

#[test]
fn of_records_the_last_with_the_value_counts() {
    let events: [&[u8]; 2] = [
        b"data: {\"usage\":{\"total\":1}}\n\ndata: {\"usa",
        b"ge\":{\"total\":4}}\n\ndata: {\"x\":1}\n\ndata: [DONE]\n\n",
    ];
    let sse = ("content-type", "text/event-stream");
    adds(body(USAGE), &[OK, sse], &events, Some("4"));
    let lines: [&[u8]; 2] = [b"{\"usage\":{\"total\":1}}\n{\"usage\":", b"{\"total\":2}}"];
    let ndjson = ("content-type", "application/x-ndjson");
    adds(body(USAGE), &[OK, ndjson], &lines, Some("2"));
}

#[test]
fn a_value_that_is_missing_is_warned_of_while_the_head_is_there() {
    let ok = (":status", "200");
    let header = || Extraction::HeaderName("x-tokens".to_owned());
    assert!(value_of(header(), &[ok], &[]).1);
    assert!(!value_of(header(), &[ok, ("x-tokens", "1")], &[]).1);
    assert!(value_of(body("$.a"), &[ok, ("content-type", "image/png")], &[b"x"]).1);
    let unknown = ("content-encoding", "lzma");
    assert!(value_of(body("$.a"), &[ok, JSON, unknown], &[b"x"]).1);
    assert!(
        !value_of(
            body("$.a"),
            &[ok, ("content-type", "application/json")],
            &[b"{}"]
        )
        .1
    );
}

#[test]
fn compressed_values_are_read_and_the_bytes_pass_as_they_are() {
    let sent = gzip(b"{\"usage\":{\"total\":42}}");
    let head = [
        (":status", "200"),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let (left, right) = sent.split_at(7);
    assert_eq!(
        value_of(body("$.usage.total"), &head, &[left, right]).0,
        ["42"]
    );
}

#[test]
fn callers_cannot_keep_a_value_in_the_body_from_its_meter() {
    let asked = [
        ("authorization", "key"),
        ("accept-encoding", "compress"),
        ("range", "bytes=0-1"),
        ("if-range", "x"),
    ];
    let removed = ["- range", "- if-range", "- accept-encoding"].map(str::to_owned);
    for (conditions, extraction, want) in [
        ("GET", Some(Extraction::BodyPath("$.cost".to_owned())), true),
        (
            "POST",
            Some(Extraction::BodyPath("$.cost".to_owned())),
            false,
        ),
        (
            "GET",
            Some(Extraction::HeaderName("x-cost".to_owned())),
            false,
        ),
        ("GET", None, false),
    ] {
        let mut fixture = fixture();
        fixture.wire.meters = vec![meter(1, conditions, extraction, None)];
        let edits = decide(&resolved(&fixture), "GET", &api("/x"), &asked).unwrap();
        let has = removed.iter().filter(|edit| edits.contains(edit)).count();
        assert_eq!(has, if want { 3 } else { 0 }, "{conditions}: {edits:?}");
    }
}
