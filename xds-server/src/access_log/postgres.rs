//! The log in PostgreSQL, where the region's store is: a partition for each UTC day, written by one
//! connection and read by others.
//!
//! Invariant: calls, their link in the chain of the day, and what is known of workers are one
//! transaction.

mod copy;
mod days;
mod insert;
mod numbers;

use std::fmt;
use std::io;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool};
use tokio::time::timeout;

pub(super) use self::copy::text;
pub(super) use self::days::{day_number, partition};
pub(super) use self::insert::Writing;
use super::call::LogFailed;

/// Those who search; others wait, as long as a search may take.
const READERS: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(10);
/// Who follows the log, or the whole of it, reads no longer at a time.
const LONG: Duration = Duration::from_mins(1);
/// A lock of whoever makes the tables; any number.
const MAKING: i64 = 0x7272_6361_6c6c;

/// Whoever reads the tables by hand finds every day's calls in `call_log`. Texts are ordered as bytes
/// are, as on SQLite.
const TABLES: &str = r#"
    CREATE TABLE IF NOT EXISTS call_log_day (
        -- Since 1970-01-01.
        day BIGINT PRIMARY KEY,
        last_row BIGINT NOT NULL,
        -- Where the chain of the day ends.
        hash BYTEA NOT NULL
    );
    CREATE TABLE IF NOT EXISTS call_log (
        day BIGINT NOT NULL,
        -- From 1, in the order in which they came.
        row_id BIGINT NOT NULL,
        completed_at_ms BIGINT NOT NULL,
        request_id TEXT COLLATE "C" NOT NULL,
        organisation_id TEXT COLLATE "C" NOT NULL,
        proxy_id TEXT COLLATE "C" NOT NULL,
        status BIGINT NOT NULL,
        code TEXT COLLATE "C" NOT NULL,
        proxy_code TEXT COLLATE "C" NOT NULL,
        method TEXT COLLATE "C" NOT NULL,
        credential_id TEXT COLLATE "C" NOT NULL,
        subject TEXT COLLATE "C" NOT NULL,
        path TEXT COLLATE "C" NOT NULL,
        duration_us BIGINT NOT NULL,
        trace_id TEXT COLLATE "C" NOT NULL DEFAULT '',
        record BYTEA NOT NULL,
        PRIMARY KEY (day, row_id)
    ) PARTITION BY LIST (day);
    CREATE INDEX IF NOT EXISTS call_log_by_organisation
        ON call_log (organisation_id, completed_at_ms, request_id);
    CREATE INDEX IF NOT EXISTS call_log_by_proxy
        ON call_log (organisation_id, proxy_id, completed_at_ms, request_id);
    CREATE INDEX IF NOT EXISTS call_log_by_id ON call_log USING hash (request_id);
    CREATE TABLE IF NOT EXISTS call_log_link (
        day BIGINT NOT NULL, first_row BIGINT NOT NULL, last_row BIGINT NOT NULL,
        hash BYTEA NOT NULL, PRIMARY KEY (day, first_row)
    );
    CREATE TABLE IF NOT EXISTS call_log_tally (
        day BIGINT NOT NULL,
        organisation_id TEXT COLLATE "C" NOT NULL,
        hour BIGINT NOT NULL,
        proxy_id TEXT COLLATE "C" NOT NULL,
        recorded BIGINT NOT NULL,
        PRIMARY KEY (day, organisation_id, hour, proxy_id)
    );
    CREATE TABLE IF NOT EXISTS call_log_worker (
        worker_id BYTEA PRIMARY KEY, highest BIGINT NOT NULL, seen_ms BIGINT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS call_log_gap (
        worker_id BYTEA NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL,
        since_ms BIGINT NOT NULL, PRIMARY KEY (worker_id, first)
    );
    CREATE TABLE IF NOT EXISTS call_log_forgotten (
        one BIGINT PRIMARY KEY CHECK (one = 1), until_ms BIGINT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS call_log_counted (
        day BIGINT PRIMARY KEY,
        -- Of the last record of that day that is counted.
        position BIGINT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS call_log_summary (
        length_ms BIGINT NOT NULL,
        organisation_id TEXT COLLATE "C" NOT NULL,
        -- 0: all of the organisation, and share_id is empty; 1: a proxy; 2: a credential.
        kind BIGINT NOT NULL,
        share_id TEXT COLLATE "C" NOT NULL,
        start_ms BIGINT NOT NULL,
        requests BIGINT NOT NULL,
        errors BIGINT NOT NULL,
        denied BIGINT NOT NULL,
        summary BYTEA NOT NULL,
        PRIMARY KEY (length_ms, organisation_id, kind, share_id, start_ms)
    );
    CREATE INDEX IF NOT EXISTS call_log_summary_by_start ON call_log_summary (length_ms, start_ms);
    CREATE INDEX IF NOT EXISTS call_log_summary_shares ON call_log_summary
        (length_ms, organisation_id, start_ms, kind, share_id, requests, errors, denied);
"#;

/// What tables of before lack. Only if they do: to add a column that is there waits for all who read,
/// too.
const LATER: &str = r#"
    DO $$ BEGIN
        IF NOT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = 'call_log'::regclass AND attname = 'trace_id' AND NOT attisdropped
        ) THEN
            ALTER TABLE call_log ADD COLUMN IF NOT EXISTS
                trace_id TEXT COLLATE "C" NOT NULL DEFAULT '';
        END IF;
    END $$;
"#;

/// The database; cheap to clone.
#[derive(Clone)]
pub struct Postgres {
    options: Arc<PgConnectOptions>,
    readers: PgPool,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options hold a password.
        f.write_str("Postgres([redacted])")
    }
}

impl Postgres {
    /// Of that URL; nothing is connected yet.
    ///
    /// # Errors
    /// It cannot be used; the error does not repeat it.
    pub(super) fn at(url: &str) -> Result<Self, LogFailed> {
        let options = PgConnectOptions::from_str(url)?.application_name("requestrocket-call-log");
        let readers = PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options.clone());
        Ok(Self {
            options: Arc::new(options),
            readers,
        })
    }

    /// Makes the tables, if they are not there.
    pub(super) async fn prepare(&self) -> Result<(), LogFailed> {
        let mut conn = self.connect().await?;
        let mut tx = conn.begin().await?;
        // `IF NOT EXISTS` of two who begin together fails for one.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(MAKING)
            .execute(&mut *tx)
            .await?;
        for sql in [TABLES, LATER] {
            sqlx::raw_sql(sql).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        conn.close().await?;
        Ok(())
    }

    /// A connection of one's own, to write.
    pub(super) async fn connect(&self) -> Result<PgConnection, LogFailed> {
        let conn = timeout(PATIENCE, PgConnection::connect_with(&self.options)).await;
        Ok(conn.map_err(|_| sqlx::Error::PoolTimedOut)??)
    }

    /// A connection to search by, whose statements end after that time.
    pub(super) async fn search(
        &self,
        longest: Duration,
    ) -> Result<PoolConnection<sqlx::Postgres>, LogFailed> {
        let mut conn = self.readers.acquire().await?;
        // 0 would be for ever.
        let millis = longest.as_millis().max(1);
        let set = format!("SET statement_timeout = {millis}");
        conn.execute(AssertSqlSafe(set)).await?;
        Ok(conn)
    }

    /// The same, to read long.
    pub(super) async fn read(&self) -> Result<PoolConnection<sqlx::Postgres>, LogFailed> {
        self.search(LONG).await
    }
}

/// Waits for what is asked of the database. One that has gone without a word is left: its connection
/// ends with `done`.
pub(super) async fn in_time<T, E: From<sqlx::Error>>(
    done: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let timed_out = |_| sqlx::Error::Io(io::ErrorKind::TimedOut.into());
    timeout(LONG, done).await.map_err(timed_out)?
}

/// Whether a statement ended because of its time (`query_canceled`).
pub(super) fn took_too_long(error: &sqlx::Error) -> bool {
    has_code(error, "57014")
}

/// Whether there is no such table (`undefined_table`).
pub(super) fn is_gone(error: &sqlx::Error) -> bool {
    has_code(error, "42P01")
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn has_code(error: &sqlx::Error, code: &str) -> bool {
    let found = error.as_database_error().and_then(DatabaseError::code);
    found.is_some_and(|found| found == code)
}
