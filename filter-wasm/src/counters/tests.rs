//! Counters of several workers of one Envoy, and what they tell the region server.

use std::rc::Rc;

use requestrocket_policy::{
    exchange::{Charging, Ports, Question},
    limit::{Adds, Charge, Counter, CounterKind, Limits, Micros, Window},
};

use super::*;
use crate::driver::CallPorts;
use crate::fake_host::{FakeEnvoy, FakeHost, HostCall};

mod region;

use region::{FakeRegion, reports};

/// 2026-11-26T07:00:00Z.
const NOW_MS: u64 = 1_795_676_400_000;
const PROXY: Uuid = Uuid::from_u128(0x1234_5678_0000_0000_0000_0000_0000_0001);
const CREDENTIAL: Uuid = Uuid::from_u128(0xabcd_0000_0000_0000_0000_0000_0000_0002);

fn charge(kind: CounterKind, id: Uuid, minute: Option<u64>) -> Charge {
    Charge {
        counter: Counter { kind, id },
        limits: Limits {
            minute,
            ..Limits::default()
        },
        adds: Adds::One,
    }
}

/// Workers of one Envoy.
fn workers(count: usize) -> Vec<(FakeHost, Counters)> {
    let envoy = Rc::new(FakeEnvoy::default());
    envoy.now_ms.set(NOW_MS);
    let worker = |_| {
        let host = FakeHost {
            envoy: Rc::clone(&envoy),
            ..FakeHost::default()
        };
        let counters = Counters::start(&host).unwrap();
        (host, counters)
    };
    (0..count).map(worker).collect()
}

/// One call on a worker, asking the region as the driver does.
fn is_admitted(
    (host, counters): &(FakeHost, Counters),
    charges: &[(Uuid, &Charge)],
    region: &FakeRegion,
) -> bool {
    let mut inquiry = Inquiry::NONE;
    for _ in 0..4 {
        match counters.charge(host, charges, inquiry).unwrap() {
            Charging::Admitted(_) => return true,
            Charging::Exceeded(_) => return false,
            Charging::Fault => panic!("fault"),
            Charging::Ask(question) => {
                inquiry.questions += 1;
                inquiry.asked = match counters.ask(host, &question, 5) {
                    Ok(()) => region.answer_last((host, counters)).unwrap().asked,
                    Err(HostFailure) => Asked::Unanswered,
                };
            }
        }
    }
    false
}

fn admitted(workers: &[(FakeHost, Counters)], charges: &[(Uuid, &Charge)], calls: usize) -> usize {
    let region = FakeRegion::alone();
    let turns = workers.iter().cycle().take(calls);
    turns
        .filter(|worker| is_admitted(worker, charges, &region))
        .count()
}

/// Asks for one more call of the worker, and leaves it waiting; what it asks for beside itself.
fn queue(
    (host, counters): &(FakeHost, Counters),
    charges: &[(Uuid, &Charge)],
    questions: u8,
) -> u64 {
    let asked = Asked::NotYet;
    let charging = counters.charge(host, charges, Inquiry { asked, questions });
    let Charging::Ask(question) = charging.unwrap() else {
        panic!("nothing to ask")
    };
    counters.ask(host, &question, 5).unwrap();
    let [report] = reports(host)[..] else {
        panic!("more than one limit")
    };
    assert_eq!(report.wanted, Micros::ONE);
    report.queued.get() / Micros::ONE.get()
}

#[test]
fn calls_that_wait_together_ask_for_all_of_them() {
    let limit = charge(CounterKind::Proxy, PROXY, Some(1_000));
    let other = charge(CounterKind::Meter, PROXY, Some(1_000));
    let charges = [(PROXY, &limit)];
    let worker = &workers(1)[0];
    let queued: Vec<_> = (0..4).map(|_| queue(worker, &charges, 0)).collect();
    assert_eq!(queued, [0, 1, 2, 3]);
    assert_eq!(queue(worker, &[(PROXY, &other)], 0), 0, "another counter");
    // Those that lost the room they got ask for twice as much.
    assert_eq!(queue(worker, &charges, 1), 9);
    assert_eq!(queue(worker, &charges, 2), 23);
    // An answer ends its wait.
    FakeRegion::alone().answer_last((&worker.0, &worker.1));
    let Charging::Admitted(_) = worker.1.charge(&worker.0, &charges, Inquiry::NONE).unwrap() else {
        panic!("there is room now")
    };
}

