//! A model: workers that crash, stall and answer late, a caller that cancels, and time, in every
//! order up to a bound.

use std::collections::BTreeSet;

use super::*;

const LEASE_MS: u64 = 2;
const DEADLINE_MS: u64 = 8;
const WORKERS: usize = 2;

/// A request, who believes to have it, and what was sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    now_ms: u64,
    life: Life,
    /// The token that each worker has; none: it has nothing, or has crashed.
    held: [Option<u64>; WORKERS],
    /// It was cancelled with a success, so nothing may be told of it ever.
    cancelled: bool,
    cancels: u32,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Time,
    Claim(usize),
    Crash(usize),
    Complete(usize, Verdict),
    Lapse,
    Cancel,
}

fn events(now_ms: u64) -> Vec<Event> {
    let verdicts = [
        Verdict::Ends(End::Succeeded),
        Verdict::Ends(End::Failed(Reason::TargetRefused)),
        Verdict::Again { at_ms: now_ms + 1 },
        Verdict::Unspent { at_ms: now_ms + 1 },
    ];
    let mut all = vec![Event::Time, Event::Lapse, Event::Cancel];
    for worker in 0..WORKERS {
        all.extend([Event::Claim(worker), Event::Crash(worker)]);
        all.extend(verdicts.map(|verdict| Event::Complete(worker, verdict)));
    }
    all
}

/// The world after an event; none: the event cannot happen, or changes nothing.
fn after(world: &World, event: Event) -> Option<World> {
    let mut next = world.clone();
    match event {
        Event::Time if world.now_ms > DEADLINE_MS + LEASE_MS => return None,
        Event::Time => next.now_ms += 1,
        Event::Claim(worker) => {
            world.held[worker].is_none().then_some(())?;
            next.life = world.life.claim(world.now_ms, LEASE_MS)?;
            next.held[worker] = Some(next.life.token);
        }
        Event::Crash(worker) => next.held[worker] = world.held[worker].map(|_| None)?,
        Event::Complete(worker, verdict) => {
            let token = world.held[worker]?;
            next.held[worker] = None;
            if let Ok(life) = world.life.complete(token, verdict) {
                assert_eq!(token, world.life.token, "only the newest lease is heard");
                next.life = life;
            }
        }
        Event::Lapse => next.life = world.life.lapse(world.now_ms)?,
        Event::Cancel => {
            (world.cancels < 2).then_some(())?;
            next.cancels += 1;
            if let Ok(life) = world.life.cancel(world.now_ms) {
                next.life = life;
                next.cancelled = true;
            }
        }
    }
    Some(next)
}

fn check(world: &World, next: &World, event: Event) {
    let (before, life) = (&world.life, &next.life);
    let shown = format!("{event:?}: {world:?} -> {next:?}");
    assert!(life.token >= before.token, "tokens never fall: {shown}");
    assert!(life.attempts <= MAX_ATTEMPTS, "{shown}");
    assert_eq!(life.deadline_ms, before.deadline_ms, "{shown}");
    if matches!(before.stage, Stage::Ended(_)) {
        assert_eq!(life, before, "what has ended stays so: {shown}");
    }
    if next.cancelled {
        assert_eq!(life.stage, Stage::Ended(End::Cancelled), "{shown}");
    }
    let holders = next.held.iter().flatten();
    let newest = holders.filter(|token| **token == life.token).count();
    assert!(newest <= 1, "one worker has the newest token: {shown}");
    if let Stage::Leased { until_ms } = life.stage {
        assert!(until_ms <= next.now_ms + LEASE_MS, "{shown}");
    }
    if life.state(next.now_ms) == State::Delivering {
        assert!(life.claim(next.now_ms, LEASE_MS).is_none(), "{shown}");
        assert!(life.cancel(next.now_ms).is_err(), "{shown}");
    }
}

/// Every world that can come to be.
fn worlds() -> BTreeSet<World> {
    let first = World {
        now_ms: 0,
        life: Life::new(0, DEADLINE_MS),
        held: [None; WORKERS],
        cancelled: false,
        cancels: 0,
    };
    let mut seen = BTreeSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some(world) = open.pop() {
        for event in events(world.now_ms) {
            let Some(next) = after(&world, event) else {
                continue;
            };
            check(&world, &next, event);
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    seen
}

#[test]
fn in_every_order_of_events_one_lease_is_heard_and_an_end_is_the_end() {
    let worlds = worlds();
    assert!(worlds.len() > 1_000, "{}", worlds.len());
    for state in State::ALL {
        let is_met = |world: &World| world.life.state(world.now_ms) == state;
        assert!(worlds.iter().any(is_met), "{state:?} is never met");
    }
    let ends = |reason| Stage::Ended(End::Failed(reason));
    for reason in [
        Reason::TargetRefused,
        Reason::TargetDown,
        Reason::Expired,
        Reason::Internal,
    ] {
        let is_met = |world: &World| world.life.stage == ends(reason);
        assert!(worlds.iter().any(is_met), "{reason:?} is never met");
    }
}

#[test]
fn whatever_happened_time_alone_ends_it() {
    for world in worlds() {
        let over_ms = DEADLINE_MS + LEASE_MS + world.now_ms;
        let ended = world.life.lapse(over_ms).unwrap_or(world.life.clone());
        assert!(matches!(ended.stage, Stage::Ended(_)), "{world:?}");
        assert_ne!(world.life.state(over_ms), State::Delivering, "{world:?}");
    }
}

#[test]
fn a_request_that_kills_its_workers_is_tried_ten_times() {
    let mut life = Life::new(0, 1_000);
    let mut now_ms = 0;
    while let Some(claimed) = life.claim(now_ms, 1) {
        life = claimed;
        now_ms += 1;
    }
    assert_eq!(life.attempts, MAX_ATTEMPTS);
    let ended = life.lapse(now_ms).unwrap();
    assert_eq!(ended.stage, Stage::Ended(End::Failed(Reason::Internal)));
}

#[test]
fn an_attempt_that_was_none_is_given_back() {
    let life = Life::new(0, 1_000).claim(0, 10).unwrap();
    assert_eq!((life.attempts, life.state(9)), (1, State::Delivering));
    let life = life.complete(1, Verdict::Unspent { at_ms: 20 }).unwrap();
    assert_eq!((life.attempts, life.state(9)), (0, State::Queued));
    assert_eq!(life.claim(19, 10), None, "not before its time");
    let life = life.claim(20, 10).unwrap();
    assert_eq!((life.attempts, life.token), (1, 2));
    assert_eq!(life.complete(1, Verdict::Again { at_ms: 0 }), Err(Revoked));
}

#[test]
fn nothing_begins_at_the_deadline() {
    let life = Life::new(0, 100);
    assert!(life.claim(99, 10).is_some());
    assert_eq!(life.claim(100, 10), None);
    assert_eq!(life.lapse(99), None);
    let ended = life.lapse(100).unwrap();
    assert_eq!(ended.stage, Stage::Ended(End::Failed(Reason::Expired)));
    let busy = life.claim(99, 10).unwrap();
    assert_eq!(busy.lapse(100), None, "what is under way may still succeed");
    let done = busy.complete(1, Verdict::Ends(End::Succeeded)).unwrap();
    assert_eq!(done.state(105), State::Succeeded);
}
