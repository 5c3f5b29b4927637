//! Counting in windows.

use proptest::prelude::*;

use super::super::tests::{START_MS, charge, counter, grant, granted, meter, per_minute};
use super::*;

fn own(tally: &Tally) -> PerWindow<Option<u64>> {
    PerWindow::of(|window| {
        tally
            .slots
            .get(window)
            .map(|slot| slot.own.get() / 1_000_000)
    })
}

#[test]
fn meters_count_every_window_and_limits_their_own() {
    let limits = Limits {
        minute: Some(5),
        day: Some(9),
        ..Limits::default()
    };
    for (kind, want) in [
        (CounterKind::Meter, [Some(1), Some(1), Some(1), Some(1)]),
        (CounterKind::Proxy, [Some(1), None, Some(1), None]),
        (CounterKind::Plan, [Some(1), None, Some(1), None]),
    ] {
        let mut tally = Tally::default();
        let charge = charge(counter(kind, 1), limits);
        tally.add(&charge, charge.on_admission(), &Moment::at(START_MS));
        let [minute, hour, day, month] = want;
        let want = PerWindow {
            minute,
            hour,
            day,
            month,
        };
        assert_eq!(own(&tally), want, "{kind:?}");
    }
}

#[test]
fn a_value_adds_nothing_before_it_is_known() {
    let charge = Charge {
        adds: Adds::Value,
        ..charge(meter(1), per_minute(5))
    };
    assert_eq!(
        (charge.need(), charge.on_admission()),
        (Micros::LEAST, Micros::ZERO)
    );
    let mut tally = Tally::default();
    let moment = Moment::at(START_MS);
    tally.add(&charge, Micros::new(2_500_000), &moment);
    tally.add(&charge, Micros::new(250_000), &moment);
    for window in Window::ALL {
        assert_eq!(
            tally.slot(window, &moment).own,
            Micros::new(2_750_000),
            "{window:?}"
        );
    }
}

#[test]
fn each_window_rolls_over_by_itself() {
    let charge = charge(meter(1), Limits::default());
    let mut tally = Tally::default();
    // 06:50:00, 06:51:00, 07:00:00, the next day.
    for now_ms in [
        START_MS,
        START_MS + 60_000,
        START_MS + 600_000,
        START_MS + 86_400_000,
    ] {
        tally.add(&charge, Micros::ONE, &Moment::at(now_ms));
    }
    let want = PerWindow {
        minute: Some(1),
        hour: Some(1),
        day: Some(1),
        month: Some(4),
    };
    assert_eq!(own(&tally), want);
}

#[test]
fn a_clock_that_steps_back_counts_on_in_the_later_window() {
    let charge = charge(meter(1), per_minute(5));
    let mut tally = Tally::default();
    for now_ms in [START_MS, START_MS - 3_600_000, START_MS + 1] {
        tally.add(&charge, Micros::ONE, &Moment::at(now_ms));
    }
    let slot = tally.slot(Window::Minute, &Moment::at(START_MS - 3_600_000));
    assert_eq!((slot.start_ms, slot.own), (START_MS, Micros::units(3)));
}

#[test]
fn what_another_counter_refused_is_taken_back() {
    let charge = charge(meter(1), per_minute(5));
    let moment = Moment::at(START_MS);
    let mut tally = Tally::default();
    tally.add(&charge, Micros::units(2), &moment);
    tally.take_back(&charge, Micros::ONE, &moment);
    assert_eq!(tally.slot(Window::Month, &moment).own, Micros::ONE);
    tally.take_back(&charge, Micros::units(9), &moment);
    assert_eq!(tally.slot(Window::Month, &moment).own, Micros::ZERO);
}

#[test]
fn what_grew_is_due_with_its_limit() {
    let charge = charge(meter(1), per_minute(5));
    let mut tally = Tally::default();
    tally.add(&charge, Micros::ONE, &Moment::at(START_MS));
    let due = tally.due(meter(1), None, START_MS);
    let windows: Vec<(Window, u64)> = due
        .iter()
        .map(|one| (one.window, one.limit.get()))
        .collect();
    let want = [
        (Window::Minute, 5_000_000),
        (Window::Hour, 0),
        (Window::Day, 0),
        (Window::Month, 0),
    ];
    assert_eq!(windows, want);
    for report in &due {
        assert_eq!((report.own, report.wanted), (Micros::ONE, Micros::ZERO));
        let slot = tally.slot_of(report).unwrap();
        slot.apply(report, &grant(0, 1, 0), START_MS, START_MS + 3);
    }
    assert_eq!(tally.due(meter(1), Some(7), START_MS + 10), []);
    assert_eq!(
        tally.due(meter(1), Some(8), START_MS + 10).len(),
        4,
        "another epoch"
    );
}

#[test]
fn a_finished_window_is_due_until_it_is_late() {
    let tally = granted(3, 0, 5);
    let end_ms = START_MS + 60_000;
    assert_eq!(tally.due(meter(1), None, end_ms + 59_999).len(), 1);
    assert_eq!(tally.due(meter(1), None, end_ms + 60_000), []);
}

#[test]
fn an_answer_finds_its_slot_or_none() {
    let slot = granted(3, 0, 5).slots.minute.unwrap();
    let report = slot.report(meter(1), Window::Minute);
    let mut fresh = Tally::default();
    assert_eq!(
        fresh.slot_of(&report).map(|slot| slot.start_ms),
        Some(START_MS)
    );
    let mut later = Tally::default();
    later.add(
        &charge(meter(1), per_minute(5)),
        Micros::ONE,
        &Moment::at(START_MS + 60_000),
    );
    assert_eq!(later.slot_of(&report), None);
}

proptest! {
    /// Every amount is in the windows of its moment, and in no other.
    #[test]
    fn counts_are_sums_over_the_window(
        steps in proptest::collection::vec((0..4_000_000_u64, 0..5_000_000_u64), 1..40)
    ) {
        let charge = charge(meter(1), Limits::default());
        let mut tally = Tally::default();
        let mut now_ms = START_MS;
        let mut added = Vec::new();
        for (pause_ms, amount) in steps {
            now_ms += pause_ms;
            tally.add(&charge, Micros::new(amount), &Moment::at(now_ms));
            added.push((now_ms, amount));
        }
        let moment = Moment::at(now_ms);
        for window in Window::ALL {
            let start_ms = window.bounds(now_ms).start_ms;
            let want: u64 = added.iter().filter(|(at, _)| *at >= start_ms).map(|(_, n)| n).sum();
            prop_assert_eq!(tally.slot(window, &moment).own, Micros::new(want), "{:?}", window);
        }
    }
}
