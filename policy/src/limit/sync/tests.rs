//! Messages as they are sent and read.

use proptest::prelude::*;
use uuid::Uuid;

use super::super::tests::{START_MS, grant, granted, meter};
use super::super::{Asked, CounterKind, PerWindow};
use super::*;

fn report() -> Report {
    let slot = granted(3, 4, 5).slots.minute.unwrap();
    Report {
        wanted: Micros::ONE,
        queued: Micros::units(2),
        limit: Micros::units(10),
        ..slot.report(meter(0xa1), Window::Minute)
    }
}

#[test]
fn a_request_says_who_when_and_what() {
    let bytes = request([9; 16], &[report()], START_MS + 5);
    let decoded = wire::SyncRequest::decode(bytes.as_slice()).unwrap();
    let want = wire::SyncRequest {
        incarnation: vec![9; 16].into(),
        sent_at_ms: START_MS + 5,
        reports: vec![wire::Report {
            counter: Some(wire::Counter {
                kind: wire::counter::Kind::Meter.into(),
                id: Uuid::from_u128(0xa1).as_bytes().to_vec().into(),
            }),
            window: wire::Window::Minute.into(),
            start_ms: START_MS,
            own_micros: 3_000_000,
            limit_micros: 10_000_000,
            wanted_micros: 1_000_000,
            queued_micros: 2_000_000,
        }],
    };
    assert_eq!(decoded, want);
}

#[test]
fn a_response_answers_every_report() {
    let response = wire::SyncResponse {
        grants: vec![grant(4, 6, 500).to_wire(), grant(0, 1, 0).to_wire()],
        epoch: 7,
    };
    let want = Answers {
        epoch: 7,
        grants: vec![grant(4, 6, 500), grant(0, 1, 0)],
    };
    let bytes = response.encode_to_vec();
    assert_eq!(answers(&bytes, 2), Some(want));
    assert_eq!(answers(&bytes, 1), None, "too many");
    assert_eq!(answers(&bytes, 3), None, "too few");
    assert_eq!(answers(b"\xff", 0), None, "no message");
    assert_eq!(answers(b"", 0), None, "no epoch");
}

#[test]
fn what_is_no_report_is_refused() {
    let right = report().to_wire();
    assert_eq!(Report::from_wire(right.clone()), Some(report()));
    let counter = |kind: i32, id: &[u8]| {
        Some(wire::Counter {
            kind,
            id: id.to_vec().into(),
        })
    };
    let counters = [
        None,
        counter(0, &[1; 16]),
        counter(4, &[1; 16]),
        counter(1, &[1; 15]),
        counter(1, &[1; 17]),
    ];
    for counter in counters {
        let wrong = wire::Report {
            counter,
            ..right.clone()
        };
        assert_eq!(Report::from_wire(wrong.clone()), None, "{wrong:?}");
    }
    for (window, start_ms) in [(0, START_MS), (5, START_MS), (1, START_MS + 1)] {
        let wrong = wire::Report {
            window,
            start_ms,
            ..right.clone()
        };
        assert_eq!(Report::from_wire(wrong), None, "{window} {start_ms}");
    }
}

#[test]
fn the_outcome_is_whether_there_is_room() {
    for (name, ceiling, nodes, want) in [
        ("room", 4, 1, Asked::NotYet),
        ("more room", 9, 3, Asked::NotYet),
        ("no room", 3, 2, Asked::Refused),
        ("nothing", 0, 2, Asked::Refused),
        ("not judged", 9, 0, Asked::Unanswered),
    ] {
        let grant = Grant {
            nodes,
            ..grant(0, ceiling, 500)
        };
        assert_eq!(grant.outcome(&report()), want, "{name}");
    }
}

fn any_report() -> impl Strategy<Value = Report> {
    let kinds = proptest::sample::select(CounterKind::ALL.to_vec());
    let windows = proptest::sample::select(Window::ALL.to_vec());
    let numbers = any::<[u64; 4]>();
    (
        kinds,
        any::<u128>(),
        windows,
        0..253_402_300_799_999_u64,
        numbers,
    )
        .prop_map(
            |(kind, id, window, now_ms, [own, limit, wanted, queued])| Report {
                counter: Counter {
                    kind,
                    id: Uuid::from_u128(id),
                },
                window,
                start_ms: window.bounds(now_ms).start_ms,
                own: Micros::new(own),
                limit: Micros::new(limit),
                wanted: Micros::new(wanted),
                queued: Micros::new(queued),
            },
        )
}

proptest! {
    #[test]
    fn reports_are_read_back(report in any_report()) {
        prop_assert_eq!(Report::from_wire(report.to_wire()), Some(report));
    }

    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>, reports in 0..3_usize) {
        if let Some(answers) = answers(&bytes, reports) {
            prop_assert_eq!(answers.grants.len(), reports);
            prop_assert!(answers.epoch > 0);
        }
    }
}

#[test]
fn a_tick_wants_nothing() {
    let slots = PerWindow::of(|_| granted(3, 4, 5).slots.minute.unwrap());
    let tick = slots.minute.report(meter(1), Window::Minute);
    assert_eq!((tick.wanted, tick.own), (Micros::ZERO, Micros::units(3)));
}
