//! What the tests of counting share, and counting as a whole.

use uuid::Uuid;

use super::*;

/// 2026-11-26T06:50:00Z, the start of a minute; the hour has 600 s left.
pub(super) const START_MS: u64 = 1_795_675_800_000;

pub(super) fn counter(kind: CounterKind, id: u128) -> Counter {
    Counter {
        kind,
        id: Uuid::from_u128(id),
    }
}

pub(super) fn meter(id: u128) -> Counter {
    counter(CounterKind::Meter, id)
}

pub(super) fn per_minute(limit: u64) -> Limits {
    Limits {
        minute: Some(limit),
        ..Limits::default()
    }
}

pub(super) fn charge(counter: Counter, limits: Limits) -> Charge {
    Charge {
        counter,
        limits,
        adds: Adds::One,
    }
}

/// A tally of this minute in which this Envoy and all others counted so much.
pub(super) fn counted(own: u64, others: u64) -> Tally {
    let mut tally = Tally::default();
    tally.slots.minute = Some(Slot {
        start_ms: START_MS,
        own: Micros::units(own),
        others: Micros::units(others),
        ..Slot::default()
    });
    tally
}

/// The same with a ceiling in force from `START_MS` for half a second.
pub(super) fn granted(own: u64, others: u64, ceiling: u64) -> Tally {
    let mut tally = counted(own, others);
    if let Some(slot) = &mut tally.slots.minute {
        slot.ceiling = Micros::units(ceiling);
        slot.granted_at_ms = START_MS;
        slot.valid_ms = 500;
        slot.nodes = 2;
    }
    tally
}

pub(super) fn grant(others: u64, ceiling: u64, valid_ms: u32) -> Grant {
    Grant {
        others: Micros::units(others),
        ceiling: Micros::units(ceiling),
        valid_ms,
        nodes: 2,
        epoch: 7,
    }
}

#[test]
fn the_start_of_the_tests_is_the_start_of_a_minute() {
    assert_eq!(Window::Minute.bounds(START_MS).start_ms, START_MS);
    assert_eq!(Window::Hour.bounds(START_MS).seconds_left(START_MS), 600);
}
