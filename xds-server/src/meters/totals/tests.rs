//! All counts: what is judged, how long it waits, who counts among the Envoys, what is kept.

use proptest::prelude::*;
use requestrocket_policy::limit::CounterKind;
use uuid::Uuid;

use super::super::tests::{START_MS, counter};
use super::*;

const STEADY_MS: u64 = 50_000;

fn node(id: u8) -> Incarnation {
    Incarnation([id; 16])
}

fn at(ms: u64) -> At {
    At {
        wall_ms: START_MS + ms,
        steady_ms: STEADY_MS + ms,
    }
}

/// One whose quiet is over.
fn totals() -> Totals {
    Totals::new(7, 0)
}

fn report(id: u128, own: u64, wanted: u64) -> Report {
    Report {
        counter: counter(id),
        window: Window::Minute,
        start_ms: START_MS,
        own: Micros::units(own),
        limit: Micros::units(10),
        wanted: Micros::units(wanted),
        queued: Micros::ZERO,
    }
}

fn request(id: u8, sent_ms: u64, reports: &[Report]) -> Request {
    Request {
        incarnation: node(id),
        sent_at_ms: START_MS + sent_ms,
        received_ms: STEADY_MS + sent_ms,
        reports: reports.to_vec(),
    }
}

fn key(window: Window, start_ms: u64) -> Key {
    Key {
        counter: counter(1),
        window,
        start_ms,
    }
}

#[test]
fn windows_are_judged_as_far_as_clocks_may_differ() {
    let minute = key(Window::Minute, START_MS);
    for (wall_ms, want) in [
        (START_MS - SKEW_MS - 1, false),
        (START_MS - SKEW_MS, true),
        (START_MS, true),
        (START_MS + 60_000 + SKEW_MS - 1, true),
        (START_MS + 60_000 + SKEW_MS, false),
        (0, false),
        (u64::MAX, false),
    ] {
        assert_eq!(minute.is_judged(wall_ms), want, "at {wall_ms}");
    }
    let mut totals = totals();
    let late = at(60_000 + SKEW_MS);
    let grants = totals.sync(&request(1, 0, &[report(1, 3, 1)]), late);
    assert_eq!(grants, Some(vec![unjudged(7)]));
    assert!(totals.is_empty());
}

#[test]
fn a_question_waits_as_long_as_the_room_may_come() {
    let mut totals = totals();
    totals.sync(&request(1, 0, &[report(1, 0, 10)]), at(0));
    let waiting = request(2, 0, &[report(1, 0, 1)]);
    for (ms, is_answered) in [(0, false), (MAX_WAIT_MS - 1, false), (MAX_WAIT_MS, true)] {
        let answer = totals.sync(&waiting, at(ms));
        assert_eq!(answer.is_some(), is_answered, "after {ms}");
    }
}

#[test]
fn what_one_limit_refuses_does_not_wait_for_another() {
    let mut totals = totals();
    totals.sync(&request(1, 0, &[report(1, 0, 10), report(2, 10, 0)]), at(0));
    let both = request(2, 0, &[report(1, 0, 1), report(2, 0, 1)]);
    let grants = totals.sync(&both, at(0)).unwrap();
    let valid: Vec<u32> = grants.iter().map(|grant| grant.valid_ms).collect();
    assert_eq!(valid, [0, 0]);
    assert_eq!(grants[1].others, Micros::units(10));
}

#[test]
fn in_the_quiet_questions_wait_and_then_are_answered() {
    let mut totals = Totals::new(7, STEADY_MS);
    let asks = request(1, 0, &[report(1, 0, 1)]);
    assert_eq!(totals.sync(&asks, at(0)), None);
    assert_eq!(totals.sync(&asks, at(QUIET_MS - 1)), None);
    let grants = totals.sync(&asks, at(QUIET_MS)).unwrap();
    assert_eq!(grants[0].ceiling, Micros::units(10));
}

#[test]
fn envoys_count_as_long_as_they_are_heard() {
    let mut totals = totals();
    for id in 1..=3 {
        assert_eq!(totals.sync(&request(id, 0, &[]), at(0)), Some(Vec::new()));
    }
    assert_eq!(totals.nodes(), 3);
    totals.sync(&request(1, 0, &[]), at(HEARD_MS - 1));
    assert_eq!(totals.nodes(), 3);
    totals.sync(&request(1, 0, &[]), at(HEARD_MS));
    assert_eq!(totals.nodes(), 1);
}

