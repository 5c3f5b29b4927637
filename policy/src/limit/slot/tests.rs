//! One window of one counter: rolling over, room, and what answers change.

use proptest::prelude::*;

use super::super::tests::{START_MS, grant, granted, meter};
use super::*;

fn slot() -> Slot {
    granted(3, 4, 5).slots.minute.unwrap()
}

fn report(own: u64) -> Report {
    Report {
        counter: meter(1),
        window: Window::Minute,
        start_ms: START_MS,
        own: Micros::units(own),
        limit: Micros::units(10),
        wanted: Micros::ZERO,
        queued: Micros::ZERO,
    }
}

#[test]
fn a_new_window_starts_at_nothing() {
    let next = slot().in_window(Window::Minute.bounds(START_MS + 60_000));
    let want = Slot {
        start_ms: START_MS + 60_000,
        limit: slot().limit,
        nodes: 2,
        ..Slot::default()
    };
    assert_eq!(next, want);
}

#[test]
fn no_clock_leads_back_to_an_earlier_window() {
    for now_ms in [
        START_MS,
        START_MS + 59_999,
        START_MS - 1,
        START_MS - 3_600_000,
        0,
    ] {
        let kept = slot().in_window(Window::Minute.bounds(now_ms));
        assert_eq!(kept, slot(), "at {now_ms}");
    }
}

#[test]
fn room_is_what_the_ceiling_in_force_leaves() {
    for (now_ms, need, want) in [
        (START_MS, Micros::ONE, true),
        (START_MS, Micros::units(2), true),
        (START_MS, Micros::new(2_000_001), false),
        (START_MS + 499, Micros::LEAST, true),
        (START_MS + 500, Micros::LEAST, false),
        // The clock has stepped back.
        (START_MS - 1, Micros::LEAST, false),
        (0, Micros::LEAST, false),
        (u64::MAX, Micros::LEAST, false),
    ] {
        assert_eq!(slot().has_room(need, now_ms), want, "{need} at {now_ms}");
    }
    assert!(!Slot::default().has_room(Micros::LEAST, 0));
}

#[test]
fn the_share_is_a_part_of_what_was_left_at_the_last_answer() {
    // (limit, others, own at the last answer, nodes, own now)
    for (limit, others, answered, nodes, own, want) in [
        (10, 0, 0, 1, 9, true),
        (10, 0, 0, 1, 10, false),
        (10, 0, 0, 2, 4, true),
        (10, 0, 0, 2, 5, false),
        (10, 2, 2, 2, 4, true),
        (10, 2, 2, 2, 5, false),
        (10, 5, 5, 2, 5, false),
        (10, 8, 5, 2, 5, false),
        // Never heard of anyone: alone.
        (10, 0, 0, 0, 9, true),
        // A share below 1 lets one through, so that a low limit is not closed by an outage.
        (1, 0, 0, 3, 0, true),
        (1, 0, 0, 3, 1, false),
    ] {
        let slot = Slot {
            own: Micros::units(own),
            others: Micros::units(others),
            answered_own: Micros::units(answered),
            nodes,
            ..Slot::default()
        };
        let case = (limit, others, answered, nodes, own);
        assert_eq!(slot.has_share(Micros::units(limit)), want, "{case:?}");
    }
}

#[test]
fn an_answer_brings_others_and_a_ceiling() {
    let mut slot = Slot {
        start_ms: START_MS,
        own: Micros::units(3),
        ..Slot::default()
    };
    slot.apply(&report(2), &grant(4, 6, 500), START_MS + 10, START_MS + 12);
    let want = Slot {
        start_ms: START_MS,
        own: Micros::units(3),
        others: Micros::units(4),
        ceiling: Micros::units(6),
        granted_at_ms: START_MS + 10,
        valid_ms: 500,
        answered_own: Micros::units(2),
        epoch: 7,
        nodes: 2,
        ..Slot::default()
    };
    assert_eq!(slot, want);
    assert_eq!(slot.used(), Micros::units(7));
}

#[test]
fn answers_that_overtake_each_other_change_nothing_back() {
    let mut slot = slot();
    slot.apply(
        &report(3),
        &grant(6, 8, 500),
        START_MS + 200,
        START_MS + 210,
    );
    let newest = slot;
    slot.apply(
        &report(1),
        &grant(5, 4, 500),
        START_MS + 100,
        START_MS + 220,
    );
    assert_eq!(slot, newest);
}

#[test]
fn a_long_wait_outlives_the_ticks_that_came_between() {
    let mut slot = slot();
    slot.apply(
        &report(5),
        &grant(4, 5, 500),
        START_MS + 300,
        START_MS + 310,
    );
    // Asked before that tick, answered after it.
    slot.apply(
        &report(5),
        &grant(4, 6, 1_200),
        START_MS + 100,
        START_MS + 800,
    );
    assert!(slot.has_room(Micros::ONE, START_MS + 1_299));
    assert!(!slot.has_room(Micros::ONE, START_MS + 1_300));
}

#[test]
fn an_answer_without_room_leaves_the_grant_in_force() {
    let mut slot = slot();
    slot.apply(&report(3), &grant(7, 3, 0), START_MS + 100, START_MS + 110);
    assert!(slot.has_room(Micros::units(2), START_MS + 120));
    assert_eq!(slot.others, Micros::units(7));
}

