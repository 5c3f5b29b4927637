//! Admitted, asked or refused: every limit is looked at, none is changed.

use proptest::prelude::*;

use super::super::tests::{START_MS, charge, counted, counter, granted, meter, per_minute};
use super::super::{Adds, Counter, CounterKind, Limits, PerWindow, Slot};
use super::*;

/// Ten a minute.
fn ten() -> Charge {
    charge(meter(1), per_minute(10))
}

fn decide_one(charge: &Charge, tally: &Tally, asked: Asked) -> Decision {
    let tally = *tally;
    decide(
        &[Charged { charge, tally }],
        asked,
        &Moment::at(START_MS + 100),
    )
}

fn name(decision: &Decision) -> &'static str {
    match decision {
        Decision::Admit => "admit",
        Decision::Ask(_) => "ask",
        Decision::Exceeded(_) => "exceeded",
    }
}

#[test]
fn a_count_is_judged_by_what_is_certain_then_by_its_ceiling_then_by_the_answer() {
    // (own, others, ceiling)
    for (tally, not_yet, refused, unanswered) in [
        (granted(3, 4, 5), "admit", "admit", "admit"),
        (granted(4, 4, 5), "admit", "admit", "admit"),
        (granted(5, 4, 5), "ask", "exceeded", "exceeded"),
        (granted(2, 4, 2), "ask", "exceeded", "admit"),
        (counted(0, 0), "ask", "exceeded", "admit"),
        (counted(5, 4), "ask", "exceeded", "admit"),
        // Certain: others only grow.
        (granted(6, 4, 9), "exceeded", "exceeded", "exceeded"),
        (granted(0, 10, 9), "exceeded", "exceeded", "exceeded"),
        (granted(9, 9, 20), "exceeded", "exceeded", "exceeded"),
    ] {
        for (asked, want) in [
            (Asked::NotYet, not_yet),
            (Asked::Refused, refused),
            (Asked::Unanswered, unanswered),
        ] {
            let decision = decide_one(&ten(), &tally, asked);
            assert_eq!(name(&decision), want, "{asked:?} {:?}", tally.slots.minute);
        }
    }
}

#[test]
fn a_value_needs_any_room_at_all() {
    let value = Charge {
        adds: Adds::Value,
        ..ten()
    };
    let with = |own, others| {
        let mut tally = granted(0, 0, 10);
        if let Some(slot) = &mut tally.slots.minute {
            slot.own = Micros::new(own);
            slot.others = Micros::new(others);
        }
        tally
    };
    for (own, others, want) in [
        (0, 0, "admit"),
        (9_999_999, 0, "admit"),
        (9_999_998, 1, "admit"),
        (9_999_999, 1, "exceeded"),
        (10_000_000, 0, "exceeded"),
        (250_000_000, 0, "exceeded"),
    ] {
        let decision = decide_one(&value, &with(own, others), Asked::NotYet);
        assert_eq!(name(&decision), want, "{own} {others}");
    }
}

#[test]
fn without_limits_everything_is_admitted() {
    let observed = charge(meter(1), Limits::default());
    for asked in [Asked::NotYet, Asked::Refused, Asked::Unanswered] {
        assert_eq!(
            decide_one(&observed, &granted(99, 99, 0), asked),
            Decision::Admit
        );
        assert_eq!(decide(&[], asked, &Moment::at(START_MS)), Decision::Admit);
    }
}

#[test]
fn a_limit_of_zero_admits_nothing_and_asks_nobody() {
    let closed = charge(meter(1), per_minute(0));
    for asked in [Asked::NotYet, Asked::Unanswered] {
        assert_eq!(
            name(&decide_one(&closed, &Tally::default(), asked)),
            "exceeded"
        );
    }
}

#[test]
fn the_question_names_what_lacks_room() {
    let limits = Limits {
        minute: Some(10),
        day: Some(100),
        ..Limits::default()
    };
    let charge = charge(meter(1), limits);
    let decision = decide_one(&charge, &granted(2, 1, 5), Asked::NotYet);
    let day = Window::Day.bounds(START_MS).start_ms;
    let want = Report {
        counter: meter(1),
        window: Window::Day,
        start_ms: day,
        own: Micros::ZERO,
        limit: Micros::units(100),
        wanted: Micros::ONE,
        queued: Micros::ZERO,
    };
    assert_eq!(decision, Decision::Ask(vec![want]));
}

