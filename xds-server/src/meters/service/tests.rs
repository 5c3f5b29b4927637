//! One suite for counts in memory (on every store at hand) and in a real Redis.

use requestrocket_policy::limit::{
    Adds, Asked, Charge, Charged, Decision, Grant, Limits, Micros, Moment, Tally, decide,
};
use tokio::time::timeout;

use super::*;
use crate::store::tests::{TestStore, test_stores};

mod redis;

use self::redis::RedisServer;

const LIMIT_WAIT: Duration = Duration::from_secs(30);

/// Counting in one place, and what keeps that place alive.
struct Place {
    name: String,
    meters: Meters,
    tasks: TaskSet,
    store: Option<TestStore>,
    redis: Option<RedisServer>,
}

async fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for store in test_stores().await {
        let tasks = TaskSet::default();
        let meters = Meters::in_memory(store.store.clone(), Clock::default(), &tasks)
            .await
            .unwrap();
        places.push(Place {
            name: format!("memory, {}", store.url().split(':').next().unwrap()),
            meters,
            tasks,
            store: Some(store),
            redis: None,
        });
    }
    let redis = RedisServer::start().await;
    let tasks = TaskSet::default();
    places.push(Place {
        name: "Redis".to_owned(),
        meters: Meters::in_redis(&redis.url, "eu", Clock::default(), tasks.stopping()).unwrap(),
        tasks,
        store: None,
        redis: Some(redis),
    });
    places
}

fn now_ms() -> u64 {
    Clock::default().unix_ms()
}

/// A month is long enough to be the same all through a test.
fn monthly(counter: Counter, limit: u64) -> Charge {
    Charge {
        counter,
        limits: Limits {
            month: Some(limit),
            ..Limits::default()
        },
        adds: Adds::One,
    }
}

fn counter(kind: CounterKind, id: u128) -> Counter {
    Counter {
        kind,
        id: Uuid::from_u128(id),
    }
}

fn report(own: u64, wanted: u64) -> Report {
    Report {
        counter: counter(CounterKind::Proxy, 1),
        window: Window::Month,
        start_ms: Window::Month.bounds(now_ms()).start_ms,
        own: Micros::units(own),
        limit: Micros::units(10),
        wanted: Micros::units(wanted),
        queued: Micros::ZERO,
    }
}

fn request(node: u8, sent_at_ms: u64, reports: &[Report]) -> SyncRequest {
    SyncRequest {
        incarnation: vec![node; 16].into(),
        reports: reports.iter().map(|report| report.to_wire()).collect(),
        sent_at_ms,
    }
}

impl Place {
    /// What others counted, the ceiling and its time, all in units.
    async fn ask(&self, node: u8, sent_at_ms: u64, report: Report) -> (u64, f64, u32, u32) {
        let asked = self.meters.answer(request(node, sent_at_ms, &[report]));
        let response = timeout(LIMIT_WAIT, asked).await.unwrap().unwrap();
        let grant = response.grants[0];
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let ceiling = grant.ceiling_micros as f64 / 1e6;
        (
            grant.others_micros / 1_000_000,
            ceiling,
            grant.valid_ms,
            grant.nodes,
        )
    }

    /// An answer of the first second waits; here nothing has to.
    async fn calm(&self) -> u32 {
        let first = report(0, 1);
        let other = Report {
            counter: counter(CounterKind::Plan, 99),
            ..first
        };
        let request = request(99, now_ms(), &[other]);
        self.meters.answer(request).await.unwrap().epoch
    }

    async fn end(self) {
        self.tasks.shutdown().await;
        drop((self.store, self.redis));
    }
}

#[tokio::test]
async fn counts_add_up_and_ceilings_stay_below_the_limit() {
    for place in places().await {
        let name = &place.name;
        place.calm().await;
        // Two Envoys count now: this one, and the one that waited.
        let sent = now_ms();
        let first = place.ask(1, sent, report(2, 1)).await;
        assert_eq!(first, (0, 4.0, 500, 2), "{name}: a quarter of 8 is left");
        let second = place.ask(2, sent, report(1, 1)).await;
        // 10 - 4 - 1 = 5 are left, a sixth of it is less than is wanted.
        assert_eq!(second, (2, 2.0, 500, 3), "{name}");
        let doubled = place.ask(2, sent, report(1, 1)).await;
        assert_eq!(doubled, second, "{name}: told twice");
        let overtaken = place.ask(1, sent, report(1, 0)).await;
        assert_eq!(overtaken, (1, 2.0, 0, 3), "{name}: an older count");
        let full = place.ask(3, sent, report(7, 1)).await;
        assert_eq!(full, (3, 7.0, 0, 4), "{name}: no room at all");
        place.end().await;
    }
}

