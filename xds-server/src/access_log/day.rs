//! A day's file in SQL: what is written, and how it is opened to be read.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use prost::Message as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};
use time::{Date, OffsetDateTime};

use super::call::{Call, LogFailed};
use super::chain::link_insert;
use super::known;
use super::numbers::Changes;
use super::reader::{LINKED, NUMBERED, Reader, TALLIED, TRACED};
use super::retention;
use super::sql::{HOUR_MS, ROWS, to_sql};

pub(super) const DAY_MS: u64 = 24 * HOUR_MS;
const BUSY: Duration = Duration::from_secs(5);
/// Calls of a day; what is selected by has a column, and everything is in the record.
const CALLS: &str = "
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
    CREATE INDEX IF NOT EXISTS call_by_id ON call (request_id);
";
/// Of files that were begun without it, too.
const TALLIES: &str = "
    BEGIN;
    DROP INDEX IF EXISTS call_by_proxy;
    CREATE INDEX call_of_proxy
        ON call (organisation_id, proxy_id, completed_at_ms, request_id);
    CREATE TABLE tally (
        organisation_id TEXT NOT NULL,
        hour INTEGER NOT NULL,
        proxy_id TEXT NOT NULL,
        recorded INTEGER NOT NULL,
        PRIMARY KEY (organisation_id, hour, proxy_id)
    ) WITHOUT ROWID;
    INSERT INTO tally
        SELECT organisation_id, completed_at_ms / 3600000, proxy_id, COUNT(*)
        FROM call GROUP BY 1, 2, 3;
    PRAGMA user_version = 1;
    COMMIT;
";

/// By which the numbers that were seen are known, whatever became of what was written of them.
const NUMBERS: &str = "
    BEGIN;
    ALTER TABLE call ADD COLUMN worker_id BLOB;
    ALTER TABLE call ADD COLUMN number INTEGER;
    PRAGMA user_version = 2;
    COMMIT;
";

/// The chain of what is written from then on.
const LINKS: &str = "
    BEGIN;
    CREATE TABLE link (
        first_row INTEGER PRIMARY KEY, last_row INTEGER NOT NULL, hash BLOB NOT NULL
    );
    PRAGMA user_version = 3;
    COMMIT;
";

/// Calls that were recorded before are found by no trace.
const TRACES: &str = "
    BEGIN;
    ALTER TABLE call ADD COLUMN trace_id TEXT NOT NULL DEFAULT '';
    PRAGMA user_version = 4;
    COMMIT;
";

/// Opens a day's file to write, and makes it if it is not there.
pub(super) async fn open(folder: &Path, day: Date) -> Result<SqliteConnection, LogFailed> {
    let options = SqliteConnectOptions::new()
        .filename(retention::path(folder, day))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A record is on the disk before its number: two attached files are not one commit.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(CALLS).execute(&mut conn).await?;
    let version = version(&mut conn).await?;
    for (since, sql) in [
        (TALLIED, TALLIES),
        (NUMBERED, NUMBERS),
        (LINKED, LINKS),
        (TRACED, TRACES),
    ] {
        if version < since {
            sqlx::raw_sql(sql).execute(&mut conn).await?;
        }
    }
    known::attach(&mut conn, folder).await?;
    Ok(conn)
}

/// Opens a day's file to read, if there is anything in it. It does not wait for the writer, nor that
/// for it.
pub(super) async fn open_to_read(folder: &Path, day: Date) -> Result<Option<Reader>, LogFailed> {
    let path = retention::path(folder, day);
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .busy_timeout(BUSY)
        .pragma("query_only", "ON");
    let mut conn = match SqliteConnection::connect_with(&options).await {
        // What is too old is dropped at any time.
        Err(_) if !path.exists() => return Ok(None),
        conn => conn?,
    };
    let tables: Vec<(i64,)> = sqlx::query_as("SELECT 1 FROM sqlite_schema WHERE name = 'call'")
        .fetch_all(&mut conn)
        .await?;
    if tables.is_empty() {
        return Ok(None);
    }
    let version = version(&mut conn).await?;
    Ok(Some(Reader::of_file(conn, day, version)))
}

async fn version(conn: &mut SqliteConnection) -> Result<i64, LogFailed> {
    let (version,): (i64,) = sqlx::query_as("PRAGMA user_version")
        .fetch_one(conn)
        .await?;
    Ok(version)
}

/// Writes calls of one day, and what changed of what is known of workers, in one transaction. Should
/// that break off between the two files, numbers may be missing whose calls are there, never the other
/// way round: these are read again.
pub(super) async fn calls_insert(
    conn: &mut SqliteConnection,
    calls: &[Call],
    changes: &Changes,
) -> Result<(), LogFailed> {
    let Some(first) = calls.first() else {
        return Ok(());
    };
    let day = day_of(first.record.completed_at_ms);
    let records = calls.iter().map(|call| call.record.encode_to_vec());
    let records: Vec<Vec<u8>> = records.collect();
    let rows: Vec<(&Call, &Vec<u8>)> = calls.iter().zip(&records).collect();
    let mut tx = conn.begin().await?;
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO call (completed_at_ms, request_id, organisation_id, proxy_id, status, \
             code, proxy_code, method, credential_id, subject, path, duration_us, record, worker_id, \
             number, trace_id) ",
        );
        insert.push_values(rows, |mut row, (Call { record, number }, encoded)| {
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
                .push_bind(encoded.as_slice())
                .push_bind(number.map(|number| number.worker.to_vec()))
                .push_bind(number.map(|number| to_sql(number.number)))
                .push_bind(record.trace_id.as_str());
        });
        insert
            .build()
            // Any other number of rows would be one more prepared statement that is kept.
            .persistent(rows.len() == ROWS)
            .execute(&mut *tx)
            .await?;
    }
    link_insert(&mut tx, day, &records).await?;
    tallies_add(&mut tx, calls).await?;
    known::numbers_update(&mut tx, changes, day).await?;
    tx.commit().await?;
    Ok(())
}

/// UTC. What no calendar holds is put to the first day.
pub(super) fn day_of(unix_ms: u64) -> Date {
    let seconds = i64::try_from(unix_ms / 1_000).unwrap_or(0);
    OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .date()
}

async fn tallies_add(conn: &mut SqliteConnection, calls: &[Call]) -> Result<(), LogFailed> {
    let mut tallies: BTreeMap<(&str, u64, &str), i64> = BTreeMap::new();
    for Call { record, .. } in calls {
        let hour = record.completed_at_ms / HOUR_MS;
        let key = (&*record.organisation_id, hour, &*record.proxy_id);
        *tallies.entry(key).or_default() += 1;
    }
    for ((organisation_id, hour, proxy_id), recorded) in tallies {
        sqlx::query(
            "INSERT INTO tally VALUES ($1, $2, $3, $4) ON CONFLICT (organisation_id, hour, proxy_id) \
             DO UPDATE SET recorded = recorded + excluded.recorded",
        )
        .bind(organisation_id)
        .bind(to_sql(hour))
        .bind(proxy_id)
        .bind(recorded)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
