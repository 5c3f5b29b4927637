//! A day's file and the file of numbers beside it, in SQL: what is written.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use prost::Message as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};
use time::Date;

use super::call::{Call, LogFailed};
use super::numbers::{Gap, Numbers, Worker};
use super::retention;

/// Rows of one statement: SQLite takes 32,766 values.
const ROWS: usize = 512;
const BUSY: Duration = Duration::from_secs(5);
/// Calls of a day; what is selected by has a column, and everything is in the record.
const DAY: &str = "
    CREATE TABLE IF NOT EXISTS call (
        completed_at_ms INTEGER NOT NULL,
        request_id TEXT NOT NULL,
        organisation_id TEXT NOT NULL,
        proxy_id TEXT NOT NULL,
        status INTEGER NOT NULL,
        code TEXT NOT NULL,
        proxy_code TEXT NOT NULL,
        method TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        subject TEXT NOT NULL,
        path TEXT NOT NULL,
        duration_us INTEGER NOT NULL,
        record BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS call_by_organisation
        ON call (organisation_id, completed_at_ms, request_id);
    CREATE INDEX IF NOT EXISTS call_by_proxy ON call (proxy_id, completed_at_ms, request_id);
    CREATE INDEX IF NOT EXISTS call_by_id ON call (request_id);
";
const NUMBERS: &str = "
    PRAGMA numbers.journal_mode = WAL;
    PRAGMA numbers.synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS numbers.worker (
        worker_id BLOB PRIMARY KEY, highest INTEGER NOT NULL, seen_ms INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS numbers.gap (
        worker_id BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        since_ms INTEGER NOT NULL, PRIMARY KEY (worker_id, first)
    );
";

/// Opens a day's file to write, and makes it if it is not there.
pub(super) async fn open(folder: &Path, day: Date) -> Result<SqliteConnection, LogFailed> {
    let options = SqliteConnectOptions::new()
        .filename(retention::path(folder, day))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(DAY).execute(&mut conn).await?;
    let numbers = folder.join("numbers.db");
    sqlx::query("ATTACH DATABASE $1 AS numbers")
        .bind(numbers.to_string_lossy().into_owned())
        .execute(&mut conn)
        .await?;
    sqlx::raw_sql(NUMBERS).execute(&mut conn).await?;
    Ok(conn)
}

/// Opens a day's file to read, if there is anything in it. It does not wait for the writer, nor that
/// for it.
pub(super) async fn open_to_read(path: &Path) -> Result<Option<SqliteConnection>, LogFailed> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .pragma("query_only", "ON");
    let mut conn = match SqliteConnection::connect_with(&options).await {
        Err(_) if !path.exists() => return Ok(None),
        conn => conn?,
    };
    let tables: Vec<(i64,)> = sqlx::query_as("SELECT 1 FROM sqlite_schema WHERE name = 'call'")
        .fetch_all(&mut conn)
        .await?;
    Ok((!tables.is_empty()).then_some(conn))
}

/// What is known of workers.
pub(super) async fn numbers_fetch(conn: &mut SqliteConnection) -> Result<Numbers, LogFailed> {
    let mut numbers = Numbers::default();
    let workers: Vec<(Vec<u8>, i64, i64)> =
        sqlx::query_as("SELECT worker_id, highest, seen_ms FROM numbers.worker")
            .fetch_all(&mut *conn)
            .await?;
    for (id, highest, seen_ms) in workers {
        let worker = numbers.0.entry(worker_id(&id)?).or_default();
        (worker.highest, worker.seen_ms) = (from_sql(highest)?, from_sql(seen_ms)?);
    }
    let gaps: Vec<(Vec<u8>, i64, i64, i64)> =
        sqlx::query_as("SELECT worker_id, first, last, since_ms FROM numbers.gap")
            .fetch_all(conn)
            .await?;
    for (id, first, last, since_ms) in gaps {
        let worker = numbers.0.entry(worker_id(&id)?).or_default();
        let (last, since_ms) = (from_sql(last)?, from_sql(since_ms)?);
        worker.gaps.insert(from_sql(first)?, Gap { last, since_ms });
    }
    Ok(numbers)
}

/// Writes calls of one day, and what is known of the workers that they came from, in one
/// transaction. Should the machine lose its power, numbers may be missing whose calls are there, never
/// the other way round.
pub(super) async fn calls_insert(
    conn: &mut SqliteConnection,
    calls: &[Call],
    numbers: &Numbers,
) -> Result<(), LogFailed> {
    let mut tx = conn.begin().await?;
    for rows in calls.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO call (completed_at_ms, request_id, organisation_id, proxy_id, status, \
             code, proxy_code, method, credential_id, subject, path, duration_us, record) ",
        );
        insert.push_values(rows, |mut row, Call { record, .. }| {
            row.push_bind(to_sql(record.completed_at_ms))
                .push_bind(record.request_id.as_str())
                .push_bind(record.organisation_id.as_str())
                .push_bind(record.proxy_id.as_str())
                .push_bind(i64::from(record.status))
                .push_bind(record.code.as_str())
                .push_bind(record.proxy_code.as_str())
                .push_bind(record.method.as_str())
                .push_bind(record.credential_id.as_str())
                .push_bind(record.subject.as_str())
                .push_bind(record.path.as_str())
                .push_bind(to_sql(record.duration_us))
                .push_bind(record.encode_to_vec());
        });
        insert
            .build()
            .persistent(rows.len() == ROWS)
            .execute(&mut *tx)
            .await?;
    }
    let numbered = calls.iter().filter_map(|call| call.number);
    let workers: BTreeSet<[u8; 16]> = numbered.map(|number| number.worker).collect();
    for id in workers {
        if let Some(worker) = numbers.0.get(&id) {
            worker_upsert(&mut tx, id, worker).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

async fn worker_upsert(
    conn: &mut SqliteConnection,
    id: [u8; 16],
    worker: &Worker,
) -> Result<(), LogFailed> {
    sqlx::query("INSERT OR REPLACE INTO numbers.worker VALUES ($1, $2, $3)")
        .bind(&id[..])
        .bind(to_sql(worker.highest))
        .bind(to_sql(worker.seen_ms))
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM numbers.gap WHERE worker_id = $1")
        .bind(&id[..])
        .execute(&mut *conn)
        .await?;
    let gaps: Vec<_> = worker.gaps.iter().collect();
    for gaps in gaps.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO numbers.gap ");
        insert.push_values(gaps, |mut row, (first, gap)| {
            row.push_bind(&id[..])
                .push_bind(to_sql(**first))
                .push_bind(to_sql(gap.last))
                .push_bind(to_sql(gap.since_ms));
        });
        insert.build().persistent(false).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Forgets gaps that began before then, and workers that were not heard of since.
pub(super) async fn numbers_forget(
    conn: &mut SqliteConnection,
    before_ms: u64,
) -> Result<(), LogFailed> {
    for sql in [
        "DELETE FROM numbers.gap WHERE since_ms < $1",
        "DELETE FROM numbers.worker WHERE seen_ms < $1",
    ] {
        sqlx::query(sql)
            .bind(to_sql(before_ms))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

fn worker_id(bytes: &[u8]) -> Result<[u8; 16], LogFailed> {
    bytes.try_into().map_err(|_| LogFailed::Damaged)
}

pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> Result<u64, LogFailed> {
    u64::try_from(number).map_err(|_| LogFailed::Damaged)
}
