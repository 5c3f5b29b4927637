//! Declared lengths and events out of order.

use super::*;
use crate::authz::LayerName;
use requestrocket_proto::policy::v1 as wire;

const MAX: u64 = 1_000;

/// A proxy whose target wants nothing.
fn carrying_nothing() -> PolicyFixture {
    PolicyFixture::new().api_key("key")
}

/// An exchange whose request was forwarded.
fn forwarded(method: &str) -> Exchange {
    forwarded_by(method, carrying_nothing())
}

/// One whose response will be redacted.
fn redacting() -> Exchange {
    let filters = ["destroy $.s"];
    forwarded_by("GET", fixture().redactions(LayerName::Proxy, &filters))
}

fn forwarded_by(method: &str, mut fixture: PolicyFixture) -> Exchange {
    fixture.admission.max_response_bytes = MAX;
    let mut exchange = Exchange::new(resolved(&fixture));
    let path = api("/");
    let lines = lines(method, &path, &[("authorization", "key")]);
    let decision = exchange.on_request(
        &RequestHead::new(&lines),
        RequestBody::Whole(&[]),
        &Admitting(0),
    );
    assert!(matches!(decision, RequestDecision::Forward(_)));
    exchange
}

#[test]
fn only_a_declared_length_above_the_limit_is_too_large() {
    let too_large = Some(Denial::ResponseTooLarge);
    let pass = None;
    for (length, want) in [
        (None, pass),
        (Some("0"), pass),
        (Some("1000"), pass),
        (Some("1001"), too_large),
        (Some("18446744073709551615"), too_large),
        (Some("18446744073709551616"), too_large),
        (Some("-1"), too_large),
        (Some("1e3"), too_large),
        (Some(""), too_large),
        (Some("10, 10"), too_large),
    ] {
        let mut head = vec![(":status", "200"), ("content-type", "application/json")];
        head.extend(length.map(|length| ("content-length", length)));
        let head = FakeResponse::new(&head);
        assert_eq!(forwarded("GET").on_head(&head), want, "{length:?}");
        assert_eq!(redacting().on_head(&head), want, "redacted, {length:?}");
    }
}

#[test]
fn answers_without_a_body_and_streams_are_never_too_large() {
    let too_large = Some(Denial::ResponseTooLarge);
    let pass = None;
    for (method, status, content_type, want) in [
        ("GET", "200", "text/plain", too_large),
        ("GET", "200", "", too_large),
        ("GET", "500", "text/plain", too_large),
        ("GET", "206", "text/plain", too_large),
        ("GET", "204", "text/plain", pass),
        ("GET", "304", "text/plain", pass),
        ("HEAD", "200", "text/plain", pass),
        ("POST", "200", "text/event-stream", pass),
        ("GET", "200", "Text/Event-Stream; charset=utf-8", pass),
        ("GET", "200", "application/x-ndjson", pass),
        ("GET", "200", "application/ndjson ;x=y", pass),
        ("GET", "200", "application/jsonl", pass),
        ("GET", "200", "text/event-streams", too_large),
        (
            "GET",
            "200",
            "application/json; text/event-stream",
            too_large,
        ),
    ] {
        let head = FakeResponse::new(&[
            (":status", status),
            ("content-type", content_type),
            ("content-length", "1001"),
        ]);
        let got = forwarded(method).on_head(&head);
        assert_eq!(got, want, "{method} {status} {content_type}");
    }
}

#[test]
fn a_switch_that_nobody_asked_for_is_no_answer() {
    let head = FakeResponse::new(&[(":status", "101"), ("upgrade", "websocket")]);
    let want = Some(Denial::TargetUnreachable);
    for method in ["GET", "POST", "HEAD"] {
        assert_eq!(forwarded(method).on_head(&head), want, "{method}");
    }
}

#[test]
fn one_question_decides_a_response_that_declares_its_length() {
    for (length, want) in [(Some("5"), 1), (Some("1001"), 3), (None, 4)] {
        let mut head = vec![(":status", "200")];
        head.extend(length.map(|length| ("content-length", length)));
        let head = FakeResponse::new(&head);
        forwarded("GET").on_head(&head);
        assert_eq!(head.asked.get(), want, "{length:?}");
    }
    let head = FakeResponse::new(&[("content-length", "1001")]);
    forwarded("HEAD").on_head(&head);
    assert_eq!(head.asked.get(), 1);
}

#[test]
fn our_own_answer_passes() {
    let own = FakeResponse::new(&[(":status", "413"), ("content-length", "99999")]);
    let large = FakeResponse::new(&[(":status", "200"), ("content-length", "99999")]);
    let mut exchange = forwarded("GET");
    assert_eq!(exchange.on_head(&large), Some(Denial::ResponseTooLarge));
    assert_eq!(exchange.on_head(&own), None);
    let record = exchange.finish(&Admitting(0));
    assert_eq!(record.denial, Some(Denial::ResponseTooLarge));
    assert_eq!(
        record.credential,
        Some((credential_id(0), AuthType::ApiKey))
    );

    let mut refused = Exchange::new(Resolved::UnknownProxy);
    refused.on_request(
        &RequestHead::new(&[]),
        RequestBody::Whole(&[]),
        &Admitting(0),
    );
    assert_eq!(refused.on_head(&own), None);
}