#[tokio::test]
async fn calls_in_a_queue_get_room_together() {
    for place in places().await {
        let name = &place.name;
        place.calm().await;
        let sent = now_ms();
        let queueing = |own, queued| Report {
            queued: Micros::units(queued),
            ..report(own, 1)
        };
        let first = place.ask(1, sent, queueing(1, 5)).await;
        assert_eq!(first, (0, 7.0, 500, 2), "{name}: more than a quarter of 9");
        let second = place.ask(2, sent, queueing(0, 50)).await;
        assert_eq!(second, (1, 3.0, 500, 3), "{name}: all that is left");
        place.end().await;
    }
}

#[tokio::test]
async fn an_unused_lease_is_waited_for_until_its_envoy_is_heard() {
    for place in places().await {
        let name = place.name.clone();
        place.calm().await;
        let sent = now_ms();
        // Wants, and gets, all there is.
        assert_eq!(
            place.ask(1, sent, report(0, 10)).await,
            (0, 10.0, 500, 2),
            "{name}"
        );
        let waits = place.ask(2, sent, report(0, 4));
        let ends = async {
            // Heard after the end of its lease, having used six; and once more, because what grew
            // may have got a new one.
            place.ask(1, sent + 600, report(6, 0)).await;
            place.ask(1, sent + 1_200, report(6, 0)).await;
        };
        let (granted, ()) = tokio::join!(waits, ends);
        let (others, ceiling, valid_ms, _) = granted;
        assert_eq!((others, ceiling), (6, 4.0), "{name}");
        assert!(
            valid_ms >= 500,
            "{name}: as long as it waited and half a second"
        );
        place.end().await;
    }
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    for place in places().await {
        place.calm().await;
        let sent = now_ms();
        place.ask(1, sent, report(0, 10)).await;
        let (others, ceiling, valid_ms, _) = place.ask(2, sent, report(0, 1)).await;
        assert_eq!((others, ceiling, valid_ms), (0, 0.0, 0), "{}", place.name);
        place.end().await;
    }
}

#[tokio::test]
async fn what_cannot_be_judged_is_not() {
    for place in places().await {
        let name = &place.name;
        let minute = Window::Minute;
        let now = now_ms();
        for (what, moment_ms, is_judged) in [
            ("now", now, true),
            ("half a minute behind", now - 30_000, true),
            ("half a minute ahead", now + 30_000, true),
            ("long over", now - 180_000, false),
            ("far ahead", now + 180_000, false),
        ] {
            let report = Report {
                window: minute,
                start_ms: minute.bounds(moment_ms).start_ms,
                ..report(0, 0)
            };
            let (_, _, _, nodes) = place.ask(1, now, report).await;
            assert_eq!(nodes > 0, is_judged, "{name}: {what}");
        }
        place.end().await;
    }
}

#[tokio::test]
async fn the_largest_amounts_are_answered() {
    for place in places().await {
        let name = &place.name;
        place.calm().await;
        let huge = Report {
            own: Micros::new(u64::MAX),
            limit: Micros::new(u64::MAX),
            ..report(0, 0)
        };
        let sent = now_ms();
        let mut told = Vec::new();
        for (node, report) in [
            (1, huge),
            (2, huge),
            (
                3,
                Report {
                    own: Micros::ONE,
                    ..huge
                },
            ),
        ] {
            let answer = place.meters.answer(request(node, sent, &[report])).await;
            told.push(answer.unwrap().grants[0].others_micros);
        }
        assert_eq!(told, [0, u64::MAX, u64::MAX], "{name}");
        place.end().await;
    }
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    for place in places().await {
        let right = || request(1, 1, &[report(0, 0)]);
        let many = vec![report(0, 0).to_wire(); MAX_REPORTS + 1];
        let mut no_start = right();
        no_start.reports[0].start_ms += 1;
        for wrong in [
            SyncRequest {
                incarnation: vec![1; 15].into(),
                ..right()
            },
            SyncRequest {
                incarnation: Vec::new().into(),
                ..right()
            },
            SyncRequest {
                reports: many,
                ..right()
            },
            no_start,
        ] {
            let refused = place.meters.answer(wrong).await;
            assert!(
                matches!(refused, Err(Unanswered::Invalid(_))),
                "{}",
                place.name
            );
        }
        place.end().await;
    }
}

