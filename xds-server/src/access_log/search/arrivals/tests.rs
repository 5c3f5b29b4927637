use super::*;
use crate::access_log::day::DAY_MS;
use crate::access_log::fixtures::TestLog;

/// A log that is written to.
struct Log(TestLog);

impl Log {
    /// One in each store.
    async fn each() -> impl Iterator<Item = Self> {
        TestLog::each().await.into_iter().map(Self)
    }

    /// In that order, one by one.
    async fn write(&self, records: Vec<Record>) {
        for record in records {
            self.0.write([record]).await;
        }
    }

    async fn behind(&self, behind: Option<Behind>) -> Arrivals {
        let selection = Some(RecordsQuery {
            organisation_id: "home".to_owned(),
            codes: vec!["X".to_owned()],
            ..RecordsQuery::default()
        });
        let query = ArrivalsQuery { selection, behind };
        arrivals(&self.0.place, &query).await.unwrap()
    }
}

fn record(id: &str, completed_at_ms: u64) -> Record {
    Record {
        request_id: id.to_owned(),
        organisation_id: "home".to_owned(),
        code: "X".to_owned(),
        completed_at_ms,
        ..Record::default()
    }
}

fn ids(arrivals: &Arrivals) -> Vec<&str> {
    let records = arrivals.records.iter();
    records.map(|record| record.request_id.as_str()).collect()
}

#[tokio::test]
async fn what_comes_is_told_once_whenever_it_was_over_and_to_nobody_else() {
    for log in Log::each().await {
        assert_eq!(log.behind(None).await.reached, Some(Arrival::default()));
        log.write(vec![record("old", DAY_MS + 50)]).await;
        let now = log.behind(None).await;
        assert!(now.records.is_empty());
        let foreign = Record {
            organisation_id: "abroad".to_owned(),
            ..record("theirs", DAY_MS + 60)
        };
        let other = Record {
            code: String::new(),
            ..record("other", DAY_MS + 60)
        };
        // The second was over before what is known.
        log.write(vec![
            record("a", DAY_MS + 60),
            foreign,
            other,
            record("b", DAY_MS + 1),
            record("c", 2 * DAY_MS),
        ])
        .await;
        let found = log.behind(now.reached.map(Behind::Arrival)).await;
        assert_eq!(ids(&found), ["a", "b", "c"]);
        let found = log.behind(found.reached.map(Behind::Arrival)).await;
        assert!(found.records.is_empty() && !found.is_more);
        log.write(vec![record("d", 2 * DAY_MS)]).await;
        let found = log.behind(found.reached.map(Behind::Arrival)).await;
        assert_eq!(ids(&found), ["d"]);
    }
}

#[tokio::test]
async fn who_was_away_goes_on_behind_a_record() {
    for log in Log::each().await {
        log.write(vec![record("a", 10), record("b", 5), record("c", 20)])
            .await;
        for (id, at, want) in [
            ("a", 10, &["b", "c"][..]),
            ("b", 5, &["c"]),
            ("c", 20, &[]),
            // One that is gone: behind what was over by then.
            ("gone", 7, &["c"]),
            ("gone", 0, &["a", "b", "c"]),
            ("gone", DAY_MS, &[]),
        ] {
            let record = RecordPosition {
                completed_at_ms: at,
                request_id: id.to_owned(),
            };
            let found = log.behind(Some(Behind::Record(record))).await;
            assert_eq!(ids(&found), want, "{id} {at}");
        }
    }
}

#[tokio::test]
async fn what_is_told_at_a_time_is_bounded() {
    for log in Log::each().await {
        let large = |n: u64| Record {
            path: "x".repeat(MAX_BYTES / 3),
            ..record(&format!("id-{n}"), n)
        };
        log.write((0..5).map(large).collect()).await;
        let mut reached = Arrival::default();
        let mut seen = Vec::new();
        loop {
            let found = log.behind(Some(Behind::Arrival(reached))).await;
            assert!(found.records.len() <= 2);
            seen.extend(found.records.iter().map(|it| it.request_id.clone()));
            reached = found.reached.unwrap();
            if !found.is_more {
                break;
            }
        }
        assert_eq!(seen, ["id-0", "id-1", "id-2", "id-3", "id-4"]);
    }
}