#[test]
fn envoys_refusal_of_a_request_we_never_saw_passes_and_nothing_else_does() {
    for (code, passes) in [
        (Some("proxy-access-denied"), true),
        (Some("proxy-access-granted"), false),
        (Some(""), false),
        (None, false),
    ] {
        let mut head = vec![(":status", "400"), ("content-length", "99999")];
        head.extend(code.map(|code| ("requestrocket-proxy-code", code)));
        let mut exchange = Exchange::new(resolved(&fixture()));
        let decision = exchange.on_head(&FakeResponse::new(&head));
        assert_eq!(decision.is_none(), passes, "{code:?}");
        let want = if passes {
            Denial::BadRequest
        } else {
            Denial::GatewayFault
        };
        assert_eq!(
            exchange.finish(&Admitting(0)).denial,
            Some(want),
            "{code:?}"
        );
    }
}

#[test]
fn events_out_of_order_are_refused() {
    let fault = Some(Denial::GatewayFault);
    let head = FakeResponse::new(&[(":status", "200")]);

    let mut early = Exchange::new(resolved(&fixture()));
    assert_eq!(early.on_head(&head), fault);
    let path = api("/");
    let lines = lines("GET", &path, &[("authorization", "key")]);
    let request = RequestHead::new(&lines);
    let late = early.on_request(&request, RequestBody::Whole(&[]), &Admitting(0));
    assert_eq!(refusal(late), Some(Denial::GatewayFault));

    let mut twice = forwarded("GET");
    let again = twice.on_request(&request, RequestBody::Whole(&[]), &Admitting(0));
    assert_eq!(refusal(again), Some(Denial::GatewayFault));
    assert_eq!(
        twice.finish(&Admitting(0)).denial,
        Some(Denial::GatewayFault)
    );

    let mut answered = forwarded("GET");
    assert_eq!(answered.on_head(&head), None);
    assert_eq!(answered.on_head(&head), fault);
    let record = answered.finish(&Admitting(0));
    assert_eq!(record.denial, Some(Denial::GatewayFault));
    assert!(record.credential.is_some());
}

#[test]
fn a_forgotten_call_is_judged_as_if_it_was_remembered() {
    let mut fixture = carrying_nothing();
    fixture.admission.max_response_bytes = MAX;
    let resolved = resolved(&fixture);
    for (length, is_end) in [
        (None, false),
        (None, true),
        (Some("0"), false),
        (Some("1000"), false),
        (Some("1001"), false),
        (Some("nonsense"), false),
    ] {
        for (status, media) in [
            ("200", "application/json"),
            ("200", "text/event-stream"),
            ("304", "application/json"),
            ("502", "text/plain"),
        ] {
            let mut head = vec![(":status", status), ("content-type", media)];
            head.extend(length.map(|length| ("content-length", length)));
            let judge = |mut exchange: Exchange| {
                let head = FakeResponse::new(&head);
                let decision = exchange.on_response_head(&head, is_end, &Admitting(0));
                let sizes = [600, 600].map(|size| exchange.on_response_size(size));
                (decision, sizes)
            };
            let remembered = forwarded("GET");
            assert!(!remembered.awaits_response());
            let forgotten = Exchange::forgotten(resolved.clone()).unwrap();
            assert_eq!(judge(remembered), judge(forgotten), "{head:?} {is_end}");
        }
    }
}

#[test]
fn calls_whose_response_matters_are_not_forgotten() {
    assert!(redacting().awaits_response());
    // Of these only the caller's method says that the length is not that of a body.
    assert!(forwarded("HEAD").awaits_response());
    for unknown in [Resolved::UnknownProxy, Resolved::Fault] {
        assert!(Exchange::forgotten(unknown).is_none());
    }
    assert!(Exchange::new(resolved(&fixture())).awaits_response());
    let filters = ["destroy $.s"];
    let filtered = [
        LayerName::ProxyCredential,
        LayerName::TargetCredential,
        LayerName::Target,
        LayerName::Proxy,
    ]
    .map(|layer| fixture().redactions(layer, &filters));
    let mut metered = fixture();
    metered.wire.meters = vec![wire::Meter {
        meter_id: "44444444-4444-4444-8444-444444444444".to_owned(),
        extraction: Some(wire::meter::Extraction::HeaderName("x-cost".to_owned())),
        ..wire::Meter::default()
    }];
    for fixture in filtered.into_iter().chain([metered]) {
        assert!(Exchange::forgotten(resolved(&fixture)).is_none());
        assert!(forwarded_by("GET", fixture).awaits_response());
    }
}
