//! One counter in one window, report by report.

use requestrocket_policy::limit::Window;

use super::super::MAX_WAIT_MS;
use super::super::tests::{START_MS, counter};
use super::*;

const A: Incarnation = Incarnation([1; 16]);
const B: Incarnation = Incarnation([2; 16]);
const LIMIT: u64 = 100;

fn asked(incarnation: Incarnation, own: u64, wanted: u64) -> Received {
    Received {
        incarnation,
        sent_at_ms: START_MS,
        report: Report {
            counter: counter(1),
            window: Window::Minute,
            start_ms: START_MS,
            own: Micros::units(own),
            limit: Micros::units(LIMIT),
            wanted: Micros::units(wanted),
            queued: Micros::ZERO,
        },
        waited_ms: 0,
        is_quiet: false,
        nodes: 1,
        epoch: 7,
        steady_ms: 10_000,
    }
}

/// The kind of verdict, others, the ceiling and its time, in units and milliseconds.
fn sync(count: &mut Count, asked: &Received) -> (char, u64, u64, u32) {
    let (kind, grant) = match count.sync(asked) {
        Verdict::Settled(grant) => ('s', grant),
        Verdict::Full(grant) => ('f', grant),
        Verdict::Busy(grant) => ('b', grant),
    };
    assert_eq!((grant.nodes, grant.epoch), (asked.nodes, asked.epoch));
    let units = |micros: Micros| micros.get() / 1_000_000;
    (
        kind,
        units(grant.others),
        units(grant.ceiling),
        grant.valid_ms,
    )
}

#[test]
fn alone_it_is_all_that_is_left_and_among_several_a_part() {
    for (nodes, own, wanted, ceiling) in [
        (1, 0, 1, 100),
        (1, 40, 1, 100),
        (1, 99, 1, 100),
        (2, 0, 1, 25),
        (2, 60, 1, 70),
        (5, 50, 1, 55),
        // What is wanted, if it fits.
        (2, 0, 90, 90),
        (2, 97, 1, 98),
        (9, 99, 1, 100),
    ] {
        let asked = Received {
            nodes,
            ..asked(A, own, wanted)
        };
        let got = sync(&mut Count::default(), &asked);
        assert_eq!(got, ('s', 0, ceiling, 500), "{nodes} {own} {wanted}");
    }
}

/// The same with further calls in the queue.
fn queueing(asked: Received, queued: u64) -> Received {
    let queued = Micros::units(queued);
    let report = Report {
        queued,
        ..asked.report
    };
    Received { report, ..asked }
}

#[test]
fn calls_in_a_queue_get_room_together_as_far_as_there_is_any() {
    for (nodes, own, wanted, queued, ceiling) in [
        (1, 0, 1, 7, 100),
        // A part that is more than what is needed.
        (2, 0, 1, 10, 25),
        (2, 0, 1, 50, 51),
        (2, 60, 3, 36, 99),
        (2, 60, 1, 1_000, 100),
        (9, 99, 1, u64::MAX, 100),
    ] {
        let asked = Received {
            nodes,
            ..asked(A, own, wanted)
        };
        let got = sync(&mut Count::default(), &queueing(asked, queued));
        let case = (nodes, own, wanted, queued);
        assert_eq!(got, ('s', 0, ceiling, 500), "{case:?}");
    }
    let mut count = Count::default();
    let rest = Received {
        nodes: 2,
        ..queueing(asked(A, 0, 1), 50)
    };
    assert_eq!(
        sync(&mut Count::default(), &rest).2,
        51,
        "others hold nothing"
    );
    count.sync(&Received {
        is_quiet: true,
        ..asked(B, 60, 0)
    });
    assert_eq!(sync(&mut count, &rest).2, 40, "what others left");
    assert_eq!(
        sync(&mut count, &queueing(asked(A, 0, 0), 50)).3,
        0,
        "a tick has no queue"
    );
}

#[test]
fn what_does_not_fit_is_told_at_once() {
    for (own, wanted) in [(100, 1), (99, 2), (0, 101), (150, 1)] {
        let got = sync(&mut Count::default(), &asked(A, own, wanted));
        assert_eq!(got, ('f', 0, own, 0), "{own} {wanted}");
    }
}

#[test]
fn a_tick_of_an_envoy_that_counts_renews_its_lease_and_another_does_not() {
    let mut count = Count::default();
    assert_eq!(
        sync(&mut count, &asked(A, 0, 0)),
        ('s', 0, 0, 0),
        "nothing counted"
    );
    assert_eq!(
        sync(&mut count, &asked(A, 5, 0)),
        ('s', 0, 100, 500),
        "grown"
    );
    assert_eq!(
        sync(&mut count, &asked(A, 5, 0)),
        ('s', 0, 5, 0),
        "the same"
    );
    assert_eq!(
        sync(&mut count, &asked(A, 3, 0)),
        ('s', 0, 5, 0),
        "an older one"
    );
}

#[test]
fn without_a_limit_it_is_only_counted() {
    let mut count = Count::default();
    for (own, nodes) in [(5, 1), (7, 2)] {
        let mut asked = Received {
            nodes,
            ..asked(A, own, 0)
        };
        asked.report.limit = Micros::ZERO;
        assert_eq!(sync(&mut count, &asked), ('s', 0, own, 0));
    }
    assert_eq!(count.used(), Micros::units(7));
}

