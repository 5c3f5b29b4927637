//! Terms in SQL: a file beside the log of calls, written by one connection and read by others.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};

use super::TermsFailed;
use crate::translate::ProxyTerms;

const BUSY: Duration = Duration::from_secs(5);
/// Bytes of the terms of one proxy; the oldest are forgotten when there are more.
const MOST_BYTES: i64 = 16 << 20;
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS terms (hash BLOB PRIMARY KEY, terms BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS version (
        proxy_id TEXT NOT NULL,
        version TEXT NOT NULL,
        organisation_id TEXT NOT NULL,
        -- Many versions differ in what does not judge, such as tokens for the target.
        hash BLOB NOT NULL,
        -- When it was replaced; null: it is in force.
        until_ms INTEGER,
        is_called INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (proxy_id, version)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS version_by_hash ON version (hash);
    CREATE INDEX IF NOT EXISTS version_by_end ON version (until_ms);
";

/// What is in force from now on.
pub(super) struct Published<'a> {
    /// By proxy; none: it is gone.
    pub(super) changed: &'a [(Arc<str>, Option<Arc<ProxyTerms>>)],
    /// There are no other proxies.
    pub(super) is_all: bool,
    pub(super) now_ms: u64,
}

/// Opens them to write.
pub(super) async fn open(path: &Path) -> Result<SqliteConnection, TermsFailed> {
    let options = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A power failure may take the last ones, which are published anew after it.
        .synchronous(SqliteSynchronous::Normal);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(SCHEMA).execute(&mut conn).await?;
    Ok(conn)
}

/// Opens them to read.
pub(super) async fn open_to_read(path: &Path) -> Result<SqliteConnection, TermsFailed> {
    let options = options(path).pragma("query_only", "ON");
    Ok(SqliteConnection::connect_with(&options).await?)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
}

/// The terms of an organisation's proxy under a version.
pub(super) async fn terms_fetch(
    conn: &mut SqliteConnection,
    (organisation_id, proxy_id, version): (&str, &str, &str),
) -> Result<Option<Vec<u8>>, TermsFailed> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as(
        "SELECT terms.terms FROM version JOIN terms USING (hash) \
         WHERE proxy_id = $1 AND version = $2 AND organisation_id = $3",
    )
    .bind(proxy_id)
    .bind(version)
    .bind(organisation_id)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(terms,)| terms))
}

/// Writes what is in force, and when what it replaced was in force last.
pub(super) async fn terms_insert(
    conn: &mut SqliteConnection,
    published: &Published<'_>,
) -> Result<(), TermsFailed> {
    let now = to_sql(published.now_ms);
    let mut tx = conn.begin().await?;
    if published.is_all {
        sqlx::query("UPDATE version SET until_ms = $1 WHERE until_ms IS NULL")
            .bind(now)
            .execute(&mut *tx)
            .await?;
    }
    for (proxy_id, terms) in published.changed {
        sqlx::query("UPDATE version SET until_ms = $1 WHERE proxy_id = $2 AND until_ms IS NULL")
            .bind(now)
            .bind(&**proxy_id)
            .execute(&mut *tx)
            .await?;
        if let Some(terms) = terms {
            version_insert(&mut tx, proxy_id, terms).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

async fn version_insert(
    conn: &mut SqliteConnection,
    proxy_id: &str,
    terms: &ProxyTerms,
) -> Result<(), TermsFailed> {
    let ProxyTerms {
        organisation_id,
        version,
        terms,
    } = terms;
    let hash = Sha256::digest(terms).to_vec();
    sqlx::query("INSERT OR IGNORE INTO terms (hash, terms) VALUES ($1, $2)")
        .bind(&hash)
        .bind(&terms[..])
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO version (proxy_id, version, organisation_id, hash) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (proxy_id, version) DO UPDATE SET until_ms = NULL",
    )
    .bind(proxy_id)
    .bind(version)
    .bind(organisation_id)
    .bind(&hash)
    .execute(conn)
    .await?;
    Ok(())
}

/// Calls came by routes of these names.
pub(super) async fn called_update(
    conn: &mut SqliteConnection,
    routes: &[String],
) -> Result<(), TermsFailed> {
    let mut tx = conn.begin().await?;
    for route in routes {
        let (proxy_id, version) = route.split_once('/').unwrap_or_default();
        sqlx::query("UPDATE version SET is_called = 1 WHERE proxy_id = $1 AND version = $2")
            .bind(proxy_id)
            .bind(version)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Forgets versions that were replaced before: those that calls came under, and others.
pub(super) async fn terms_forget(
    conn: &mut SqliteConnection,
    called_ms: u64,
    uncalled_ms: u64,
) -> Result<(), TermsFailed> {
    let mut tx = conn.begin().await?;
    sqlx::query("DELETE FROM version WHERE until_ms < $1 OR (is_called = 0 AND until_ms < $2)")
        .bind(to_sql(called_ms))
        .bind(to_sql(uncalled_ms))
        .execute(&mut *tx)
        .await?;
    // Of each proxy the newest up to so many bytes; what is in force is newest.
    sqlx::query(
        "DELETE FROM version WHERE until_ms IS NOT NULL AND (proxy_id, version) IN ( \
           SELECT proxy_id, version FROM ( \
             SELECT proxy_id, version, SUM(CASE WHEN turn = 1 THEN LENGTH(terms) ELSE 0 END) OVER \
               (PARTITION BY proxy_id ORDER BY ended DESC, version) AS bytes \
             FROM (SELECT proxy_id, version, terms.terms, \
                 COALESCE(until_ms, 9223372036854775807) AS ended, \
                 ROW_NUMBER() OVER (PARTITION BY proxy_id, hash \
                   ORDER BY COALESCE(until_ms, 9223372036854775807) DESC, version) AS turn \
               FROM version JOIN terms USING (hash))) \
           WHERE bytes > $1)",
    )
    .bind(MOST_BYTES)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM terms WHERE hash NOT IN (SELECT hash FROM version)")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