#[tokio::test]
async fn usage_has_every_window_always() {
    for place in places().await {
        let name = &place.name;
        let meter = counter(CounterKind::Meter, 7);
        let now = now_ms();
        let reports = [Window::Day, Window::Month].map(|window| Report {
            counter: meter,
            window,
            start_ms: window.bounds(now).start_ms,
            own: Micros::new(2_500_000),
            limit: Micros::ZERO,
            wanted: Micros::ZERO,
            queued: Micros::ZERO,
        });
        for node in [1, 2] {
            let response = place
                .meters
                .answer(request(node, now, &reports))
                .await
                .unwrap();
            assert!(
                response.grants.iter().all(|grant| grant.valid_ms == 0),
                "{name}"
            );
        }
        let usage = place.meters.usage(&meter.id.to_string()).await.unwrap();
        let used: Vec<u64> = usage
            .windows
            .iter()
            .map(|window| window.used_micros)
            .collect();
        assert_eq!(used, [0, 0, 5_000_000, 5_000_000], "{name}");
        for (usage, window) in usage.windows.iter().zip(Window::ALL) {
            assert_eq!(usage.window, i32::from(window.to_wire()), "{name}");
            assert_eq!(
                usage.start_ms,
                window.bounds(usage.start_ms).start_ms,
                "{name}"
            );
            assert_eq!(usage.end_ms, window.bounds(usage.start_ms).end_ms, "{name}");
        }
        assert_eq!(place.meters.usage("no id").await, None, "{name}");
        place.end().await;
    }
}

/// One Envoy with the engine's own code, calling until it knows that all is used.
async fn calls_until_used(meters: Meters, node: u8, charge: Charge) -> u64 {
    let mut tally = Tally::default();
    let (mut admitted, mut asked) = (0, Asked::NotYet);
    loop {
        let sent_at_ms = now_ms();
        let moment = Moment::at(sent_at_ms);
        let call = [Charged {
            charge: &charge,
            tally,
        }];
        match decide(&call, asked, &moment) {
            Decision::Admit => {
                tally.add(&charge, charge.on_admission(), &moment);
                admitted += 1;
                asked = Asked::NotYet;
            }
            Decision::Ask(reports) => {
                let request = (node, sent_at_ms, reports);
                asked = sync(&meters, request, &mut tally).await;
            }
            Decision::Exceeded(_) => {
                // As on a tick.
                let due = tally.due(charge.counter, None, sent_at_ms);
                sync(&meters, (node, sent_at_ms, due), &mut tally).await;
                if tally.slot(Window::Month, &moment).used() >= Micros::units(100) {
                    return admitted;
                }
                asked = Asked::NotYet;
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn sync(
    meters: &Meters,
    (node, sent_at_ms, reports): (u8, u64, Vec<Report>),
    tally: &mut Tally,
) -> Asked {
    let request = request(node, sent_at_ms, &reports);
    let response = meters.answer(request).await.unwrap();
    let mut asked = Asked::NotYet;
    for (report, wire) in reports.iter().zip(&response.grants) {
        let grant = Grant {
            others: Micros::new(wire.others_micros),
            ceiling: Micros::new(wire.ceiling_micros),
            valid_ms: wire.valid_ms,
            nodes: wire.nodes,
            epoch: response.epoch,
        };
        let slot = tally.slot_of(report).unwrap();
        slot.apply(report, &grant, sent_at_ms, now_ms());
        asked = grant.outcome(report);
    }
    asked
}

#[tokio::test]
async fn envoys_that_call_at_once_are_let_through_exactly_to_the_limit() {
    for place in places().await {
        let charge = monthly(counter(CounterKind::Plan, 5), 100);
        let mut calls = tokio::task::JoinSet::new();
        for node in 1..=5 {
            calls.spawn(calls_until_used(place.meters.clone(), node, charge));
        }
        let admitted = timeout(LIMIT_WAIT, calls.join_all()).await.unwrap();
        assert_eq!(
            admitted.iter().sum::<u64>(),
            100,
            "{}: {admitted:?}",
            place.name
        );
        place.end().await;
    }
}

#[tokio::test]
async fn counts_survive_the_server() {
    for store in test_stores().await {
        let mut epochs = Vec::new();
        for (node, others) in [(1, 0), (2, 3), (3, 6)] {
            let tasks = TaskSet::default();
            let meters = Meters::in_memory(store.store.clone(), Clock::default(), &tasks)
                .await
                .unwrap();
            let told = request(node, now_ms(), &[report(3, 0)]);
            let response = meters.answer(told).await.unwrap();
            assert_eq!(
                response.grants[0].others_micros,
                others * 1_000_000,
                "{}",
                store.url()
            );
            epochs.push(response.epoch);
            tasks.shutdown().await;
        }
        epochs.sort_unstable();
        epochs.dedup();
        assert_eq!(epochs.len(), 3, "every start is another epoch");
    }
}

#[tokio::test]
async fn a_server_that_stops_answers_no_question() {
    for place in places().await {
        place.calm().await;
        place.ask(1, now_ms(), report(0, 10)).await;
        let waits = place.meters.answer(request(2, now_ms(), &[report(0, 1)]));
        let stops = async { place.tasks.shutdown().await };
        let (answer, ()) = tokio::join!(waits, stops);
        assert_eq!(answer, Err(Unanswered::Unavailable), "{}", place.name);
    }
}
