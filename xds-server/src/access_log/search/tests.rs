use std::collections::BTreeSet;

use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::{RecordPosition, StatusRange};
use sqlx::Connection as _;

use super::*;
use crate::access_log::day::DAY_MS;
use crate::access_log::fixtures::TestLog;
use crate::access_log::retention;
use crate::access_log::search::page::{MAX_BYTES, SLICE};
use crate::access_log::sql::HOUR_MS;
use crate::access_log::verify::verify;

struct Log(TestLog);

impl Log {
    /// One in each store, with these.
    async fn each(records: Vec<Record>) -> Vec<Self> {
        let mut logs = Vec::new();
        for log in TestLog::each().await {
            log.write(records.clone()).await;
            logs.push(Self(log));
        }
        logs
    }

    async fn ids(&self, query: RecordsQuery) -> (Vec<String>, bool, u64) {
        let query = RecordsQuery {
            organisation_id: "home".to_owned(),
            limit: query.limit.max(1),
            ..query
        };
        let found = search(&self.0.place, &query).await.unwrap();
        let ids = found.records.into_iter().map(|record| record.request_id);
        (ids.collect(), found.is_more, found.recorded)
    }
}

fn record(id: &str, completed_at_ms: u64) -> Record {
    Record {
        request_id: id.to_owned(),
        organisation_id: "home".to_owned(),
        proxy_id: "p".to_owned(),
        completed_at_ms,
        status: 200,
        ..Record::default()
    }
}

fn all() -> RecordsQuery {
    RecordsQuery {
        limit: 100,
        ..RecordsQuery::default()
    }
}

#[tokio::test]
async fn pages_go_over_days_in_either_order_without_a_gap_or_a_repetition() {
    let moments = [5, 5, 7, DAY_MS - 1, DAY_MS, DAY_MS, 3 * DAY_MS];
    let records: Vec<Record> = (0..)
        .zip(moments)
        .map(|(n, at)| record(&format!("id-{n}"), at))
        .collect();
    for log in Log::each(records.clone()).await {
        let at = |id: &str| {
            let mut records = records.iter();
            let record = records.find(|record| record.request_id == id);
            record.unwrap().completed_at_ms
        };
        for is_ascending in [false, true] {
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let query = RecordsQuery {
                    limit: 2,
                    is_ascending,
                    after: after.clone(),
                    ..RecordsQuery::default()
                };
                let (ids, is_more, recorded) = log.ids(query).await;
                assert_eq!(recorded, 7);
                after = ids.last().map(|id| RecordPosition {
                    completed_at_ms: at(id),
                    request_id: id.clone(),
                });
                seen.extend(ids);
                if !is_more {
                    break;
                }
            }
            let sorted: Vec<String> = (0..7).map(|n| format!("id-{n}")).collect();
            if !is_ascending {
                seen.reverse();
            }
            assert_eq!(seen, sorted);
        }
    }
}

#[tokio::test]
async fn another_organisations_records_are_never_found() {
    let foreign = Record {
        organisation_id: "abroad".to_owned(),
        ..record("theirs", 5)
    };
    for log in Log::each(vec![record("ours", 5), foreign]).await {
        assert_eq!(log.ids(all()).await, (vec!["ours".to_owned()], false, 1));
        let theirs = RecordsQuery {
            request_id: "theirs".to_owned(),
            ..all()
        };
        assert_eq!(log.ids(theirs).await, (vec![], false, 0));
    }
}

/// Adds a filter.
type Filter = fn(&mut RecordsQuery);