#[test]
fn workers_of_an_envoy_admit_exactly_the_limit() {
    let own = charge(CounterKind::Proxy, PROXY, Some(10));
    assert_eq!(admitted(&workers(3), &[(PROXY, &own)], 40), 10);
}

/// How often the shared counts of the proxy were written.
fn writes((host, _): &(FakeHost, Counters)) -> u32 {
    let (_, mark) = host.shared_data(&Bucket::of(PROXY).key()).unwrap().unwrap();
    mark
}

/// What the next tick tells of the minute.
fn told((host, counters): &(FakeHost, Counters)) -> Option<Micros> {
    counters.tick(host).unwrap();
    let mut reports = region::reports(host).into_iter();
    let minute = reports.find(|report| report.window == Window::Minute);
    minute.map(|report| report.own)
}

#[test]
fn busy_workers_admit_exactly_a_high_limit() {
    let own = charge(CounterKind::Proxy, PROXY, Some(20_000));
    let workers = workers(3);
    let before = writes(&workers[0]);
    assert_eq!(admitted(&workers, &[(PROXY, &own)], 15_000), 15_000);
    assert!(writes(&workers[0]) - before < 1_000, "most in batches");
    assert_eq!(admitted(&workers, &[(PROXY, &own)], 9_000), 5_000);
}

#[test]
fn a_tick_gives_account_of_batches() {
    let meter = charge(CounterKind::Meter, PROXY, None);
    let workers = workers(2);
    assert_eq!(admitted(&workers, &[(PROXY, &meter)], 1_000), 1_000);
    let others = told(&workers[1]).unwrap();
    assert!(others < Micros::units(1_000), "the first one's are missing");
    assert_eq!(told(&workers[0]), Some(Micros::units(1_000)));
}

#[test]
fn batches_of_a_worker_that_died_count_after_a_while() {
    let meter = charge(CounterKind::Meter, PROXY, None);
    let mut workers = workers(2);
    assert_eq!(admitted(&workers[..1], &[(PROXY, &meter)], 1_000), 1_000);
    workers.remove(0);
    let (host, _) = &workers[0];
    host.envoy.now_ms.set(NOW_MS + 2_000);
    let told = told(&workers[0]).unwrap();
    let most = Micros::units(1_000 + 64);
    assert!(told >= Micros::units(1_000) && told <= most, "{told}");
}

#[test]
fn a_batch_that_has_ended_is_used_no_more() {
    let meter = charge(CounterKind::Meter, PROXY, None);
    let workers = workers(1);
    let (host, _) = &workers[0];
    assert_eq!(admitted(&workers, &[(PROXY, &meter)], 1_000), 1_000);
    let full = writes(&workers[0]);
    assert_eq!(admitted(&workers, &[(PROXY, &meter)], 1), 1);
    assert_eq!(writes(&workers[0]), full, "the batch is not used up");
    host.envoy.now_ms.set(NOW_MS + 1_001);
    assert_eq!(admitted(&workers, &[(PROXY, &meter)], 1), 1);
    assert_eq!(writes(&workers[0]), full + 1);
}

/// Counters in two buckets, of which the second is always changed by somebody else in between.
#[test]
fn what_was_set_aside_for_a_lost_write_is_free_again() {
    let first = charge(CounterKind::Meter, PROXY, None);
    let second = charge(CounterKind::Meter, CREDENTIAL, None);
    let charges = [(PROXY, &first), (CREDENTIAL, &second)];
    let workers = workers(1);
    let (host, counters) = &workers[0];
    for _ in 0..1_000 {
        host.envoy.overtaken_after.set(Some(1));
        assert_eq!(admitted(&workers, &charges, 1), 1);
    }
    host.envoy.overtaken_after.set(None);
    // Long after the end of every batch, when what is left of them would count.
    for later_ms in [0, 5_000] {
        host.envoy.now_ms.set(NOW_MS + later_ms);
        counters.tick(host).unwrap();
        let reports = region::reports(host);
        assert_eq!(reports.len(), 8, "two meters, four windows");
        assert!(
            reports
                .iter()
                .all(|report| report.own == Micros::units(1_000))
        );
    }
}

