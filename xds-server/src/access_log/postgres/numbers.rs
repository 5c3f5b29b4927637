//! What is known of workers.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::access_log::call::LogFailed;
use crate::access_log::known::worker_id;
use crate::access_log::numbers::{Change, Changes, Gap, Numbers, Worker, WorkerId};
use crate::access_log::sql::{from_sql, to_sql};

/// What was written.
pub(super) async fn numbers_fetch(conn: &mut PgConnection) -> Result<Numbers, LogFailed> {
    let mut known: BTreeMap<WorkerId, Worker> = BTreeMap::new();
    let workers: Vec<(Vec<u8>, i64, i64)> =
        sqlx::query_as("SELECT worker_id, highest, seen_ms FROM call_log_worker")
            .fetch_all(&mut *conn)
            .await?;
    for (id, highest, seen_ms) in workers {
        let worker = known.entry(worker_id(&id)?).or_default();
        (worker.highest, worker.seen_ms) = (from_sql(highest)?, from_sql(seen_ms)?);
    }
    let gaps: Vec<(Vec<u8>, i64, i64, i64)> =
        sqlx::query_as("SELECT worker_id, first, last, since_ms FROM call_log_gap")
            .fetch_all(&mut *conn)
            .await?;
    for (id, first, last, since_ms) in gaps {
        let worker = known.entry(worker_id(&id)?).or_default();
        let (last, since_ms) = (from_sql(last)?, from_sql(since_ms)?);
        worker.gaps.insert(from_sql(first)?, Gap { last, since_ms });
    }
    let forgotten: Option<(i64,)> = sqlx::query_as("SELECT until_ms FROM call_log_forgotten")
        .fetch_optional(conn)
        .await?;
    let forgotten_ms = from_sql(forgotten.map_or(0, |(until_ms,)| until_ms))?;
    Ok(Numbers::known(known, forgotten_ms))
}

/// Writes what changed.
pub(super) async fn numbers_update(
    conn: &mut PgConnection,
    changes: &Changes,
) -> Result<(), LogFailed> {
    let Changes {
        forgotten,
        forgotten_ms,
        workers,
    } = changes;
    if !forgotten.is_empty() {
        let ids: Vec<&[u8]> = forgotten.iter().map(|id| &id[..]).collect();
        for sql in [
            "DELETE FROM call_log_gap WHERE worker_id = ANY($1)",
            "DELETE FROM call_log_worker WHERE worker_id = ANY($1)",
        ] {
            sqlx::query(sql).bind(&ids).execute(&mut *conn).await?;
        }
    }
    if let Some(until_ms) = forgotten_ms {
        sqlx::query(
            "INSERT INTO call_log_forgotten VALUES (1, $1) \
             ON CONFLICT (one) DO UPDATE SET until_ms = excluded.until_ms",
        )
        .bind(to_sql(*until_ms))
        .execute(&mut *conn)
        .await?;
    }
    workers_update(conn, workers).await?;
    gaps_update(conn, workers).await
}

async fn workers_update(
    conn: &mut PgConnection,
    workers: &BTreeMap<WorkerId, Change>,
) -> Result<(), LogFailed> {
    let ids: Vec<&[u8]> = workers.keys().map(|id| &id[..]).collect();
    let highest = workers.values().map(|change| to_sql(change.highest));
    let seen = workers.values().map(|change| to_sql(change.seen_ms));
    sqlx::query(
        "INSERT INTO call_log_worker \
         SELECT * FROM UNNEST($1::BYTEA[], $2::BIGINT[], $3::BIGINT[]) \
         ON CONFLICT (worker_id) \
         DO UPDATE SET highest = excluded.highest, seen_ms = excluded.seen_ms",
    )
    .bind(ids)
    .bind(highest.collect::<Vec<_>>())
    .bind(seen.collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn gaps_update(
    conn: &mut PgConnection,
    workers: &BTreeMap<WorkerId, Change>,
) -> Result<(), LogFailed> {
    let (mut gone, mut gone_first) = (Vec::new(), Vec::new());
    let (mut ids, mut firsts, mut lasts, mut since) = (vec![], vec![], vec![], vec![]);
    for (id, change) in workers {
        for (first, gap) in &change.gaps {
            if let Some(gap) = gap {
                ids.push(&id[..]);
                firsts.push(to_sql(*first));
                lasts.push(to_sql(gap.last));
                since.push(to_sql(gap.since_ms));
            } else {
                gone.push(&id[..]);
                gone_first.push(to_sql(*first));
            }
        }
    }
    if !gone.is_empty() {
        sqlx::query(
            "DELETE FROM call_log_gap gap USING UNNEST($1::BYTEA[], $2::BIGINT[]) \
             AS gone (worker_id, first) \
             WHERE gap.worker_id = gone.worker_id AND gap.first = gone.first",
        )
        .bind(gone)
        .bind(gone_first)
        .execute(&mut *conn)
        .await?;
    }
    if !ids.is_empty() {
        sqlx::query(
            "INSERT INTO call_log_gap \
             SELECT * FROM UNNEST($1::BYTEA[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[]) \
             ON CONFLICT (worker_id, first) \
             DO UPDATE SET last = excluded.last, since_ms = excluded.since_ms",
        )
        .bind(ids)
        .bind(firsts)
        .bind(lasts)
        .bind(since)
        .execute(conn)
        .await?;
    }
    Ok(())
}