#[tokio::test]
async fn each_filter_selects() {
    let other = Record {
        proxy_id: "q".to_owned(),
        status: 404,
        code: "RULE_DENIED".to_owned(),
        proxy_code: "proxy-access-denied".to_owned(),
        method: "POST".to_owned(),
        credential_id: "c".to_owned(),
        subject: "s".to_owned(),
        path: "/a/b".to_owned(),
        duration_us: 9,
        trace_id: "t".to_owned(),
        ..record("other", 2 * DAY_MS)
    };
    for log in Log::each(vec![record("one", 5), other]).await {
        let filters: [(&str, Filter); 14] = [
            ("proxy", |query| query.proxy_id = "q".to_owned()),
            ("id", |query| query.request_id = "other".to_owned()),
            ("from", |query| query.from_ms = Some(2 * DAY_MS)),
            ("class", |query| query.statuses = ranges(&[(400, 499)])),
            ("list", |query| {
                query.statuses = ranges(&[(1, 2), (404, 404)]);
            }),
            ("code", |query| query.codes = texts(&["RULE_DENIED"])),
            ("proxy code", |query| {
                query.proxy_codes = texts(&["proxy-access-denied"]);
            }),
            ("method", |query| query.methods = texts(&["POST"])),
            ("credential", |query| query.credential_ids = texts(&["c"])),
            ("subject", |query| query.subjects = texts(&["x", "s"])),
            ("path", |query| query.path_contains = "a/".to_owned()),
            ("duration", |query| query.min_duration_us = 9),
            ("denied", |query| query.is_denied = true),
            ("trace", |query| query.trace_id = "t".to_owned()),
        ];
        for (name, filter) in filters {
            let mut query = all();
            filter(&mut query);
            let found = log.ids(query).await;
            assert_eq!(found, (texts(&["other"]), false, 1), "{name}");
        }
        let before = RecordsQuery {
            to_ms: Some(2 * DAY_MS),
            ..all()
        };
        assert_eq!(log.ids(before).await.0, ["one"]);
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn ranges(ranges: &[(u32, u32)]) -> Vec<StatusRange> {
    let ranges = ranges.iter();
    ranges
        .map(|&(first, last)| StatusRange { first, last })
        .collect()
}

#[tokio::test]
async fn a_page_is_bounded_in_bytes() {
    let large = |n: u64| Record {
        path: "x".repeat(MAX_BYTES / 3),
        ..record(&format!("id-{n}"), n)
    };
    for log in Log::each((0..5).map(large).collect()).await {
        let (ids, is_more, recorded) = log.ids(all()).await;
        assert_eq!((ids.len(), is_more, recorded), (2, true, 5));
        let ids: BTreeSet<_> = ids.into_iter().collect();
        assert!(ids.contains("id-4") && ids.contains("id-3"));
    }
}

/// Enough for a slice or two, in thousands of steps.
const LITTLE: u32 = 15;

/// Each page of a search that may do next to nothing, one after the other.
async fn pages(log: &Log, query: RecordsQuery) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut query = RecordsQuery {
        organisation_id: "home".to_owned(),
        is_uncounted: true,
        ..query
    };
    loop {
        let found = search_within(&log.0.place, &query, LITTLE).await.unwrap();
        let ids = found.records.into_iter().map(|record| record.request_id);
        pages.push(ids.collect());
        if !found.is_more {
            return pages;
        }
        assert_ne!(found.reached, query.after, "a page goes on");
        query.after = found.reached;
    }
}

#[tokio::test]
async fn a_search_that_takes_too_much_goes_on_where_it_was() {
    let slice = SLICE;
    let found = [3, slice - 1, slice, 7 * slice + 9];
    let records = (0..9 * slice).map(|n| Record {
        status: if found.contains(&n) { 404 } else { 200 },
        ..record(&format!("id-{n:06}"), n / 3 * (DAY_MS / slice))
    });
    for log in Log::each(records.collect()).await {
        for is_ascending in [false, true] {
            let query = RecordsQuery {
                statuses: ranges(&[(404, 404)]),
                is_ascending,
                ..all()
            };
            let pages = pages(&log, query).await;
            assert!(pages.len() > 2, "{pages:?}");
            let mut seen = pages.concat();
            if !is_ascending {
                seen.reverse();
            }
            assert_eq!(seen, found.map(|n| format!("id-{n:06}")));
        }
    }
}

#[tokio::test]
async fn what_takes_too_much_is_not_counted() {
    let records = (0..6_000).map(|n| record(&format!("id-{n}"), n));
    for log in Log::each(records.collect()).await {
        let all = RecordsQuery {
            organisation_id: "home".to_owned(),
            ..all()
        };
        let filtered = RecordsQuery {
            methods: texts(&["GET"]),
            ..all.clone()
        };
        for (query, is_counted) in [
            (all, true),
            // By its steps. In PostgreSQL time alone bounds what is counted.
            (filtered.clone(), matches!(log.0.place, Place::Postgres(_))),
            (
                RecordsQuery {
                    is_uncounted: true,
                    ..filtered
                },
                true,
            ),
        ] {
            let found = search_within(&log.0.place, &query, LITTLE).await;
            assert_eq!(found.is_ok(), is_counted, "{query:?}");
            assert!(matches!(found, Ok(_) | Err(LogFailed::TooMuch)));
        }
    }
}

#[tokio::test]
async fn whole_hours_are_counted_as_if_one_by_one() {
    let moments = [0, 1, HOUR_MS - 1, HOUR_MS, HOUR_MS + 1, 5 * HOUR_MS, DAY_MS];
    let records = (0..).zip(moments).map(|(n, at)| Record {
        proxy_id: if n % 2 == 0 { "p" } else { "q" }.to_owned(),
        ..record(&format!("id-{n}"), at)
    });
    for log in Log::each(records.collect()).await {
        let bounds = [0, 1, HOUR_MS - 1, HOUR_MS, HOUR_MS + 1, 2 * HOUR_MS, DAY_MS];
        let bounds = bounds.map(Some).into_iter().chain([None]);
        for (from_ms, to_ms) in bounds
            .clone()
            .flat_map(|from| bounds.clone().map(move |to| (from, to)))
        {
            for proxy_id in ["", "p", "q"] {
                let within = |(n, at): &(u64, u64)| {
                    from_ms.is_none_or(|from| *at >= from)
                        && to_ms.is_none_or(|to| *at < to)
                        && (proxy_id.is_empty() || (proxy_id == "p") == (n % 2 == 0))
                };
                let want = (0..).zip(moments).filter(within).count();
                let query = RecordsQuery {
                    from_ms,
                    to_ms,
                    proxy_id: proxy_id.to_owned(),
                    ..all()
                };
                let (_, _, recorded) = log.ids(query).await;
                assert_eq!(
                    recorded,
                    u64::try_from(want).unwrap(),
                    "{from_ms:?} {to_ms:?} {proxy_id}"
                );
            }
        }
    }
}

/// A file of before there were tallies.
#[tokio::test]
async fn a_file_without_tallies_is_counted_and_goes_on_with_them() {
    let log = Log(TestLog::files());
    log.0.write([record("one", 5), record("two", 6)]).await;
    let path = retention::path(&log.0.db.folder().join("calls"), day_of(5));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut conn = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    sqlx::raw_sql(
        "DROP TABLE link; DROP TABLE tally; DROP INDEX call_of_proxy; ALTER TABLE call DROP COLUMN number; \
         ALTER TABLE call DROP COLUMN worker_id; \
         ALTER TABLE call DROP COLUMN trace_id; PRAGMA user_version = 0",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    conn.close().await.unwrap();
    assert_eq!(log.ids(all()).await.2, 2);
    let traced = || RecordsQuery {
        trace_id: "t".to_owned(),
        ..all()
    };
    assert_eq!(log.ids(traced()).await.2, 0);
    let three = Record {
        trace_id: "t".to_owned(),
        ..record("three", 7)
    };
    log.0.write([three]).await;
    assert_eq!(log.ids(all()).await.2, 3);
    assert_eq!(log.ids(traced()).await.2, 1);
}

#[tokio::test]
async fn tables_of_before_there_were_traces_get_them() {
    for log in TestLog::each().await {
        let Place::Postgres(postgres) = &log.place else {
            continue;
        };
        let one = Record {
            trace_id: "t".to_owned(),
            ..record("one", 5)
        };
        log.write([one.clone()]).await;
        let mut conn = postgres.connect().await.unwrap();
        sqlx::raw_sql("ALTER TABLE call_log DROP COLUMN trace_id")
            .execute(&mut conn)
            .await
            .unwrap();
        postgres.prepare().await.unwrap();
        postgres.prepare().await.unwrap();
        let place = log.place.clone();
        let log = Log(log);
        assert_eq!(log.ids(all()).await.2, 1);
        let two = Record {
            request_id: "two".to_owned(),
            ..one
        };
        log.0.write([two]).await;
        let traced = RecordsQuery {
            trace_id: "t".to_owned(),
            ..all()
        };
        assert_eq!(log.ids(traced).await.2, 1);
        assert!(verify(&place, &mut Vec::new()).await.unwrap());
    }
}
