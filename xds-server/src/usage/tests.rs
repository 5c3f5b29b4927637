use std::time::Duration;

use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::{BilledSum, Interval, UsageGrouping, UsageQuery};
use requestrocket_proto::usage::v1::usage_ledger_server::UsageLedger as _;
use requestrocket_proto::usage::v1::{Count, TellRequest, count};
use time::macros::datetime;
use tonic::{Code, Request};

use super::ledger::Ledger;
use super::workers::Workers;
use super::*;
use crate::store::Store;
use crate::store::tests::test_stores;
use crate::store::usage::usage_billed;

const HOUR_MS: u64 = hours::HOUR_MS;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// The beginning of the hour that it is.
fn hour(clock: &Clock) -> u64 {
    hours::start(clock.unix_ms())
}

fn clock() -> Clock {
    Clock::manual(datetime!(2026-11-29 12:30 UTC))
}

fn calls(organisation: u128, credential: u128, start_ms: u64, admitted: u64) -> Count {
    Count {
        start_ms,
        organisation_id: id(organisation).as_bytes().to_vec().into(),
        proxy_id: id(20).as_bytes().to_vec().into(),
        of: Some(count::Of::CredentialId(
            id(credential).as_bytes().to_vec().into(),
        )),
        admitted,
        refused: 1,
        value_micros: 0,
    }
}

fn meter(start_ms: u64, value_micros: u64) -> Count {
    Count {
        of: Some(count::Of::MeterId(id(40).as_bytes().to_vec().into())),
        refused: 0,
        value_micros,
        ..calls(1, 0, start_ms, 0)
    }
}

/// Tells this in one run of the region server, and waits for the answer.
async fn tell(store: &Store, clock: &Clock, worker: u8, counts: &[Count]) -> Result<(), Code> {
    let tasks = TaskSet::default();
    let usage = Usage::open(store.clone(), clock.clone(), &tasks)
        .await
        .unwrap();
    let request = TellRequest {
        worker_id: vec![worker; 16].into(),
        counts: counts.to_vec(),
    };
    let answer = usage.tell(Request::new(request)).await;
    tasks.shutdown().await;
    answer.map(|_| ()).map_err(|status| status.code())
}

/// Start, id, admitted, refused and value of each sum, and the uncertain intervals.
async fn sums(
    store: &Store,
    (organisation, grouping): (u128, UsageGrouping),
    interval: Interval,
) -> (Vec<(u64, String, u64, u64, u64)>, Vec<u64>) {
    let tasks = TaskSet::default();
    let usage = Usage::open(store.clone(), clock(), &tasks).await.unwrap();
    let query = UsageQuery {
        organisation_id: id(organisation).to_string(),
        from_ms: 0,
        to_ms: u64::MAX,
        interval: interval.into(),
        grouping: grouping.into(),
    };
    let told = usage.answer(&query).await.unwrap().unwrap();
    tasks.shutdown().await;
    let sums = told.sums.into_iter();
    let sums = sums.map(|it| (it.start_ms, it.id, it.admitted, it.refused, it.value_micros));
    (sums.collect(), told.uncertain_ms)
}