#[test]
fn who_calls_seldom_sets_nothing_aside() {
    let meter = charge(CounterKind::Meter, PROXY, None);
    let workers = workers(1);
    let (host, counters) = &workers[0];
    for call in 1..=20_u64 {
        host.envoy.now_ms.set(NOW_MS + call * 100);
        let before = writes(&workers[0]);
        assert_eq!(admitted(&workers, &[(PROXY, &meter)], 1), 1);
        assert_ne!(writes(&workers[0]), before, "call {call}");
        counters.tick(host).unwrap();
    }
}

#[test]
fn a_limit_that_changes_ends_the_batch() {
    let before = charge(CounterKind::Proxy, PROXY, Some(20_000));
    let workers = workers(1);
    assert_eq!(admitted(&workers, &[(PROXY, &before)], 1_000), 1_000);
    let after = charge(CounterKind::Proxy, PROXY, Some(1_000));
    assert_eq!(admitted(&workers, &[(PROXY, &after)], 9), 0);
}

#[test]
fn a_call_that_one_limit_refuses_is_counted_by_none() {
    let plan = charge(CounterKind::Plan, CREDENTIAL, Some(3));
    let own = charge(CounterKind::Proxy, PROXY, Some(10));
    let workers = workers(2);
    let both = [(CREDENTIAL, &plan), (PROXY, &own)];
    assert_eq!(admitted(&workers, &both, 20), 3);
    // What the plan refused left the proxy's room alone.
    assert_eq!(admitted(&workers, &[(PROXY, &own)], 20), 7);
}

#[test]
fn a_meter_without_limits_counts_and_asks_nobody() {
    let meter = charge(CounterKind::Meter, PROXY, None);
    let workers = workers(1);
    let (host, counters) = &workers[0];
    assert_eq!(admitted(&workers, &[(PROXY, &meter)], 5), 5);
    assert!(host.envoy.sent.borrow().is_empty());
    counters.tick(host).unwrap();
    let told = region::reports(host);
    assert_eq!(told.len(), 4, "one for each window: {told:?}");
    assert!(told.iter().all(|report| report.own == Micros::units(5)));
}

#[test]
fn what_a_response_brings_is_added() {
    let meter = Charge {
        adds: Adds::Value,
        ..charge(CounterKind::Meter, PROXY, Some(10))
    };
    let workers = workers(2);
    let region = FakeRegion::alone();
    let charges = [(PROXY, &meter)];
    assert!(is_admitted(&workers[0], &charges, &region));
    let (host, counters) = &workers[1];
    let ports = CallPorts::new(host, counters, Inquiry::NONE);
    ports.add((PROXY, &meter), Micros::units(12));
    assert!(!is_admitted(&workers[0], &charges, &region));
}

#[test]
fn a_tick_tells_what_grew_and_then_keeps_quiet() {
    let workers = workers(1);
    let (host, counters) = &workers[0];
    let own = charge(CounterKind::Proxy, PROXY, Some(10));
    assert_eq!(admitted(&workers, &[(PROXY, &own)], 2), 2);
    let region = FakeRegion::alone();
    let calls = |ms: u64| {
        host.envoy.now_ms.set(NOW_MS + ms);
        let before = host.envoy.sent.borrow().len();
        counters.tick(host).unwrap();
        let sent = host.envoy.sent.borrow().len() - before;
        if sent > 0 {
            region.answer_last((host, counters));
        }
        sent
    };
    assert_eq!(calls(200), 1, "two calls");
    assert_eq!(calls(400), 0, "nothing new");
    assert_eq!(calls(700), 1, "the grant has ended, and a sign of life");
    assert_eq!(calls(900), 0);
    assert_eq!(calls(1_200), 1, "a sign of life");
    assert!(region::reports(host).is_empty());
}

