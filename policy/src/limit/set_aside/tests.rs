//! Who may set calls aside, how many, for how long, and what becomes of them.

use proptest::prelude::*;

use super::super::slot::ACCOUNT_MARGIN_MS;
use super::super::tests::{START_MS, charge, counter, grant, granted, meter, per_minute};
use super::super::{Asked, Charge, CounterKind, Decision, Limits, Slot, Tally, Window, decide};
use super::*;

/// A limit of 100,000 with all of the room that the region can give, until `START_MS + 500`.
fn roomy() -> Tally {
    granted(0, 0, 100_000)
}

fn limited() -> Charge {
    charge(counter(CounterKind::Proxy, 1), per_minute(100_000))
}

fn of(charge: &Charge, tally: &Tally, wanted: u32, now_ms: u64) -> Option<(u32, u64)> {
    let tally = *tally;
    let call = [Charged { charge, tally }];
    let batch = batch(&call, wanted, &Moment::at(now_ms))?;
    Some((batch.calls, batch.until_ms - START_MS))
}

#[test]
fn a_batch_is_what_is_wanted_as_far_as_there_is_room() {
    // (own, others, ceiling, wanted, calls)
    for (own, others, ceiling, wanted, want) in [
        (0, 0, 100_000, 10, Some(10)),
        (0, 0, 100_000, 1_000, Some(64)),
        (0, 0, 100_000, 0, None),
        // A 64th of what the ceiling leaves.
        (1_000, 0, 1_640, 100, Some(10)),
        (1_000, 0, 1_063, 100, None),
        // Nothing is set aside that comes near the limit.
        (79_000, 0, 100_000, 100, Some(15)),
        (1_000, 78_000, 100_000, 100, Some(15)),
        (80_000, 0, 100_000, 100, None),
    ] {
        let got = of(&limited(), &granted(own, others, ceiling), wanted, START_MS);
        let case = (own, others, ceiling, wanted);
        assert_eq!(got.map(|(calls, _)| calls), want, "{case:?}");
    }
}

#[test]
fn a_batch_ends_well_before_its_grant_and_with_the_minute() {
    for (now_ms, want) in [
        (START_MS, Some(250)),
        (START_MS + 249, Some(250)),
        (START_MS + 250, None),
        (START_MS + 600, None),
        // The clock has stepped back.
        (START_MS - 1, None),
    ] {
        let got = of(&limited(), &roomy(), 8, now_ms);
        assert_eq!(got.map(|(_, until)| until), want, "{now_ms}");
    }
    let free = charge(meter(1), Limits::default());
    let mut tally = Tally::default();
    tally.add(&free, Micros::ONE, &Moment::at(START_MS));
    assert_eq!(of(&free, &tally, 99, START_MS + 9), Some((64, 1_009)));
    let end_ms = START_MS + 60_000;
    assert_eq!(of(&free, &tally, 99, end_ms - 9), Some((64, 60_000)));
}

#[test]
fn a_batch_is_open_from_its_making_to_its_end() {
    for (now_ms, want) in [
        (START_MS - 1, false),
        (START_MS, true),
        (START_MS + 249, true),
        (START_MS + 250, false),
    ] {
        assert_eq!(aside(1).is_open(now_ms), want, "{now_ms}");
    }
}

#[test]
fn values_with_a_limit_are_looked_at_one_by_one() {
    for (limits, want) in [
        (per_minute(100_000), None),
        (Limits::default(), Some((8, 1_000))),
    ] {
        let mut value = charge(meter(1), limits);
        value.adds = Adds::Value;
        let mut tally = roomy();
        tally.add(&value, Micros::ZERO, &Moment::at(START_MS));
        assert_eq!(of(&value, &tally, 8, START_MS), want, "{limits:?}");
    }
}

#[test]
fn the_tightest_counter_decides() {
    let (wide, narrow) = (limited(), limited());
    let call = |tallies: [Tally; 2]| {
        let [first, second] = tallies;
        let call = [
            Charged {
                charge: &wide,
                tally: first,
            },
            Charged {
                charge: &narrow,
                tally: second,
            },
        ];
        batch(&call, 50, &Moment::at(START_MS)).map(|batch| batch.calls)
    };
    assert_eq!(call([roomy(), roomy()]), Some(50));
    assert_eq!(call([roomy(), granted(0, 0, 640)]), Some(10));
    assert_eq!(call([granted(0, 0, 63), roomy()]), None);
}

fn aside(calls: u32) -> Batch {
    Batch {
        calls,
        since_ms: START_MS,
        until_ms: START_MS + 250,
        calendar: Moment::at(START_MS).calendar,
    }
}

fn minute(tally: &Tally, now_ms: u64) -> (u64, u64) {
    let slot = tally.slot(Window::Minute, &Moment::at(now_ms));
    (slot.own.get() / 1_000_000, slot.reserved.get() / 1_000_000)
}

#[test]
fn what_was_used_counts_and_the_rest_is_free_again() {
    let mut tally = roomy();
    tally.reserve(&limited(), &aside(10));
    assert_eq!(minute(&tally, START_MS), (0, 10));
    tally.give_account(&limited(), &aside(10), 4, START_MS + 200);
    assert_eq!(minute(&tally, START_MS + 9_000), (4, 0));
}

