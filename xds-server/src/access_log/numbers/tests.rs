use requestrocket_policy::run::named;

use super::*;

const WORKER: WorkerId = [1; 16];

fn see(all: &mut Numbers, worker: WorkerId, number: u64, now_ms: u64) {
    all.see(Number { worker, number }, now_ms, &mut Changes::default());
}

fn seen(numbers: &[u64]) -> Numbers {
    let mut all = Numbers::default();
    for number in numbers {
        see(&mut all, WORKER, *number, 1_000);
    }
    all
}

fn lost(numbers: &Numbers) -> u64 {
    numbers.lost(0..u64::MAX, u64::MAX)
}

/// One that began then.
fn began(moment_ms: u64, n: u64) -> WorkerId {
    named(moment_ms, u128::from(n).to_be_bytes())
}

#[test]
fn what_never_came_is_lost_and_what_comes_late_is_not() {
    for (numbers, want) in [
        (&[1, 2, 3][..], 0),
        (&[3, 1, 2], 0),
        (&[1, 5], 3),
        (&[4], 3),
        (&[1, 10, 5, 7], 6),
        (&[1, 10, 2, 9, 5, 5, 5], 5),
        (&[1, 1, 1], 0),
        (&[u64::MAX], u64::MAX - 1),
    ] {
        let seen = seen(numbers);
        assert_eq!((lost(&seen), seen.missing()), (want, want), "{numbers:?}");
    }
}

#[test]
fn a_call_may_last_for_a_while_and_is_missed_when_a_later_one_came() {
    let mut numbers = seen(&[1, 3]);
    assert_eq!(numbers.lost(0..u64::MAX, 1_000 + GRACE_MS - 1), 0);
    assert_eq!(numbers.lost(0..1_000, u64::MAX), 0);
    assert_eq!(numbers.lost(1_000..1_001, u64::MAX), 1);
    see(&mut numbers, WORKER, 4, 2_000);
    numbers.forget_before(1_001, &mut Changes::default());
    assert_eq!(lost(&numbers), 0);
    see(&mut numbers, WORKER, 6, 3_000);
    assert_eq!(lost(&numbers), 1);
}

#[test]
fn each_worker_counts_for_itself_and_only_so_many_are_remembered() {
    let mut numbers = Numbers::default();
    for n in 0..u64::try_from(WORKERS).unwrap() + 10 {
        see(&mut numbers, began(n + 1, n), 2, n + 1);
    }
    assert_eq!(numbers.workers.len(), WORKERS);
    assert_eq!(lost(&numbers), u64::try_from(WORKERS).unwrap());
}

#[test]
fn of_a_worker_that_was_forgotten_nothing_is_missed_and_of_a_new_one_all() {
    let mut numbers = Numbers::default();
    let (forgotten, kept) = (began(100, 1), began(100, 2));
    see(&mut numbers, forgotten, 1, 200);
    see(&mut numbers, kept, 1, 900);
    numbers.forget_before(500, &mut Changes::default());
    for (worker, number, want) in [
        (forgotten, 1_000, 0),
        // It is known again.
        (forgotten, 1_003, 2),
        (kept, 3, 3),
        (began(201, 3), 4, 6),
        // It may have been forgotten as well.
        (began(199, 4), 50, 6),
    ] {
        see(&mut numbers, worker, number, 1_000);
        assert_eq!(lost(&numbers), want, "{number}");
    }
}

#[test]
fn gaps_are_bounded_and_none_is_forgotten() {
    let gaps = u64::try_from(GAPS).unwrap();
    let every_second: Vec<u64> = (1..=gaps + 100).map(|n| 2 * n).collect();
    let mut all = seen(&every_second);
    assert_eq!(all.workers[&WORKER].gaps.len(), GAPS);
    assert!(lost(&all) >= gaps + 100);
    // Nor does one that is filled up from within make more of them.
    let long = [2; 16];
    see(&mut all, long, 10 * gaps, 1_000);
    for number in every_second {
        see(&mut all, long, number, 1_000);
    }
    assert!(all.workers[&long].gaps.len() <= GAPS);
    let (gaps, missing) = (all.gaps, all.missing);
    all.add_up();
    assert_eq!((all.gaps, all.missing), (gaps, missing));
}

#[test]
fn only_what_changed_is_to_be_written() {
    let mut all = seen(&[1, 5, 9]);
    let mut changes = Changes::default();
    let call = |number| Number {
        worker: WORKER,
        number,
    };
    all.see(call(10), 2_000, &mut changes);
    let change = &changes.workers[&WORKER];
    assert_eq!((change.highest, change.seen_ms), (10, 2_000));
    assert!(change.gaps.is_empty());
    all.see(call(3), 2_000, &mut changes);
    let gap = |last| {
        Some(Gap {
            last,
            since_ms: 1_000,
        })
    };
    let want = BTreeMap::from([(2, gap(2)), (4, gap(4))]);
    assert_eq!(changes.workers[&WORKER].gaps, want);
}
