use std::time::Duration;

use requestrocket_process::clock::Clock;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::{
    Interval, Telemetry, TelemetryQuery, TelemetryShare, telemetry_query::Of,
};
use requestrocket_proto::telemetry::v1::Summary;
use time::macros::datetime;

use super::super::day::day_of;
use super::super::fixtures::TestLog;
use super::follow::Follower;
use super::store::sqlite;
use super::*;

/// 2026-11-29 00:00 UTC.
const DAY_MS: u64 = 1_795_910_400_000;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

struct Log {
    kept: TestLog,
    uncounted: Uncounted,
    clock: Clock,
}

impl Log {
    fn of(log: TestLog) -> Self {
        Self {
            kept: log,
            uncounted: Uncounted::default(),
            clock: Clock::manual(datetime!(2026-11-29 12:00 UTC)),
        }
    }

    /// One in each store.
    async fn each() -> impl Iterator<Item = Self> {
        TestLog::each().await.into_iter().map(Self::of)
    }

    /// Commits these, which are of one day.
    async fn commit(&self, records: &[Record]) {
        self.kept.write(records.iter().cloned()).await;
        self.uncounted.add(day_of(records[0].completed_at_ms));
    }

    async fn follower(&self) -> Follower {
        Follower::open(&self.kept.place, self.uncounted.clone(), self.clock.clone())
            .await
            .unwrap()
    }

    /// Counts in one run of the process.
    async fn count(&self) {
        let days = self.kept.place.days().await.unwrap();
        self.follower()
            .await
            .follow(days.into_iter().collect())
            .await;
    }

    async fn told(&self, organisation: &str, of: Option<Of>, interval: Interval) -> Telemetry {
        let query = TelemetryQuery {
            organisation_id: organisation.to_owned(),
            of,
            from_ms: DAY_MS - 24 * HOUR_MS,
            to_ms: DAY_MS + 24 * HOUR_MS,
            interval: interval.into(),
        };
        // Two days of minutes are more than one answer takes.
        let query = match interval {
            Interval::Minute => TelemetryQuery {
                from_ms: DAY_MS,
                ..query
            },
            Interval::Unspecified | Interval::Hour | Interval::Day => query,
        };
        answer(&self.kept.place, &query).await.unwrap().unwrap()
    }
}

fn record(organisation: &str, proxy: &str, credential: &str, moment_ms: u64) -> Record {
    Record {
        organisation_id: organisation.to_owned(),
        proxy_id: proxy.to_owned(),
        credential_id: credential.to_owned(),
        completed_at_ms: moment_ms,
        duration_us: 1_000,
        status: 200,
        ..Record::default()
    }
}

fn requests(told: &Telemetry) -> Vec<(u64, u64)> {
    let points = told.points.iter();
    points
        .map(|point| (point.start_ms, summary(point.summary.as_ref()).requests))
        .collect()
}

fn summary(summary: Option<&Summary>) -> &Summary {
    summary.unwrap()
}

#[tokio::test]
async fn every_committed_record_counts_once_over_restarts() {
    for log in Log::each().await {
        let at = |ms| record("home", "p", "c", DAY_MS + ms);
        log.commit(&[at(0), at(MINUTE_MS - 1), at(MINUTE_MS)]).await;
        log.count().await;
        log.count().await;
        log.commit(&[at(HOUR_MS)]).await;
        // Of the day before, too late.
        log.commit(&[record("home", "p", "", DAY_MS - 1)]).await;
        log.count().await;
        let told = log.told("home", None, Interval::Minute).await;
        let want = [(DAY_MS, 2), (DAY_MS + MINUTE_MS, 1), (DAY_MS + HOUR_MS, 1)];
        assert_eq!(requests(&told), want);
        let told = log.told("home", None, Interval::Hour).await;
        let want = [(DAY_MS - HOUR_MS, 1), (DAY_MS, 3), (DAY_MS + HOUR_MS, 1)];
        assert_eq!(requests(&told), want);
        let told = log.told("home", None, Interval::Day).await;
        assert_eq!(requests(&told), [(DAY_MS - 24 * HOUR_MS, 1), (DAY_MS, 4)]);
    }
}

/// What is added and how far it came are one commit.
#[tokio::test]
async fn a_commit_that_fails_counts_nothing_and_is_made_up_for() {
    let log = Log::of(TestLog::files());
    log.commit(&[record("home", "p", "c", DAY_MS)]).await;
    let mut follower = log.follower().await;
    let folder = log.kept.db.folder().join("calls");
    let mut conn = sqlite::open(&folder).await.unwrap();
    let broken =
        "CREATE TRIGGER broken BEFORE INSERT ON counted BEGIN SELECT RAISE(ABORT, ''); END";
    sqlx::raw_sql(broken).execute(&mut conn).await.unwrap();
    let days = log.uncounted.take().await;
    follower.follow(days.clone()).await;
    let told = log.told("home", None, Interval::Day).await;
    assert_eq!(requests(&told), []);
    let repaired = sqlx::raw_sql("DROP TRIGGER broken");
    repaired.execute(&mut conn).await.unwrap();
    // It has not forgotten.
    assert_eq!(log.uncounted.take().await, days);
    follower.follow(days).await;
    let told = log.told("home", None, Interval::Day).await;
    assert_eq!(requests(&told), [(DAY_MS, 1)]);
}

