//! Shared data holds what was put there; anything else is a fresh start.

use proptest::prelude::*;

use super::super::tests::{START_MS, charge, counter, granted, meter, per_minute};
use super::super::{Limits, Moment, PerWindow};
use super::*;

fn sample() -> Tallies {
    let mut tallies = Tallies::default();
    let moment = Moment::at(START_MS);
    let observed = charge(meter(1), Limits::default());
    tallies
        .tally_mut(meter(1))
        .add(&observed, Micros::ONE, &moment);
    *tallies.tally_mut(counter(CounterKind::Plan, 1)) = limited();
    *tallies.tally_mut(counter(CounterKind::Proxy, 2)) = limited();
    tallies
}

fn limited() -> Tally {
    let mut tally = granted(3, 4, 5);
    if let Some(slot) = &mut tally.slots.minute {
        slot.limit = Micros::units(10);
        slot.is_settled = true;
    }
    tally
}

#[test]
fn counters_are_kept_apart_by_kind_and_id() {
    let tallies = sample();
    assert_eq!(tallies.iter().count(), 3);
    assert_eq!(tallies.get(counter(CounterKind::Plan, 1)), limited());
    assert_ne!(tallies.get(meter(1)), limited());
    assert_eq!(tallies.get(meter(2)), Tally::default());
}

#[test]
fn what_is_over_is_forgotten() {
    const MINUTE_MS: u64 = 60_000;
    let mut tallies = Tallies::default();
    // A proxy is counted in its limited window alone, a meter in all four.
    for counter in [counter(CounterKind::Proxy, 2), meter(1)] {
        let charge = charge(counter, per_minute(10));
        let tally = tallies.tally_mut(counter);
        tally.add(&charge, Micros::ONE, &Moment::at(START_MS));
    }
    tallies.forget_over(START_MS + MINUTE_MS);
    assert_eq!(tallies.iter().count(), 2, "late reports still count");
    tallies.forget_over(START_MS + 3 * MINUTE_MS);
    let left: Vec<Counter> = tallies.iter().map(|(counter, _)| counter).collect();
    assert_eq!(left, [meter(1)]);
    tallies.forget_over(START_MS + 40 * 24 * 60 * MINUTE_MS);
    assert_eq!(tallies, Tallies::default());
}

#[test]
fn values_are_small() {
    let mut tallies = Tallies::default();
    let charge = charge(meter(1), per_minute(10));
    tallies
        .tally_mut(meter(1))
        .add(&charge, Micros::ONE, &Moment::at(START_MS));
    let bytes = tallies.to_bytes();
    // A meter: one limited window and three that are only counted.
    assert_eq!(bytes.len(), 1 + 18 + (34 + 36) + 3 * 34);
    assert_eq!(Tallies::from_bytes(&bytes), tallies);
}

#[test]
fn garbage_is_a_fresh_start() {
    let bytes = sample().to_bytes();
    let mut other_version = bytes.clone();
    other_version[0] = VERSION + 1;
    let mut unknown_kind = bytes.clone();
    unknown_kind[1] = 9;
    let mut unknown_window = bytes.clone();
    unknown_window[19] = 9;
    let cut = bytes[..bytes.len() - 1].to_vec();
    let mut longer = bytes.clone();
    longer.push(1);
    for (name, garbage) in [
        ("empty", Vec::new()),
        ("text", b"garbage".to_vec()),
        ("another version", other_version),
        ("unknown kind", unknown_kind),
        ("unknown window", unknown_window),
        ("cut", cut),
        ("longer", longer),
    ] {
        assert_eq!(Tallies::from_bytes(&garbage), Tallies::default(), "{name}");
    }
    assert_eq!(Tallies::from_bytes(&bytes), sample());
}

fn any_slot() -> impl Strategy<Value = Slot> {
    let reserved = proptest::option::of((1..u64::MAX, any::<u64>()));
    (
        any::<[u64; 7]>(),
        any::<[u32; 3]>(),
        any::<bool>(),
        reserved,
    )
        .prop_map(
            |(
                [
                    start_ms,
                    own,
                    others,
                    limit,
                    ceiling,
                    granted_at_ms,
                    answered,
                ],
                [valid_ms, epoch, nodes],
                is_settled,
                reserved,
            )| Slot {
                start_ms,
                own: Micros::new(own),
                reserved: Micros::new(reserved.map_or(0, |(amount, _)| amount)),
                reserved_until_ms: reserved.map_or(0, |(_, until_ms)| until_ms),
                others: Micros::new(others),
                limit: Micros::new(limit.max(1)),
                ceiling: Micros::new(ceiling),
                granted_at_ms,
                valid_ms,
                is_settled,
                answered_own: Micros::new(answered),
                epoch,
                nodes,
            },
        )
}

fn any_tallies() -> impl Strategy<Value = Tallies> {
    let kinds = proptest::sample::select(CounterKind::ALL.to_vec());
    let slots = proptest::collection::vec(proptest::option::of(any_slot()), 4);
    let entry = ((kinds, any::<u128>()), slots).prop_map(|((kind, id), slots)| {
        let mut slots = slots.into_iter();
        let slots = PerWindow::of(|_| slots.next().flatten());
        (counter(kind, id), Tally { slots })
    });
    proptest::collection::btree_map(any::<u8>(), entry, 0..6)
        .prop_map(|entries| Tallies(entries.into_values().collect()))
}

proptest! {
    #[test]
    fn values_are_read_back(tallies in any_tallies()) {
        prop_assert_eq!(Tallies::from_bytes(&tallies.to_bytes()), tallies);
    }

    #[test]
    fn no_bytes_are_a_panic(mut bytes: Vec<u8>) {
        let _ = Tallies::from_bytes(&bytes);
        bytes.insert(0, VERSION);
        let read = Tallies::from_bytes(&bytes);
        prop_assert_eq!(Tallies::from_bytes(&read.to_bytes()), read);
    }

    #[test]
    fn a_changed_byte_is_no_panic(place in 0..300_usize, bits in 1..=255_u8) {
        let mut bytes = sample().to_bytes();
        let place = place % bytes.len();
        bytes[place] ^= bits;
        let _ = Tallies::from_bytes(&bytes);
    }
}
