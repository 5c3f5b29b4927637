//! The file of numbers beside the days, in SQL: what is known of workers.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use time::Date;

use super::call::LogFailed;
use super::numbers::{Change, Changes, Gap, Numbers, Worker, WorkerId};
use super::sql::{ROWS, from_sql, to_sql};

const TABLES: &str = "
    PRAGMA numbers.journal_mode = WAL;
    PRAGMA numbers.synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS numbers.worker (
        worker_id BLOB PRIMARY KEY, highest INTEGER NOT NULL, seen_ms INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS numbers.gap (
        worker_id BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        since_ms INTEGER NOT NULL, PRIMARY KEY (worker_id, first)
    );
    CREATE TABLE IF NOT EXISTS numbers.forgotten (
        one INTEGER PRIMARY KEY CHECK (one = 1), until_ms INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS numbers.written (
        day TEXT PRIMARY KEY, last_row INTEGER NOT NULL
    );
";

/// Puts it beside a day that is open to be written.
pub(super) async fn attach(conn: &mut SqliteConnection, folder: &Path) -> Result<(), LogFailed> {
    let path = folder.join("numbers.db");
    sqlx::query("ATTACH DATABASE $1 AS numbers")
        .bind(path.to_string_lossy().into_owned())
        .execute(&mut *conn)
        .await?;
    sqlx::raw_sql(TABLES).execute(conn).await?;
    Ok(())
}

/// What was written.
pub(super) async fn numbers_fetch(conn: &mut SqliteConnection) -> Result<Numbers, LogFailed> {
    let mut known: BTreeMap<WorkerId, Worker> = BTreeMap::new();
    let workers: Vec<(Vec<u8>, i64, i64)> =
        sqlx::query_as("SELECT worker_id, highest, seen_ms FROM numbers.worker")
            .fetch_all(&mut *conn)
            .await?;
    for (id, highest, seen_ms) in workers {
        let worker = known.entry(worker_id(&id)?).or_default();
        (worker.highest, worker.seen_ms) = (from_sql(highest)?, from_sql(seen_ms)?);
    }
    let gaps: Vec<(Vec<u8>, i64, i64, i64)> =
        sqlx::query_as("SELECT worker_id, first, last, since_ms FROM numbers.gap")
            .fetch_all(&mut *conn)
            .await?;
    for (id, first, last, since_ms) in gaps {
        let worker = known.entry(worker_id(&id)?).or_default();
        let (last, since_ms) = (from_sql(last)?, from_sql(since_ms)?);
        worker.gaps.insert(from_sql(first)?, Gap { last, since_ms });
    }
    let forgotten: Option<(i64,)> = sqlx::query_as("SELECT until_ms FROM numbers.forgotten")
        .fetch_optional(conn)
        .await?;
    let forgotten_ms = from_sql(forgotten.map_or(0, |(until_ms,)| until_ms))?;
    Ok(Numbers::known(known, forgotten_ms))
}

/// Up to which row of a day the numbers of calls were written.
pub(super) async fn written_fetch(
    conn: &mut SqliteConnection,
    day: Date,
) -> Result<u64, LogFailed> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT last_row FROM numbers.written WHERE day = $1")
        .bind(day.to_string())
        .fetch_optional(conn)
        .await?;
    from_sql(row.map_or(0, |(last,)| last))
}

/// Writes what changed with the calls of a day.
pub(super) async fn numbers_update(
    conn: &mut SqliteConnection,
    changes: &Changes,
    day: Date,
) -> Result<(), LogFailed> {
    let (last,): (i64,) = sqlx::query_as("SELECT COALESCE(MAX(rowid), 0) FROM call")
        .fetch_one(&mut *conn)
        .await?;
    sqlx::query("INSERT OR REPLACE INTO numbers.written VALUES ($1, $2)")
        .bind(day.to_string())
        .bind(last)
        .execute(&mut *conn)
        .await?;
    let Changes {
        forgotten,
        forgotten_ms,
        workers,
    } = changes;
    for id in forgotten {
        for sql in [
            "DELETE FROM numbers.gap WHERE worker_id = $1",
            "DELETE FROM numbers.worker WHERE worker_id = $1",
        ] {
            sqlx::query(sql).bind(&id[..]).execute(&mut *conn).await?;
        }
    }
    if let Some(until_ms) = forgotten_ms {
        sqlx::query("INSERT OR REPLACE INTO numbers.forgotten VALUES (1, $1)")
            .bind(to_sql(*until_ms))
            .execute(&mut *conn)
            .await?;
    }
    for (id, change) in workers {
        worker_update(conn, id, change).await?;
    }
    Ok(())
}

async fn worker_update(
    conn: &mut SqliteConnection,
    id: &WorkerId,
    change: &Change,
) -> Result<(), LogFailed> {
    let Change {
        highest,
        seen_ms,
        gaps,
    } = change;
    sqlx::query("INSERT OR REPLACE INTO numbers.worker VALUES ($1, $2, $3)")
        .bind(&id[..])
        .bind(to_sql(*highest))
        .bind(to_sql(*seen_ms))
        .execute(&mut *conn)
        .await?;
    let gone = gaps.iter().filter(|(_, gap)| gap.is_none());
    for (first, _) in gone {
        sqlx::query("DELETE FROM numbers.gap WHERE worker_id = $1 AND first = $2")
            .bind(&id[..])
            .bind(to_sql(*first))
            .execute(&mut *conn)
            .await?;
    }
    let there = gaps
        .iter()
        .filter_map(|(first, gap)| Some((first, (*gap)?)));
    let there: Vec<(&u64, Gap)> = there.collect();
    for gaps in there.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO numbers.gap ");
        insert.push_values(gaps, |mut row, (first, gap)| {
            row.push_bind(&id[..])
                .push_bind(to_sql(**first))
                .push_bind(to_sql(gap.last))
                .push_bind(to_sql(gap.since_ms));
        });
        // Its text differs with their number: kept, it would push others out of the cache.
        insert.build().persistent(false).execute(&mut *conn).await?;
    }
    Ok(())
}

pub(super) fn worker_id(bytes: &[u8]) -> Result<WorkerId, LogFailed> {
    bytes.try_into().map_err(|_| LogFailed::Damaged)
}
