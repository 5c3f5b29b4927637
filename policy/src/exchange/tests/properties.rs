//! Whatever comes in whatever order: no panic, one record, nothing granted without a credential.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Event {
    Request(Vec<(Vec<u8>, Vec<u8>)>),
    Response(Vec<(String, String)>),
}

fn header() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let names = [
        ":method",
        ":path",
        ":authority",
        "host",
        "authorization",
        "x",
        "",
    ];
    let name = prop_oneof![
        4 => proptest::sample::select(names.map(|name| name.as_bytes().to_vec()).to_vec()),
        1 => any::<Vec<u8>>(),
    ];
    let values = ["GET", "HEAD", "key", "", "Bearer key", "h,h"];
    let value = prop_oneof![
        3 => proptest::sample::select(values.map(|value| value.as_bytes().to_vec()).to_vec()),
        2 => Just(api("/a?Authorization=key").into_bytes()),
        1 => any::<Vec<u8>>(),
    ];
    (name, value)
}

fn event() -> impl Strategy<Value = Event> {
    let names = [":status", "content-length", "content-type"]
        .map(str::to_owned)
        .to_vec();
    let values = ["200", "204", "99999999", "x", "text/event-stream"]
        .map(str::to_owned)
        .to_vec();
    let line = (
        proptest::sample::select(names),
        proptest::sample::select(values),
    );
    let good = [
        (":method", "GET"),
        (":path", &*api("/a")),
        ("authorization", "key"),
    ]
    .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
    .to_vec();
    prop_oneof![
        proptest::collection::vec(header(), 0..6).prop_map(Event::Request),
        Just(Event::Request(good)),
        proptest::collection::vec(line, 0..4).prop_map(Event::Response),
    ]
}

fn resolutions() -> impl Strategy<Value = Resolved> {
    let complete = resolved(&fixture());
    let mut wire = fixture();
    wire.wire.target = None;
    let incomplete = resolved(&wire);
    prop_oneof![
        4 => Just(complete),
        1 => Just(incomplete),
        1 => Just(Resolved::UnknownProxy),
        1 => Just(Resolved::Fault),
    ]
}

proptest! {
    #[test]
    fn any_events_in_any_order_end_in_one_record(
        resolved in resolutions(),
        events in proptest::collection::vec(event(), 0..6),
    ) {
        let mut exchange = Exchange::new(resolved);
        let mut forwards = 0;
        let mut last_refusal = None;
        for event in events {
            match event {
                Event::Request(lines) => {
                    let lines: Vec<HeaderLine<'_>> =
                        lines.iter().map(|(name, value)| (&name[..], &value[..])).collect();
                    match exchange.on_request(&RequestHead::new(&lines), RequestBody::Whole(&[]), &Admitting(0)) {
                        RequestDecision::Forward(_) | RequestDecision::HandOver(_) => forwards += 1,
                        RequestDecision::Refuse(refusal) => last_refusal = Some(refusal.denial),
                        RequestDecision::NeedPolicy | RequestDecision::NeedBody | RequestDecision::Ask(_) => {
            panic!("it waits")
        },
                    }
                }
                Event::Response(lines) => {
                    let lines: Vec<_> =
                        lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                    if let Some(denial) = exchange.on_head(&FakeResponse::new(&lines)) {
                        last_refusal = Some(denial);
                    }
                }
            }
        }
        let record = exchange.finish(&Admitting(0));
        prop_assert!(forwards <= 1);
        // Once forwarded, the credential is known; the record holds the refusal, if any.
        prop_assert!(forwards == 0 || record.credential.is_some());
        prop_assert_eq!(record.denial, last_refusal);
    }

    #[test]
    fn only_the_credential_opens_the_proxy(value in ".{0,12}", below in "[ -~]{0,30}") {
        let granted = decide(&resolved(&fixture()), "GET", &api(&format!("/{below}")), &[
            ("authorization", &value),
        ]);
        prop_assert!(granted.is_err() || value == "key");
    }

    #[test]
    fn a_granted_path_stays_below_the_base_path(below in "[./%2eEfF5cC;a?&-]{0,24}") {
        let resolved = resolved(&fixture().base_path("/base"));
        let path = api(&format!("/{below}"));
        if let Ok(edits) = decide(&resolved, "GET", &path, &[("authorization", "key")]) {
            let sent = edits.iter().find_map(|edit| edit.strip_prefix(":path = ")).unwrap();
            prop_assert!(sent.starts_with("/base/"), "{} from {}", sent, path);
            let sent = sent.split('?').next().unwrap_or_default();
            prop_assert!(!sent.split('/').any(|segment| matches!(segment, "." | "..")));
        }
    }
}
