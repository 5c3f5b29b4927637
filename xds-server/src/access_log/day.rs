//! A day's file in SQL: what is written, and how it is opened to be read.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use prost::Message as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};
use time::Date;

use super::call::{Call, LogFailed};
use super::known;
use super::numbers::Changes;
use super::retention;
use super::sql::{ROWS, to_sql};

/// What is counted together.
pub(super) const HOUR_MS: u64 = 3_600_000;
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;
const BUSY: Duration = Duration::from_secs(5);
/// Of files that have all of this.
const VERSION: i64 = 1;
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

/// A day that is open to be read.
pub(super) struct Reader {
    pub(super) conn: SqliteConnection,
    /// How many calls there were stands in it.
    pub(super) has_tallies: bool,
}

/// Opens a day's file to write, and makes it if it is not there.
pub(super) async fn open(folder: &Path, day: Date) -> Result<SqliteConnection, LogFailed> {
    let options = SqliteConnectOptions::new()
        .filename(retention::path(folder, day))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(CALLS).execute(&mut conn).await?;
    if version(&mut conn).await? < VERSION {
        sqlx::raw_sql(TALLIES).execute(&mut conn).await?;
    }
    known::attach(&mut conn, folder).await?;
    Ok(conn)
}

/// Opens a day's file to read, if there is anything in it. It does not wait for the writer, nor that
/// for it.
pub(super) async fn open_to_read(path: &Path) -> Result<Option<Reader>, LogFailed> {
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
    if tables.is_empty() {
        return Ok(None);
    }
    let has_tallies = version(&mut conn).await? >= VERSION;
    Ok(Some(Reader { conn, has_tallies }))
}

async fn version(conn: &mut SqliteConnection) -> Result<i64, LogFailed> {
    let (version,): (i64,) = sqlx::query_as("PRAGMA user_version")
        .fetch_one(conn)
        .await?;
    Ok(version)
}

/// Writes calls of one day, and what changed of what is known of workers, in one transaction. Should
/// the machine lose its power, numbers may be missing whose calls are there, never the other way
/// round.
pub(super) async fn calls_insert(
    conn: &mut SqliteConnection,
    calls: &[Call],
    changes: &Changes,
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
    tallies_add(&mut tx, calls).await?;
    known::numbers_update(&mut tx, changes).await?;
    tx.commit().await?;
    Ok(())
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