#[test]
fn counts_are_kept_by_counter_and_window() {
    let mut totals = totals();
    let mut other = report(1, 4, 0);
    other.counter.kind = CounterKind::Meter;
    totals.sync(&request(1, 0, &[report(1, 2, 0), other]), at(0));
    totals.sync(&request(2, 0, &[report(1, 3, 0)]), at(0));
    let minute = key(Window::Minute, START_MS);
    assert_eq!(totals.used(&minute), Micros::units(5));
    assert_eq!(totals.used(&key(Window::Hour, START_MS)), Micros::ZERO);
    assert_eq!(totals.len(), 2);
    let mut rows = totals.take_dirty();
    rows.sort_by_key(|row| (row.key, row.incarnation));
    let own: Vec<u64> = rows.iter().map(|row| row.own.get() / 1_000_000).collect();
    assert_eq!(own, [2, 3, 4]);
    assert_eq!(totals.take_dirty(), []);
    totals.mark_dirty(&rows[..1]);
    assert_eq!(totals.take_dirty(), rows[..1]);

    let mut next = Totals::new(8, 0);
    for row in &rows {
        next.restore(row);
    }
    assert_eq!(next.used(&minute), Micros::units(5));
    assert_eq!((next.epoch(), next.take_dirty()), (8, Vec::new()));
}

#[test]
fn windows_that_are_over_are_forgotten() {
    let mut totals = totals();
    totals.sync(&request(1, 0, &[report(1, 2, 0)]), at(0));
    totals.drop_finished(START_MS + 60_000 + 2 * SKEW_MS - 1);
    assert_eq!(totals.len(), 1);
    totals.drop_finished(START_MS + 60_000 + 2 * SKEW_MS);
    assert!(totals.is_empty());
}

#[test]
fn incarnations_have_one_text() {
    let text = "00ff0000000000000000000000000001";
    let run: Incarnation = text.parse().unwrap();
    assert_eq!(
        (run.0[1], run.0[15], run.to_string()),
        (255, 1, text.to_owned())
    );
    assert_eq!(Incarnation::from_bytes(&run.0), Some(run));
    for wrong in [
        "",
        "0",
        "+0ff0000000000000000000000000001",
        &"g".repeat(32),
        &"0".repeat(33),
    ] {
        assert_eq!(
            wrong.parse::<Incarnation>(),
            Err(InvalidIncarnation),
            "{wrong}"
        );
    }
    assert_eq!(Incarnation::from_bytes(&[1; 15]), None);
}

proptest! {
    /// The invariant itself: whatever is told in whatever order, counts and leases in force never
    /// add up to more than the limit, as long as no Envoy counts more than it was given.
    #[test]
    fn what_is_counted_and_leased_stays_below_the_limit(
        steps in proptest::collection::vec(
            (1..4_u8, 0..30_u64, 0..4_u64, 0..400_u64, any::<bool>()),
            1..60,
        )
    ) {
        let mut totals = totals();
        let limit = Micros::units(10);
        let mut now_ms = 0;
        // Per Envoy: its count, and every lease it was ever given with the end of each.
        let mut nodes = BTreeMap::<u8, (Micros, Vec<(Micros, u64)>)>::new();
        for (id, grow, wanted, pause_ms, is_old) in steps {
            now_ms += pause_ms;
            let (own, leases) = nodes.entry(id).or_default();
            let ceilings = leases.iter().filter(|(_, end)| now_ms < *end).map(|(ceiling, _)| *ceiling);
            let most = ceilings.fold(*own, Micros::max);
            let told = if is_old { Micros::ZERO } else { own.plus(Micros::new(grow * 100_000)).min(most) };
            *own = told.max(*own);
            let report = Report { own: told, ..report(1, 0, wanted) };
            let grants = totals.sync(&request(id, now_ms, &[report]), at(now_ms));
            for grant in grants.into_iter().flatten() {
                if grant.valid_ms > 0 {
                    leases.push((grant.ceiling, now_ms + u64::from(grant.valid_ms)));
                }
            }
            let reach = nodes.values().map(|(own, leases)| {
                let in_force = leases.iter().filter(|(_, end)| now_ms < *end);
                in_force.fold(*own, |most, (ceiling, _)| most.max(*ceiling))
            });
            let sum = reach.fold(Micros::ZERO, Micros::plus);
            prop_assert!(sum <= limit, "{} at {}", sum, now_ms);
        }
    }

    #[test]
    fn texts_of_incarnations_are_read_back(bytes: [u8; 16]) {
        let run = Incarnation(bytes);
        prop_assert_eq!(run.to_string().parse(), Ok(run));
    }
}

#[test]
fn counters_of_different_kinds_are_different() {
    let id = Uuid::from_u128(1);
    let keys = CounterKind::ALL.map(|kind| Key {
        counter: Counter { kind, id },
        ..key(Window::Day, 0)
    });
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
}
