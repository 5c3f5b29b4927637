use std::collections::BTreeSet;

use requestrocket_proto::region::v1::{RecordPosition, StatusRange};
use sqlx::Connection as _;

use super::*;
use crate::access_log::call::Call;
use crate::access_log::day;
use crate::access_log::numbers::Numbers;

const DAY_MS: u64 = 86_400_000;

struct Log(tempfile::TempDir);

impl Log {
    async fn of(records: Vec<Record>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for record in records {
            let mut conn = day::open(folder.path(), day_of(record.completed_at_ms))
                .await
                .unwrap();
            let call = Call {
                record,
                number: None,
            };
            day::calls_insert(&mut conn, &[call], &Numbers::default())
                .await
                .unwrap();
            conn.close().await.unwrap();
        }
        Self(folder)
    }

    async fn ids(&self, query: RecordsQuery) -> (Vec<String>, bool, u64) {
        let query = RecordsQuery {
            organisation_id: "home".to_owned(),
            limit: query.limit.max(1),
            ..query
        };
        let found = search(self.0.path(), &query).await.unwrap();
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
    let log = Log::of(records.clone()).await;
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

#[tokio::test]
async fn another_organisations_records_are_never_found() {
    let foreign = Record {
        organisation_id: "abroad".to_owned(),
        ..record("theirs", 5)
    };
    let log = Log::of(vec![record("ours", 5), foreign]).await;
    assert_eq!(log.ids(all()).await, (vec!["ours".to_owned()], false, 1));
    let theirs = RecordsQuery {
        request_id: "theirs".to_owned(),
        ..all()
    };
    assert_eq!(log.ids(theirs).await, (vec![], false, 0));
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
        ..record("other", 2 * DAY_MS)
    };
    let log = Log::of(vec![record("one", 5), other]).await;
    let filters: [(&str, Filter); 13] = [
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
    let log = Log::of((0..5).map(large).collect()).await;
    let (ids, is_more, recorded) = log.ids(all()).await;
    assert_eq!((ids.len(), is_more, recorded), (2, true, 5));
    let ids: BTreeSet<_> = ids.into_iter().collect();
    assert!(ids.contains("id-4") && ids.contains("id-3"));
}