#[test]
fn what_nobody_gives_account_of_counts() {
    let mut tally = roomy();
    tally.reserve(&limited(), &aside(10));
    let late_ms = START_MS + 250 + ACCOUNT_MARGIN_MS;
    assert_eq!(minute(&tally, late_ms - 1), (0, 10));
    assert_eq!(minute(&tally, late_ms), (10, 0));
    let due = tally.due(limited().counter, None, late_ms);
    assert_eq!(
        due.first().map(|report| report.own),
        Some(Micros::units(10))
    );
    assert_eq!(tally.due(limited().counter, None, late_ms - 1), []);
    // Too late is never too little.
    tally.give_account(&limited(), &aside(10), 4, late_ms);
    assert_eq!(minute(&tally, late_ms), (14, 0));
}

#[test]
fn an_account_of_a_window_that_is_over_says_nothing() {
    let mut tally = roomy();
    tally.reserve(&limited(), &aside(10));
    let next_ms = START_MS + 60_000;
    tally.add(&limited(), Micros::ONE, &Moment::at(next_ms));
    tally.give_account(&limited(), &aside(10), 4, START_MS + 100);
    assert_eq!(minute(&tally, next_ms), (1, 0));
}

#[test]
fn what_is_set_aside_is_room_that_nobody_else_has() {
    let charge = charge(counter(CounterKind::Proxy, 1), per_minute(10));
    let decision = |reserved: u64, asked| {
        let mut tally = granted(2, 0, 10);
        let slot = tally.slots.minute.get_or_insert_default();
        slot.reserve(Micros::units(reserved), START_MS + 250);
        let call = [Charged {
            charge: &charge,
            tally,
        }];
        decide(&call, asked, &Moment::at(START_MS))
    };
    assert_eq!(decision(7, Asked::NotYet), Decision::Admit);
    let Decision::Ask(questions) = decision(8, Asked::NotYet) else {
        panic!("the ceiling has no room");
    };
    assert_eq!(questions[0].wanted, Micros::units(9));
    assert_eq!(questions[0].own, Micros::units(2));
    assert_eq!(decision(7, Asked::Unanswered), Decision::Admit);
}

#[test]
fn what_a_dead_worker_left_rests_once_it_was_told() {
    let mut tally = roomy();
    tally.reserve(&limited(), &aside(10));
    let late_ms = START_MS + 2_000;
    for report in tally.due(limited().counter, None, late_ms) {
        let slot = tally.slot_of(&report).unwrap();
        slot.apply(&report, &grant(0, 10, 0), late_ms, late_ms + 1);
    }
    assert!(tally.is_at_rest(late_ms + 1));
    assert_eq!(tally.due(limited().counter, Some(7), late_ms + 1), []);
}

#[test]
fn a_slot_with_calls_set_aside_is_not_at_rest() {
    let mut slot = Slot {
        is_settled: true,
        ..Slot::default()
    };
    assert!(slot.is_at_rest());
    slot.reserve(Micros::ONE, START_MS);
    assert!(!slot.is_at_rest());
}

proptest! {
    /// Whoever sets aside, uses, gives account or dies: what counts, or may still come to count, is
    /// never less than what was used, and when all is accounted for it is exactly that.
    #[test]
    fn nothing_that_was_used_is_missing(
        steps in proptest::collection::vec((0..4_usize, 1..65_u32, 0..70_u32, any::<bool>()), 1..40),
        pause_ms in 1..40_u64,
    ) {
        let charge = limited();
        let mut tally = granted(0, 0, 50_000);
        let mut workers: [Option<(Batch, u32)>; 4] = [None; 4];
        // Of those who died, and of those who were late.
        let (mut used, mut unclear) = (0_u64, 0_u64);
        let mut now_ms = START_MS;
        for (worker, wanted, calls, dies) in steps {
            now_ms += pause_ms;
            let moment = Moment::at(now_ms);
            if let Some((batch, before)) = workers[worker].take() {
                if dies {
                    unclear += u64::from(batch.calls - before);
                    continue;
                }
                let more = if batch.is_open(now_ms) { calls.min(batch.calls - before) } else { 0 };
                used += u64::from(more);
                if now_ms >= batch.until_ms + ACCOUNT_MARGIN_MS {
                    unclear += u64::from(batch.calls);
                }
                tally.give_account(&charge, &batch, before + more, now_ms);
            }
            let call = [Charged { charge: &charge, tally }];
            if let Some(batch) = batch(&call, wanted, &moment) {
                tally.reserve(&charge, &batch);
                let at_once = calls.min(batch.calls) / 2;
                used += u64::from(at_once);
                workers[worker] = Some((batch, at_once));
            }
            let slot = tally.slot(Window::Minute, &moment);
            prop_assert!(slot.own.plus(slot.reserved) >= Micros::units(used));
            prop_assert!(slot.own.plus(slot.reserved) <= Micros::units(50_000));
        }
        let end_ms = START_MS + 30_000;
        for (batch, calls) in workers.into_iter().flatten() {
            // Those that live on are in time.
            tally.give_account(&charge, &batch, calls, batch.until_ms);
        }
        let slot = tally.slot(Window::Minute, &Moment::at(end_ms));
        prop_assert_eq!(slot.reserved, Micros::ZERO);
        prop_assert!(slot.own >= Micros::units(used));
        prop_assert!(slot.own <= Micros::units(used + unclear));
    }
}