#[test]
fn a_grant_from_a_clock_that_has_stepped_back_gives_way() {
    let mut slot = slot();
    let now_ms = START_MS - 3_600_000;
    slot.apply(&report(3), &grant(4, 9, 500), now_ms, now_ms + 1);
    assert!(slot.has_room(Micros::ONE, now_ms + 1));
}

#[test]
fn answers_for_another_window_or_without_judgement_are_dropped() {
    for (report, grant) in [
        (
            Report {
                start_ms: START_MS - 60_000,
                ..report(3)
            },
            grant(9, 9, 500),
        ),
        (
            Report {
                start_ms: START_MS + 60_000,
                ..report(3)
            },
            grant(9, 9, 500),
        ),
        (
            report(3),
            Grant {
                nodes: 0,
                ..grant(9, 9, 500)
            },
        ),
    ] {
        let mut slot = slot();
        slot.apply(&report, &grant, START_MS + 100, START_MS + 110);
        assert_eq!(slot, self::slot(), "{report:?} {grant:?}");
    }
}

/// One that has nothing to say.
fn told() -> Slot {
    Slot {
        answered_own: slot().own,
        epoch: 7,
        is_settled: true,
        ..slot()
    }
}

#[test]
fn growth_a_new_region_and_an_ended_grant_are_due() {
    let told = told();
    let grown = Slot {
        own: told.own.plus(Micros::LEAST),
        ..told
    };
    let empty = Slot {
        own: Micros::ZERO,
        answered_own: Micros::ZERO,
        ..told
    };
    let unsettled = Slot {
        is_settled: false,
        ..told
    };
    let never_granted = Slot {
        valid_ms: 0,
        ..unsettled
    };
    let end_ms = START_MS + 500 + SETTLE_MARGIN_MS;
    for (name, slot, epoch, now_ms, want) in [
        ("told", told, Some(7), end_ms, false),
        ("told, region unknown", told, None, end_ms, false),
        ("grown", grown, Some(7), START_MS, true),
        ("forgotten", told, Some(8), START_MS, true),
        ("nothing to forget", empty, Some(8), START_MS, false),
        ("grant in force", unsettled, Some(7), end_ms - 1, false),
        ("grant over", unsettled, Some(7), end_ms, true),
        ("no grant", never_granted, Some(7), end_ms, false),
    ] {
        assert_eq!(slot.is_due(epoch, now_ms), want, "{name}");
    }
}

/// A report that came late is the first that a new run of the region hears.
#[test]
fn what_only_an_earlier_run_was_told_is_due_again() {
    let mut slot = told();
    let late = report(1);
    let new_run = Grant {
        epoch: 8,
        ..grant(4, 3, 0)
    };
    slot.apply(&late, &new_run, START_MS + 100, START_MS + 105);
    assert_eq!(slot.answered_own, late.own);
    assert!(slot.is_due(Some(8), START_MS + 105));
    slot.apply(&report(3), &new_run, START_MS + 200, START_MS + 205);
    slot.apply(&late, &new_run, START_MS + 100, START_MS + 210);
    assert!(!slot.is_due(Some(8), START_MS + 210), "told this run");
}

#[test]
fn a_grant_is_settled_by_a_report_sent_after_its_end() {
    let end_ms = START_MS + 500;
    for (sent_at_ms, want) in [
        (START_MS + 100, false),
        (end_ms, false),
        (end_ms + SETTLE_MARGIN_MS - 1, false),
        (end_ms + SETTLE_MARGIN_MS, true),
    ] {
        let mut slot = slot();
        slot.apply(&report(3), &grant(4, 3, 0), sent_at_ms, sent_at_ms + 5);
        assert_eq!(slot.is_settled, want, "sent at {sent_at_ms}");
    }
}

#[test]
fn a_window_is_reported_for_a_minute_after_its_end() {
    let end_ms = START_MS + 60_000;
    assert!(slot().is_reportable(Window::Minute, end_ms + LATE_MS - 1));
    assert!(!slot().is_reportable(Window::Minute, end_ms + LATE_MS));
}

proptest! {
    /// Whatever is answered in whatever order: counts never shrink, and no ceiling is in force
    /// that the region did not give, nor longer than it said.
    #[test]
    fn answers_only_add_knowledge(
        answers in proptest::collection::vec(
            (0..20_u64, 0..20_u64, 0..20_u64, 0..1_500_u32, 0..3_000_u64, 0..3_000_u64),
            0..20,
        )
    ) {
        let mut slot = Slot { start_ms: START_MS, own: Micros::units(5), ..Slot::default() };
        for (own, others, ceiling, valid_ms, sent, delay) in answers {
            let before = slot;
            let (sent_at_ms, now_ms) = (START_MS + sent, START_MS + sent + delay);
            slot.apply(&report(own), &grant(others, ceiling, valid_ms), sent_at_ms, now_ms);
            prop_assert!(slot.used() >= before.used());
            prop_assert!(slot.answered_own >= before.answered_own);
            prop_assert_eq!(slot.own, before.own);
            let is_kept = (slot.ceiling, slot.granted_at_ms, slot.valid_ms)
                == (before.ceiling, before.granted_at_ms, before.valid_ms);
            let is_given = (slot.ceiling, slot.granted_at_ms, slot.valid_ms)
                == (Micros::units(ceiling), sent_at_ms, valid_ms);
            prop_assert!(is_kept || is_given);
        }
    }
}