#[tokio::test]
async fn each_organisation_proxy_and_credential_has_its_own_sums() {
    for log in Log::each().await {
        log.commit(&[
            record("home", "p", "c", DAY_MS),
            record("home", "p", "", DAY_MS),
            record("home", "q", "c", DAY_MS),
            record("home", "q", "d", DAY_MS),
            record("home", "q", "c", DAY_MS),
            record("away", "r", "e", DAY_MS),
        ])
        .await;
        log.count().await;
        let credential = |id: &str| Some(Of::CredentialId(id.to_owned()));
        let proxy = |id: &str| Some(Of::ProxyId(id.to_owned()));
        for (organisation, of, want) in [
            ("home", None, 5),
            ("away", None, 1),
            ("home", proxy("p"), 2),
            ("home", proxy("q"), 3),
            ("home", credential("c"), 3),
            ("home", credential("d"), 1),
            ("home", proxy("c"), 0),
            ("home", proxy(""), 0),
            ("away", proxy("p"), 0),
            ("home", credential("e"), 0),
        ] {
            let told = log.told(organisation, of.clone(), Interval::Minute).await;
            let found: u64 = requests(&told).iter().map(|(_, requests)| requests).sum();
            assert_eq!(found, want, "{organisation} {of:?}");
            assert_eq!(told.lost, 0);
        }
        let told = log.told("home", None, Interval::Day).await;
        let named = |shares: &[TelemetryShare]| -> Vec<_> {
            let shares = shares.iter();
            shares.map(|it| (it.id.clone(), it.requests)).collect()
        };
        let pairs = |all: [(&str, u64); 2]| all.map(|(id, requests)| (id.to_owned(), requests));
        assert_eq!(named(&told.proxies), pairs([("q", 3), ("p", 2)]));
        assert_eq!(named(&told.credentials), pairs([("c", 3), ("d", 1)]));
    }
}

#[tokio::test]
async fn too_many_shares_have_no_sums_of_their_own_and_it_is_said() {
    for log in Log::each().await {
        // The proxy takes one of the places.
        let most = usize::try_from(span::Span::Minute.most_shares()).unwrap() + 2;
        let record = |n| record("home", "p", &format!("c{n:05}"), DAY_MS);
        let records: Vec<_> = (0..most).map(record).collect();
        log.commit(&records).await;
        log.count().await;
        let told = log.told("home", None, Interval::Minute).await;
        let whole = summary(told.points[0].summary.as_ref());
        assert_eq!(whole.requests, u64::try_from(most).unwrap());
        assert_eq!(whole.unplaced, 3);
        let last = Some(Of::CredentialId(format!("c{:05}", most - 1)));
        let told = log.told("home", last.clone(), Interval::Minute).await;
        assert_eq!((requests(&told).len(), told.lost), (0, 3));
        // By the hour there is room.
        let told = log.told("home", last, Interval::Hour).await;
        assert_eq!((requests(&told).len(), told.lost), (1, 0));
    }
}

#[tokio::test]
async fn minutes_are_forgotten_first() {
    for log in Log::each().await {
        log.commit(&[record("home", "p", "c", DAY_MS)]).await;
        log.count().await;
        for (days, minutes, hours, days_left) in [(8, 1, 1, 1), (2, 0, 1, 1), (92, 0, 0, 1)] {
            log.clock.advance(Duration::from_hours(24 * days));
            log.follower().await.keep_house().await;
            for (interval, left) in [
                (Interval::Minute, minutes),
                (Interval::Hour, hours),
                (Interval::Day, days_left),
            ] {
                let told = log.told("home", None, interval).await;
                assert_eq!(told.points.len(), left, "{interval:?} after {days}");
            }
        }
    }
}

#[tokio::test]
async fn too_much_is_not_answered() {
    for log in Log::each().await {
        let _follower = log.follower().await;
        let query = |from_ms, to_ms, interval: Interval| TelemetryQuery {
            organisation_id: "home".to_owned(),
            from_ms,
            to_ms,
            interval: interval.into(),
            of: None,
        };
        for (query, is_answered) in [
            (query(0, 2_000 * MINUTE_MS, Interval::Minute), true),
            (query(0, 2_001 * MINUTE_MS, Interval::Minute), false),
            (query(1, 0, Interval::Day), true),
            (query(24 * HOUR_MS, 0, Interval::Day), false),
            (query(0, 1, Interval::Unspecified), false),
        ] {
            let told = answer(&log.kept.place, &query).await.unwrap();
            assert_eq!(told.is_some(), is_answered, "{query:?}");
        }
    }
}