#[test]
fn a_region_that_does_not_answer_leaves_each_its_share_and_is_left_alone_for_a_while() {
    let workers = workers(1);
    let worker = &workers[0];
    let (host, counters) = worker;
    let own = charge(CounterKind::Proxy, PROXY, Some(10));
    let charges = [(PROXY, &own)];
    let region = FakeRegion::silent();
    let admitted = (0..30).filter(|_| is_admitted(worker, &charges, &region));
    assert_eq!(admitted.count(), 10, "nobody is known to share");
    assert_eq!(host.envoy.sent.borrow().len(), 1, "asked once");
    assert!(host.unanswered.get() > 1);
    host.envoy.now_ms.set(NOW_MS + 1_001);
    let question = Question {
        reports: Vec::new(),
        read_at_ms: NOW_MS + 1_001,
    };
    assert_eq!(counters.ask(host, &question, 5), Ok(()));
}

#[test]
fn a_question_is_of_the_moment_before_its_counts_were_read() {
    let workers = workers(1);
    let (host, counters) = &workers[0];
    let own = charge(CounterKind::Proxy, PROXY, Some(10));
    let charging = counters.charge(host, &[(PROXY, &own)], Inquiry::NONE);
    let Ok(Charging::Ask(question)) = charging else {
        panic!("{charging:?}");
    };
    // The worker was not scheduled for a while; others may have counted since.
    host.envoy.now_ms.set(NOW_MS + 60);
    counters.ask(host, &question, 5).unwrap();
    assert_eq!(region::sent_at_ms(host), NOW_MS);
}

#[test]
fn another_region_server_is_told_everything_again() {
    let workers = workers(1);
    let (host, counters) = &workers[0];
    let meter = charge(CounterKind::Meter, PROXY, None);
    assert_eq!(admitted(&workers, &[(PROXY, &meter)], 3), 3);
    for (epoch, ms) in [(1, 200), (1, 800), (2, 1_400)] {
        host.envoy.now_ms.set(NOW_MS + ms);
        counters.tick(host).unwrap();
        FakeRegion::of_epoch(epoch).answer_last((host, counters));
    }
    host.envoy.now_ms.set(NOW_MS + 1_600);
    counters.tick(host).unwrap();
    let told = region::reports(host);
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|report| report.own == Micros::units(3)));
}

#[test]
fn a_vm_that_starts_anew_tells_what_the_one_before_did_not() {
    let workers = workers(1);
    let (host, _) = &workers[0];
    let meter = charge(CounterKind::Meter, PROXY, None);
    assert_eq!(admitted(&workers, &[(PROXY, &meter)], 3), 3);
    let fresh = Counters::start(host).unwrap();
    fresh.tick(host).unwrap();
    let told = region::reports(host);
    assert!(told.iter().all(|report| report.own == Micros::units(3)));
    assert_eq!(told.len(), 4);
}

#[test]
fn without_shared_data_nothing_starts_and_nothing_is_counted() {
    let host = FakeHost::default().failing_at(HostCall::SetSharedData);
    assert_eq!(Counters::start(&host).err(), Some(HostFailure));
    let workers = workers(1);
    let (host, counters) = &workers[0];
    let broken = FakeHost {
        envoy: Rc::clone(&host.envoy),
        ..FakeHost::default()
    }
    .failing_at(HostCall::SharedData);
    let meter = charge(CounterKind::Meter, PROXY, None);
    let ports = CallPorts::new(&broken, counters, Inquiry::NONE);
    assert_eq!(ports.charge(&[(PROXY, &meter)]), Charging::Fault);
}

#[test]
fn answers_to_nothing_are_ignored() {
    let workers = workers(1);
    let (host, counters) = &workers[0];
    assert_eq!(counters.on_answer(host, 99, b"anything"), None);
    assert_eq!(counters.on_failure(host, 99), None);
}

#[test]
fn proxies_fall_into_all_buckets() {
    let buckets: BTreeSet<Bucket> = (0..=u16::MAX)
        .map(|n| Bucket::of(Uuid::from_u128(u128::from(n) << 112)))
        .collect();
    assert_eq!(buckets.len(), usize::from(BUCKETS));
    let keys: BTreeSet<_> = Bucket::all().map(Bucket::key).collect();
    assert_eq!(keys.len(), usize::from(BUCKETS));
}
