use sqlx::Connection as _;
use time::macros::date;

use super::*;
use crate::access_log::call::Call;
use crate::access_log::numbers::Changes;
use crate::access_log::{day, retention};

const DAY: Date = date!(1970 - 01 - 01);

/// A day with records 1 to 3, written together, and 4 to 5.
async fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut conn = day::open(folder.path(), DAY).await.unwrap();
    for numbers in [1..=3, 4..=5] {
        let call = |n| Call {
            record: Record {
                request_id: format!("id-{n}"),
                organisation_id: "home".to_owned(),
                completed_at_ms: n,
                ..Record::default()
            },
            number: None,
        };
        let calls: Vec<_> = numbers.map(call).collect();
        let changes = Changes::default();
        day::calls_insert(&mut conn, &calls, &changes)
            .await
            .unwrap();
    }
    conn.close().await.unwrap();
    folder
}

async fn change(folder: &Path, sql: &'static str) {
    let path = retention::path(folder, DAY);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

async fn found(folder: &Path) -> Verified {
    all(folder).await.unwrap().remove(0)
}

#[tokio::test]
async fn what_was_written_is_whole_and_ends_as_any_other_such_day() {
    let (one, other) = (written().await, written().await);
    let one = found(one.path()).await;
    assert_eq!((one.day, one.records, one.problem), (DAY, 5, None));
    assert_eq!(one.end.len(), 64);
    assert_eq!(found(other.path()).await.end, one.end);
}

#[tokio::test]
async fn every_edit_and_every_gap_is_found() {
    for (sql, problem) in [
        (
            "UPDATE call SET status = 500 WHERE rowid = 2",
            Problem::Mislabelled(2),
        ),
        (
            "UPDATE call SET organisation_id = 'abroad' WHERE rowid = 5",
            Problem::Mislabelled(5),
        ),
        (
            "UPDATE call SET record = x'' WHERE rowid = 2",
            Problem::Mislabelled(2),
        ),
        // With a field that nobody knows.
        (
            "UPDATE call SET record = CAST(record || x'e00301' AS BLOB) WHERE rowid = 2",
            Problem::Changed(1, 3),
        ),
        ("DELETE FROM call WHERE rowid = 1", Problem::Missing(1)),
        ("DELETE FROM call WHERE rowid = 4", Problem::Missing(4)),
        ("DELETE FROM call WHERE rowid = 5", Problem::Missing(5)),
        ("DELETE FROM call", Problem::Missing(1)),
        (
            "INSERT INTO call SELECT * FROM call WHERE rowid = 1",
            Problem::Foreign(6),
        ),
        ("DELETE FROM link WHERE first_row = 4", Problem::Foreign(4)),
        ("DELETE FROM link WHERE first_row = 1", Problem::Unlinked(3)),
        (
            "UPDATE link SET hash = zeroblob(32) WHERE first_row = 4",
            Problem::Changed(4, 5),
        ),
        (
            "UPDATE call SET rowid = 9 WHERE rowid = 1; UPDATE call SET rowid = 1 WHERE rowid = 2; \
             UPDATE call SET rowid = 2 WHERE rowid = 9",
            Problem::Changed(1, 3),
        ),
    ] {
        let folder = written().await;
        change(folder.path(), sql).await;
        let found = found(folder.path()).await;
        assert_eq!(found.problem, Some(problem), "{sql}");
    }
}

/// Who takes out the last records with their hash leaves a chain with another end.
#[tokio::test]
async fn a_shorter_day_ends_otherwise() {
    let (whole, cut) = (written().await, written().await);
    let sql = "DELETE FROM link WHERE first_row = 4; DELETE FROM call WHERE rowid > 3";
    change(cut.path(), sql).await;
    let (whole, cut) = (found(whole.path()).await, found(cut.path()).await);
    assert_eq!((cut.records, cut.problem), (3, None));
    assert_ne!(cut.end, whole.end);
}

#[tokio::test]
async fn it_is_said_in_lines() {
    let folder = written().await;
    let mut said = Vec::new();
    assert!(verify(folder.path(), &mut said).await.unwrap());
    let end = found(folder.path()).await.end;
    let want = format!("1970-01-01 ok: 5 records, end {end}\n");
    assert_eq!(String::from_utf8(said).unwrap(), want);
    change(folder.path(), "DELETE FROM call WHERE rowid = 4").await;
    let mut said = Vec::new();
    assert!(!verify(folder.path(), &mut said).await.unwrap());
    let want = "1970-01-01 CHANGED: record 4 is missing; 3 before are whole\n";
    assert_eq!(String::from_utf8(said).unwrap(), want);
}