#[test]
fn one_exceeded_limit_decides_before_anyone_is_asked() {
    let plan = charge(counter(CounterKind::Plan, 1), per_minute(10));
    let proxy = charge(counter(CounterKind::Proxy, 2), per_minute(10));
    let meter = ten();
    let call = [
        Charged {
            charge: &plan,
            tally: counted(0, 0),
        },
        Charged {
            charge: &proxy,
            tally: counted(4, 6),
        },
        Charged {
            charge: &meter,
            tally: granted(0, 0, 5),
        },
    ];
    let Decision::Exceeded(exceeded) = decide(&call, Asked::NotYet, &Moment::at(START_MS)) else {
        panic!("must be exceeded");
    };
    let standings: Vec<(Counter, bool)> = exceeded
        .standings()
        .iter()
        .map(|standing| (standing.counter, standing.is_exceeded))
        .collect();
    let want = [
        (plan.counter, false),
        (proxy.counter, true),
        (meter.counter, false),
    ];
    assert_eq!(standings, want);
}

#[test]
fn a_call_after_the_end_of_the_window_begins_anew() {
    let tally = granted(10, 0, 10);
    let charge = ten();
    let call = [Charged {
        charge: &charge,
        tally,
    }];
    let at = |ms| name(&decide(&call, Asked::NotYet, &Moment::at(START_MS + ms)));
    assert_eq!(at(59_999), "exceeded");
    assert_eq!(at(60_000), "ask");
}

#[test]
fn a_clock_that_steps_back_gives_no_limit_anew() {
    let tally = granted(10, 0, 10);
    let charge = ten();
    let call = [Charged {
        charge: &charge,
        tally,
    }];
    let decision = decide(&call, Asked::NotYet, &Moment::at(START_MS - 3_600_000));
    let Decision::Exceeded(exceeded) = decision else {
        panic!("must be exceeded");
    };
    // To the end of the window that was begun.
    assert_eq!(exceeded.retry_after_seconds(), 3_660);
}

fn any_slot() -> impl Strategy<Value = Slot> {
    (
        0..12_u64,
        0..12_u64,
        0..12_u64,
        0..12_u64,
        0..4_u32,
        0..600_u32,
    )
        .prop_map(|(own, others, ceiling, answered, nodes, valid_ms)| Slot {
            start_ms: START_MS,
            own: Micros::units(own),
            others: Micros::units(others),
            ceiling: Micros::units(ceiling),
            answered_own: Micros::units(answered.min(own)),
            granted_at_ms: START_MS,
            valid_ms,
            nodes,
            ..Slot::default()
        })
}

fn any_call() -> impl Strategy<Value = Vec<(Charge, Tally)>> {
    let one = (0..3_usize, 1..12_u64, any::<bool>(), any_slot()).prop_map(
        |(kind, limit, is_value, slot)| {
            let mut charge = charge(counter(CounterKind::ALL[kind], 1), per_minute(limit));
            if is_value {
                charge.adds = Adds::Value;
            }
            let slots = PerWindow {
                minute: Some(slot),
                ..PerWindow::default()
            };
            (charge, Tally { slots })
        },
    );
    proptest::collection::vec(one, 0..5)
}

proptest! {
    /// What is admitted fits under every limit; what is refused names one; what is asked could fit.
    #[test]
    fn decisions_are_sound(call in any_call(), asked in 0..3_usize, ms in 0..600_u64) {
        let asked = [Asked::NotYet, Asked::Refused, Asked::Unanswered][asked];
        let charged: Vec<Charged<'_>> = call
            .iter()
            .map(|(charge, tally)| Charged { charge, tally: *tally })
            .collect();
        let fits = |charge: &Charge, tally: &Tally| {
            let used = tally.slots.minute.unwrap().used();
            used.plus(charge.need()) <= charge.limit(Window::Minute).unwrap()
        };
        match decide(&charged, asked, &Moment::at(START_MS + ms)) {
            Decision::Admit => {
                for (charge, tally) in &call {
                    prop_assert!(fits(charge, tally));
                }
            }
            Decision::Ask(questions) => {
                prop_assert_eq!(asked, Asked::NotYet);
                prop_assert!(!questions.is_empty());
                for (charge, tally) in &call {
                    prop_assert!(fits(charge, tally));
                }
            }
            Decision::Exceeded(exceeded) => {
                prop_assert!(exceeded.decisive().is_some());
                prop_assert_eq!(exceeded.standings().len(), call.len());
                if asked == Asked::NotYet {
                    let is_certain = call.iter().any(|(charge, tally)| !fits(charge, tally));
                    prop_assert!(is_certain);
                }
            }
        }
    }
}