#[tokio::test]
async fn what_is_billed_is_told_in_pages_of_all_organisations() {
    for made in test_stores().await {
        let (store, clock) = (made.store.clone(), clock());
        let now = hour(&clock);
        for (worker, counts) in [
            (
                1,
                vec![
                    calls(1, 30, now, 4),
                    calls(1, 31, now, 1),
                    meter(now, 2_500_000),
                ],
            ),
            (
                2,
                vec![
                    calls(1, 30, now, 3),
                    calls(2, 30, now, 9),
                    calls(1, 30, now - HOUR_MS, 7),
                ],
            ),
        ] {
            tell(&store, &clock, worker, &counts).await.unwrap();
        }
        let sum = |start_ms, organisation, meter: Option<u128>, quantity| BilledSum {
            start_ms,
            organisation_id: id(organisation).to_string(),
            meter_id: meter.map(|meter| id(meter).to_string()).unwrap_or_default(),
            quantity,
        };
        let all = [
            sum(now - HOUR_MS, 1, None, 7),
            sum(now, 1, None, 8),
            sum(now, 1, Some(40), 2_500_000),
            sum(now, 2, None, 9),
        ];
        let mut tx = store.begin().await.unwrap();
        let mut after = BilledSum::default();
        for want in all.chunks(2) {
            let page = usage_billed(&mut tx, (0, &after), 2).await.unwrap();
            assert_eq!(page, want);
            after = page[1].clone();
        }
        assert_eq!(usage_billed(&mut tx, (0, &after), 2).await.unwrap(), []);
        let lately = usage_billed(&mut tx, (now, &BilledSum::default()), 9).await;
        assert_eq!(lately.unwrap(), all[1..]);
    }
}

#[tokio::test]
async fn whatever_comes_twice_late_or_again_the_sums_are_what_was_counted() {
    for made in test_stores().await {
        let store = made.store.clone();
        let clock = clock();
        let now = hour(&clock);
        let other = calls(2, 31, now, 50);
        for (worker, counts) in [
            (1, vec![calls(1, 30, now, 4)]),
            (1, vec![calls(1, 30, now, 4)]),
            (
                1,
                vec![
                    calls(1, 30, now, 9),
                    calls(1, 31, now, 1),
                    meter(now, 2_500_000),
                ],
            ),
            // Older than what is known.
            (1, vec![calls(1, 30, now, 4)]),
            (
                2,
                vec![
                    calls(1, 30, now, 3),
                    calls(1, 30, now - HOUR_MS, 7),
                    other.clone(),
                ],
            ),
        ] {
            tell(&store, &clock, worker, &counts).await.unwrap();
        }
        let nothing = UsageGrouping::Unspecified;
        let (told, _) = sums(&store, (1, nothing), Interval::Hour).await;
        let want = [
            (now - HOUR_MS, String::new(), 7, 1, 0),
            (now, String::new(), 13, 3, 2_500_000),
        ];
        assert_eq!(told, want);
        let day = now - now % (24 * HOUR_MS);
        for (grouping, want) in [
            (nothing, vec![(day, String::new(), 20, 4, 2_500_000)]),
            (
                UsageGrouping::Proxy,
                vec![(day, id(20).to_string(), 20, 4, 2_500_000)],
            ),
            (
                UsageGrouping::Credential,
                vec![
                    (day, id(30).to_string(), 19, 3, 0),
                    (day, id(31).to_string(), 1, 1, 0),
                ],
            ),
            (
                UsageGrouping::Meter,
                vec![(day, id(40).to_string(), 0, 0, 2_500_000)],
            ),
        ] {
            assert_eq!(sums(&store, (1, grouping), Interval::Day).await.0, want);
        }
        assert_eq!(sums(&store, (2, nothing), Interval::Day).await.0[0].2, 50);
        assert_eq!(sums(&store, (3, nothing), Interval::Day).await.0, []);
    }
}

#[tokio::test]
async fn what_is_no_usage_is_refused() {
    for made in test_stores().await {
        let store = made.store.clone();
        let clock = clock();
        let now = hour(&clock);
        let wrong = Count {
            of: None,
            ..calls(1, 30, now, 1)
        };
        let short = Count {
            organisation_id: vec![1].into(),
            ..calls(1, 30, now, 1)
        };
        for count in [wrong, short] {
            let answer = tell(&store, &clock, 1, &[count]).await;
            assert_eq!(answer, Err(Code::InvalidArgument));
        }
        // Of another time.
        for start_ms in [now + 1, now + HOUR_MS, now - 48 * HOUR_MS, u64::MAX] {
            let counts = [calls(1, 30, start_ms, 1)];
            tell(&store, &clock, 1, &counts).await.unwrap();
        }
        let nothing = UsageGrouping::Unspecified;
        assert_eq!(sums(&store, (1, nothing), Interval::Hour).await.0, []);
    }
}