#[test]
fn a_lease_is_held_until_its_envoy_is_heard_after_its_end() {
    let end_ms = START_MS + 500 + SETTLE_MARGIN_MS;
    for (sent_at_ms, want) in [
        (START_MS, ('b', 40, 0, 0)),
        (end_ms - 1, ('b', 40, 0, 0)),
        (end_ms, ('s', 40, 60, 500)),
    ] {
        let mut count = Count::default();
        assert_eq!(sync(&mut count, &asked(A, 0, 100)), ('s', 0, 100, 500));
        assert_eq!(sync(&mut count, &asked(B, 0, 60)), ('b', 0, 0, 0));
        let told = Received {
            sent_at_ms,
            ..asked(A, 40, 0)
        };
        sync(&mut count, &told);
        let got = sync(&mut count, &asked(B, 0, 60));
        assert_eq!(got, want, "sent at {sent_at_ms}");
    }
}

#[test]
fn a_lease_of_an_envoy_that_fell_silent_is_forgotten() {
    for (later_ms, want) in [(FORGET_MS - 1, 'b'), (FORGET_MS, 's')] {
        let mut count = Count::default();
        sync(&mut count, &asked(A, 0, 100));
        let later = Received {
            steady_ms: asked(B, 0, 1).steady_ms + later_ms,
            ..asked(B, 0, 1)
        };
        assert_eq!(sync(&mut count, &later).0, want, "after {later_ms}");
    }
}

#[test]
fn a_lease_is_as_much_longer_as_the_question_waited() {
    let mut count = Count::default();
    let waited_ms = u32::try_from(MAX_WAIT_MS).unwrap();
    let late = Received {
        waited_ms,
        ..asked(A, 0, 1)
    };
    assert_eq!(sync(&mut count, &late), ('s', 0, 100, waited_ms + 500));
    // So its end is later, too.
    let told = Received {
        sent_at_ms: START_MS + 500 + SETTLE_MARGIN_MS,
        ..asked(A, 0, 0)
    };
    sync(&mut count, &told);
    assert_eq!(sync(&mut count, &asked(B, 0, 1)).0, 'b');
}

#[test]
fn while_somebody_waits_nobody_gets_more_than_is_asked_for() {
    let mut count = Count::default();
    sync(&mut count, &asked(A, 0, 60));
    let of = |incarnation, own, wanted| Received {
        nodes: 2,
        ..asked(incarnation, own, wanted)
    };
    assert_eq!(
        sync(&mut count, &of(B, 0, 1)).0,
        'b',
        "A alone had all of it"
    );
    assert_eq!(
        sync(&mut count, &of(A, 10, 0)),
        ('s', 0, 10, 0),
        "no new lease on a tick"
    );
    assert_eq!(
        sync(&mut count, &of(A, 10, 2)),
        ('s', 0, 12, 500),
        "what it needs"
    );
    assert_eq!(
        sync(&mut count, &queueing(of(A, 12, 2), 5)),
        ('s', 0, 19, 500),
        "what all of its calls need"
    );
    let later = Received {
        steady_ms: of(A, 20, 0).steady_ms + 4 * POLL_MS,
        ..of(A, 20, 0)
    };
    assert_eq!(sync(&mut count, &later).3, 500, "nobody waits any more");
}

#[test]
fn in_the_quiet_after_a_start_nothing_is_leased_but_what_is_full_is_told() {
    let mut count = Count::default();
    count.restore(B, Micros::units(99));
    count.restore(B, Micros::units(90));
    for (own, wanted, want) in [
        (0, 0, ('s', 99, 0, 0)),
        (1, 0, ('s', 99, 1, 0)),
        (1, 1, ('f', 99, 1, 0)),
    ] {
        let quiet = Received {
            is_quiet: true,
            ..asked(A, own, wanted)
        };
        assert_eq!(sync(&mut count, &quiet), want, "{own} {wanted}");
    }
    let quiet = Received {
        is_quiet: true,
        ..asked(A, 0, 1)
    };
    assert_eq!(sync(&mut Count::default(), &quiet), ('b', 0, 0, 0));
}

#[test]
fn only_what_changed_is_taken_to_be_kept() {
    let mut count = Count::default();
    count.restore(B, Micros::units(4));
    sync(&mut count, &asked(A, 3, 0));
    let taken: Vec<_> = count.take_dirty().collect();
    assert_eq!(taken, [(A, Micros::units(3))]);
    sync(&mut count, &asked(A, 3, 0));
    assert_eq!(count.take_dirty().count(), 0);
    count.mark_dirty(A);
    count.mark_dirty(Incarnation([9; 16]));
    assert_eq!(count.take_dirty().count(), 1);
}

#[test]
fn a_flood_of_runs_is_bounded() {
    let mut count = Count::default();
    for run in 0..MAX_INCARNATIONS {
        let bytes = u128::try_from(run).unwrap().to_be_bytes();
        count.restore(Incarnation(bytes), Micros::ONE);
    }
    assert!(!count.has_place(A));
    assert!(count.has_place(Incarnation([0; 16])), "one that is known");
}
