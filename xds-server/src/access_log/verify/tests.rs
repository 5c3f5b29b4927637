use requestrocket_process::db::Dialect;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use time::macros::date;

use super::*;
use crate::access_log::fixtures::TestLog;
use crate::access_log::retention;

const DAY: Date = date!(1970 - 01 - 01);

/// In each store a day with records 1 to 3, written together, and 4 to 5.
async fn written() -> Vec<TestLog> {
    let logs = TestLog::each().await;
    for log in &logs {
        for numbers in [1..=3, 4..=5] {
            let record = |n| Record {
                request_id: format!("id-{n}"),
                organisation_id: "home".to_owned(),
                completed_at_ms: n,
                ..Record::default()
            };
            log.write(numbers.map(record)).await;
        }
    }
    logs
}

/// By the words of that store. Others stand for themselves in both.
fn said(dialect: Dialect, sql: &str) -> String {
    let words = match dialect {
        Dialect::Sqlite => [
            ("{copy}", "*"),
            ("rowid", "rowid"),
            ("{call}", "call"),
            ("{link}", "link"),
            ("{more}", "CAST(record || x'c03e01' AS BLOB)"),
            ("{empty}", "x''"),
            ("{zeros}", "zeroblob(32)"),
        ],
        Dialect::Postgres => [
            (
                "{copy}",
                "day, 6, completed_at_ms, request_id, organisation_id, proxy_id, status, code, \
                 proxy_code, method, credential_id, subject, path, duration_us, trace_id, record",
            ),
            ("rowid", "row_id"),
            ("{call}", "call_log_1970_01_01"),
            ("{link}", "call_log_link"),
            ("{more}", "record || '\\xc03e01'::BYTEA"),
            ("{empty}", "''::BYTEA"),
            ("{zeros}", "decode(repeat('00', 32), 'hex')"),
        ],
    };
    let replaced = |sql: String, (word, meaning): (&str, &str)| sql.replace(word, meaning);
    words.into_iter().fold(sql.to_owned(), replaced)
}

async fn change(log: &TestLog, sql: &str) {
    if let Place::Files(folder) = &log.place {
        let path = retention::path(folder, DAY);
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
        let sql = AssertSqlSafe(said(Dialect::Sqlite, sql));
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    } else {
        let mut conn = PgConnection::connect(&log.db.url).await.unwrap();
        let sql = AssertSqlSafe(said(Dialect::Postgres, sql));
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    }
}

async fn found(log: &TestLog) -> Verified {
    all(&log.place).await.unwrap().remove(0)
}

#[tokio::test]
async fn what_was_written_is_whole_and_ends_as_any_other_such_day() {
    let one = found(&written().await[0]).await;
    assert_eq!((one.day, one.records, one.problem), (DAY, 5, None));
    assert_eq!(one.end.len(), 64);
    for other in written().await {
        assert_eq!(found(&other).await, one);
    }
}

#[tokio::test]
async fn every_edit_and_every_gap_is_found() {
    for (sql, problem) in [
        (
            "UPDATE {call} SET status = 500 WHERE rowid = 2",
            Problem::Mislabelled(2),
        ),
        (
            "UPDATE {call} SET organisation_id = 'abroad' WHERE rowid = 5",
            Problem::Mislabelled(5),
        ),
        (
            "UPDATE {call} SET trace_id = 'another' WHERE rowid = 2",
            Problem::Mislabelled(2),
        ),
        (
            "UPDATE {call} SET record = {empty} WHERE rowid = 2",
            Problem::Mislabelled(2),
        ),
        // With a field that nobody knows.
        (
            "UPDATE {call} SET record = {more} WHERE rowid = 2",
            Problem::Changed(1, 3),
        ),
        ("DELETE FROM {call} WHERE rowid = 1", Problem::Missing(1)),
        ("DELETE FROM {call} WHERE rowid = 4", Problem::Missing(4)),
        ("DELETE FROM {call} WHERE rowid = 5", Problem::Missing(5)),
        ("DELETE FROM {call}", Problem::Missing(1)),
        (
            "INSERT INTO {call} SELECT {copy} FROM {call} WHERE rowid = 1",
            Problem::Foreign(6),
        ),
        (
            "DELETE FROM {link} WHERE first_row = 4",
            Problem::Foreign(4),
        ),
        (
            "DELETE FROM {link} WHERE first_row = 1",
            Problem::Unlinked(3),
        ),
        (
            "UPDATE {link} SET hash = {zeros} WHERE first_row = 4",
            Problem::Changed(4, 5),
        ),
        (
            "UPDATE {call} SET rowid = 9 WHERE rowid = 1; \
             UPDATE {call} SET rowid = 1 WHERE rowid = 2; UPDATE {call} SET rowid = 2 WHERE rowid = 9",
            Problem::Changed(1, 3),
        ),
    ] {
        for log in written().await {
            change(&log, sql).await;
            let found = found(&log).await;
            assert_eq!(found.problem, Some(problem), "{sql}: {:?}", log.place);
        }
    }
}

/// Who takes out the last records with their hash leaves a chain with another end.
#[tokio::test]
async fn a_shorter_day_ends_otherwise() {
    let whole = found(&written().await[0]).await;
    let sql = "DELETE FROM {link} WHERE first_row = 4; DELETE FROM {call} WHERE rowid > 3";
    for log in written().await {
        change(&log, sql).await;
        let cut = found(&log).await;
        assert_eq!((cut.records, cut.problem), (3, None));
        assert_ne!(cut.end, whole.end);
    }
}

#[tokio::test]
async fn it_is_said_in_lines() {
    for log in written().await {
        let mut said = Vec::new();
        assert!(verify(&log.place, &mut said).await.unwrap());
        let end = found(&log).await.end;
        let want = format!("1970-01-01 ok: 5 records, end {end}\n");
        assert_eq!(String::from_utf8(said).unwrap(), want);
        change(&log, "DELETE FROM {call} WHERE rowid = 4").await;
        let mut said = Vec::new();
        assert!(!verify(&log.place, &mut said).await.unwrap());
        let want = "1970-01-01 CHANGED: record 4 is missing; 3 before are whole\n";
        assert_eq!(String::from_utf8(said).unwrap(), want);
    }
}