#[tokio::test]
async fn old_hours_become_one_row_of_the_same_sum() {
    for made in test_stores().await {
        let store = made.store.clone();
        let clock = clock();
        let then = hour(&clock);
        for worker in [1, 2] {
            let counts = [calls(1, 30, then, 5), meter(then, u64::MAX)];
            tell(&store, &clock, worker, &counts).await.unwrap();
        }
        let by_credential = (1, UsageGrouping::Credential);
        let before = sums(&store, by_credential, Interval::Hour).await;
        clock.advance(Duration::from_hours(50));
        for _ in 0..2 {
            let mut ledger = Ledger::open(store.clone(), clock.clone()).await.unwrap();
            ledger.look(0).await;
        }
        let after = sums(&store, by_credential, Interval::Hour).await;
        assert_eq!(after.0, before.0);
        // Too late.
        tell(&store, &clock, 1, &[calls(1, 30, then, 90)])
            .await
            .unwrap();
        assert_eq!(
            sums(&store, by_credential, Interval::Hour).await.0,
            before.0
        );
        let meters = sums(&store, (1, UsageGrouping::Meter), Interval::Hour).await;
        assert_eq!(meters.0[0].4, 1 << 56);
        clock.advance(Duration::from_hours(24 * 366 * 3));
        let mut ledger = Ledger::open(store.clone(), clock.clone()).await.unwrap();
        ledger.look(0).await;
        assert_eq!(sums(&store, by_credential, Interval::Hour).await.0, []);
    }
}

#[tokio::test]
async fn the_hour_in_which_a_worker_ended_is_uncertain() {
    for made in test_stores().await {
        let store = made.store.clone();
        let clock = clock();
        let now = hour(&clock);
        tell(&store, &clock, 1, &[calls(1, 30, now, 5)])
            .await
            .unwrap();
        // The region server was away meanwhile: it may have gone on until now.
        clock.advance(Duration::from_hours(2));
        let mut ledger = Ledger::open(store.clone(), clock.clone()).await.unwrap();
        ledger.look(9_999).await;
        let nothing = (1, UsageGrouping::Unspecified);
        let (_, uncertain) = sums(&store, nothing, Interval::Hour).await;
        assert!(uncertain.is_empty());
        ledger.look(10_000).await;
        let (_, uncertain) = sums(&store, nothing, Interval::Hour).await;
        assert_eq!(uncertain, [now, now + HOUR_MS, now + 2 * HOUR_MS]);
        let (_, uncertain) = sums(&store, nothing, Interval::Day).await;
        assert_eq!(uncertain, [now - now % (24 * HOUR_MS)]);
        // It is known, and nobody ends twice.
        let ledger = Ledger::open(store.clone(), clock.clone()).await.unwrap();
        drop(ledger);
    }
}

#[test]
fn who_is_silent_has_ended_and_who_is_heard_has_not() {
    let (one, other) = (WorkerId([1; 16]), WorkerId([2; 16]));
    let mut workers = Workers::default();
    let now = 100 * HOUR_MS;
    workers.hear(one, now, 0);
    workers.hear(other, now + 500_000, 0);
    assert_eq!(workers.unstored().len(), 2);
    workers.are_stored(&workers.unstored());
    workers.hear(other, now + 505_000, 5_000);
    // What is stored is near enough.
    assert!(workers.unstored().is_empty());
    assert!(workers.ended(9_999).is_empty());
    // It was heard as the hour began.
    assert_eq!(workers.ended(10_000), [(one, vec![now - HOUR_MS, now])]);
    workers.forget(one);
    assert!(workers.ended(10_000).is_empty());
    assert_eq!(workers.ended(15_000), [(other, vec![now])]);
    workers.hear(other, now + 520_000, 15_000);
    assert!(workers.ended(15_000).is_empty());
    assert_eq!(workers.unstored().len(), 1);
}
