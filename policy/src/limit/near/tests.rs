//! When a meter is near its limit, and what is said then.

use super::super::tests::{START_MS, charge, counted, counter, meter, per_minute};
use super::super::{Charge, Limits, Slot, Tally};
use super::*;

fn warnings(charge: &Charge, tally: &Tally) -> Vec<String> {
    let tally = *tally;
    near_limits(&[Charged { charge, tally }], &Moment::at(START_MS + 100))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn the_warning_has_the_documented_text() {
    let want = "meter-near-limit; meter=00000000-0000-0000-0000-0000000000a1; window=minute; used=8; limit=10";
    let charge = charge(meter(0xa1), per_minute(10));
    assert_eq!(warnings(&charge, &counted(5, 3)), [want]);
}

#[test]
fn it_is_given_from_80_per_cent_on() {
    for (own, others, limit, want) in [
        (7, 0, 10, 0),
        (8, 0, 10, 1),
        (0, 8, 10, 1),
        (10, 0, 10, 1),
        (12, 5, 10, 1),
        (79, 0, 99, 0),
        (80, 0, 99, 1),
        (0, 0, 1, 0),
        (1, 0, 1, 1),
    ] {
        let charge = charge(meter(1), per_minute(limit));
        let got = warnings(&charge, &counted(own, others)).len();
        assert_eq!(got, want, "{own} + {others} of {limit}");
    }
}

#[test]
fn only_meters_warn_and_only_of_limits() {
    for kind in [CounterKind::Plan, CounterKind::Proxy] {
        let charge = charge(counter(kind, 1), per_minute(10));
        assert_eq!(warnings(&charge, &counted(10, 0)), [""; 0], "{kind:?}");
    }
    let observed = charge(meter(1), Limits::default());
    assert_eq!(warnings(&observed, &counted(10, 0)), [""; 0]);
}

#[test]
fn every_window_near_its_limit_warns() {
    let limits = Limits {
        minute: Some(10),
        hour: Some(1_000),
        month: Some(100),
        ..Limits::default()
    };
    let mut tally = counted(9, 0);
    let slot = |window: Window, own| {
        Some(Slot {
            start_ms: window.bounds(START_MS).start_ms,
            own: Micros::new(own),
            ..Slot::default()
        })
    };
    tally.slots.hour = slot(Window::Hour, 9_000_000);
    tally.slots.month = slot(Window::Month, 99_500_000);
    let got = warnings(&charge(meter(1), limits), &tally);
    assert_eq!(got.len(), 2);
    assert!(
        got[0].ends_with("; window=minute; used=9; limit=10"),
        "{got:?}"
    );
    assert!(
        got[1].ends_with("; window=month; used=99.5; limit=100"),
        "{got:?}"
    );
}

#[test]
fn a_finished_window_does_not_warn() {
    let charge = charge(meter(1), per_minute(10));
    let call = [Charged {
        charge: &charge,
        tally: counted(10, 0),
    }];
    assert_eq!(near_limits(&call, &Moment::at(START_MS + 60_000)), []);
}
