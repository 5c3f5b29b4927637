//! Sums in SQLite: a file beside the log, written by one connection and read by others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message as _;
use requestrocket_summary::Summary;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};
use time::Date;

use super::super::span::Span;
use super::{Key, Share, decoded, merged};
use crate::access_log::call::LogFailed;
use crate::access_log::sql::{from_sql, to_sql};

const BUSY: Duration = Duration::from_secs(5);
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS counted (
        day TEXT PRIMARY KEY,
        -- Of the last record of that day's file that is counted.
        position INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS summary (
        length_ms INTEGER NOT NULL,
        organisation_id TEXT NOT NULL,
        -- 0: all of the organisation, and share_id is empty; 1: a proxy; 2: a credential.
        kind INTEGER NOT NULL,
        share_id TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        denied INTEGER NOT NULL,
        summary BLOB NOT NULL,
        PRIMARY KEY (length_ms, organisation_id, kind, share_id, start_ms)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS summary_by_start ON summary (length_ms, start_ms);
    CREATE INDEX IF NOT EXISTS summary_shares ON summary
        (length_ms, organisation_id, start_ms, kind, share_id, requests, errors, denied);
";

/// Where the sums of the log in `folder` are.
pub(in super::super) fn path(folder: &Path) -> PathBuf {
    folder.join("telemetry.db")
}

/// Opens them to write.
pub(in super::super) async fn open(folder: &Path) -> Result<SqliteConnection, LogFailed> {
    let options = SqliteConnectOptions::new()
        .filename(path(folder))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A power failure may take the last commits, with the positions in them.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(SCHEMA).execute(&mut conn).await?;
    Ok(conn)
}

/// Up to where that day's file is counted.
pub(super) async fn position_fetch(
    conn: &mut SqliteConnection,
    day: Date,
) -> Result<i64, LogFailed> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT position FROM counted WHERE day = $1")
        .bind(day.to_string())
        .fetch_optional(conn)
        .await?;
    Ok(row.map_or(0, |(position,)| position))
}

/// Adds sums, and says with them up to where the day's file is counted, in one transaction. Gives
/// back how many calls were left out of a share's sum.
pub(super) async fn summaries_add(
    conn: &mut SqliteConnection,
    sums: &BTreeMap<Key, Summary>,
    (day, position): (Date, i64),
) -> Result<u64, LogFailed> {
    let mut tx = conn.begin().await?;
    let (mut totals, mut taken) = (BTreeMap::new(), BTreeMap::new());
    for key in sums.keys() {
        if let Some(total) = summary_fetch(&mut tx, key).await? {
            totals.insert(key, total);
        } else if key.share != Share::All && !taken.contains_key(&key.place()) {
            taken.insert(key.place(), taken_fetch(&mut tx, key).await?);
        }
    }
    let (merged, left_out) = merged(sums, totals, taken);
    for (key, total) in merged {
        summary_upsert(&mut tx, key, &total).await?;
    }
    sqlx::query("INSERT OR REPLACE INTO counted VALUES ($1, $2)")
        .bind(day.to_string())
        .bind(position)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(left_out)
}

/// Forgets sums that are too old, and positions in files that are gone.
pub(super) async fn summaries_forget(
    conn: &mut SqliteConnection,
    now_ms: u64,
    oldest: Date,
) -> Result<(), LogFailed> {
    for span in Span::ALL {
        sqlx::query("DELETE FROM summary WHERE length_ms = $1 AND start_ms < $2")
            .bind(to_sql(span.length_ms()))
            .bind(to_sql(span.kept_from_ms(now_ms)))
            .execute(&mut *conn)
            .await?;
    }
    sqlx::query("DELETE FROM counted WHERE day < $1")
        .bind(oldest.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

async fn taken_fetch(conn: &mut SqliteConnection, key: &Key) -> Result<u64, LogFailed> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM summary \
         WHERE length_ms = $1 AND organisation_id = $2 AND start_ms = $3 AND kind > 0",
    )
    .bind(to_sql(key.span.length_ms()))
    .bind(&key.organisation_id)
    .bind(to_sql(key.start_ms))
    .fetch_one(conn)
    .await?;
    from_sql(count)
}

async fn summary_fetch(
    conn: &mut SqliteConnection,
    key: &Key,
) -> Result<Option<Summary>, LogFailed> {
    let (kind, id) = key.share.columns();
    let row: Option<(Vec<u8>,)> = sqlx::query_as(
        "SELECT summary FROM summary WHERE length_ms = $1 AND organisation_id = $2 \
         AND kind = $3 AND share_id = $4 AND start_ms = $5",
    )
    .bind(to_sql(key.span.length_ms()))
    .bind(&key.organisation_id)
    .bind(kind)
    .bind(id)
    .bind(to_sql(key.start_ms))
    .fetch_optional(conn)
    .await?;
    row.map(|(bytes,)| decoded(&bytes)).transpose()
}

async fn summary_upsert(
    conn: &mut SqliteConnection,
    key: &Key,
    sum: &Summary,
) -> Result<(), LogFailed> {
    let (kind, id) = key.share.columns();
    sqlx::query("INSERT OR REPLACE INTO summary VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(to_sql(key.span.length_ms()))
        .bind(&key.organisation_id)
        .bind(kind)
        .bind(id)
        .bind(to_sql(key.start_ms))
        .bind(to_sql(sum.requests))
        .bind(to_sql(sum.errors))
        .bind(to_sql(sum.denied))
        .bind(sum.to_wire().encode_to_vec())
        .execute(conn)
        .await?;
    Ok(())
}
