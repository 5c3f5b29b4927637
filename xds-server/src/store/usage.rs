//! What workers of Envoys let through.

use requestrocket_proto::region::v1::BilledSum;
use sqlx::{AnyConnection, AssertSqlSafe};
use uuid::Uuid;

use super::{StoreFailed, from_sql, to_sql};
use crate::usage::{Grouping, Selection, Sum, WorkerId};

/// Rows of an answer.
const MOST_ROWS: i64 = 20_000;
const UNIT: u64 = 1_000_000;

/// What one worker counted in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountKey {
    /// By whom.
    pub worker: WorkerId,
    /// Whose.
    pub organisation: Uuid,
    /// Start of the hour.
    pub start_ms: u64,
    /// Of which proxy.
    pub proxy: Uuid,
    /// Of what.
    pub kind: CountKind,
    /// The credential or meter.
    pub share: Uuid,
}

/// What an id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CountKind {
    /// A credential that callers used.
    Credential,
    /// A meter.
    Meter,
}

/// How much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Calls that were let through.
    pub admitted: u64,
    /// Calls that rules or limits refused.
    pub refused: u64,
    /// What the meter counted.
    pub value_micros: u64,
}

impl CountKind {
    fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Meter => "meter",
        }
    }
}

/// Writes what workers counted; an older count changes nothing.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn usage_upsert(
    conn: &mut AnyConnection,
    rows: impl Iterator<Item = (CountKey, Counted)>,
) -> Result<(), StoreFailed> {
    for (key, counted) in rows {
        sqlx::query(
            "INSERT INTO usage_count (organisation_id, start_ms, proxy_id, kind, share_id, \
             worker_id, admitted, refused, value_micros) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (organisation_id, start_ms, proxy_id, kind, share_id, worker_id) \
             DO UPDATE SET admitted = excluded.admitted, refused = excluded.refused, \
             value_micros = excluded.value_micros \
             WHERE usage_count.admitted <= excluded.admitted \
             AND usage_count.refused <= excluded.refused \
             AND usage_count.value_micros <= excluded.value_micros",
        )
        .bind(key.organisation.to_string())
        .bind(to_sql(key.start_ms))
        .bind(key.proxy.to_string())
        .bind(key.kind.name())
        .bind(key.share.to_string())
        .bind(key.worker.to_string())
        .bind(to_sql(counted.admitted))
        .bind(to_sql(counted.refused))
        .bind(to_sql(counted.value_micros))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// These workers were heard then.
pub async fn usage_worker_upsert(
    conn: &mut AnyConnection,
    workers: impl Iterator<Item = (WorkerId, u64)>,
) -> Result<(), StoreFailed> {
    for (worker, heard_ms) in workers {
        sqlx::query(
            "INSERT INTO usage_worker (worker_id, heard_ms) VALUES ($1, $2) \
             ON CONFLICT (worker_id) DO UPDATE SET heard_ms = excluded.heard_ms",
        )
        .bind(worker.to_string())
        .bind(to_sql(heard_ms))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Workers that may tell more.
pub async fn usage_worker_list(
    conn: &mut AnyConnection,
) -> Result<Vec<(WorkerId, u64)>, StoreFailed> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT worker_id, heard_ms FROM usage_worker")
        .fetch_all(conn)
        .await?;
    let read = |(id, heard_ms): (String, i64)| Some((id.parse().ok()?, from_sql(heard_ms)));
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The worker ended; what it let through last may be missing in these hours.
pub async fn usage_worker_end(
    conn: &mut AnyConnection,
    worker: WorkerId,
    hours: impl Iterator<Item = u64>,
) -> Result<(), StoreFailed> {
    for start_ms in hours {
        sqlx::query(
            "INSERT INTO usage_uncertain (start_ms) VALUES ($1) ON CONFLICT (start_ms) DO NOTHING",
        )
        .bind(to_sql(start_ms))
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query("DELETE FROM usage_worker WHERE worker_id = $1")
        .bind(worker.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes one row of what workers told of an hour that begins before `moment_ms`: nothing more of it
/// is taken.
pub async fn usage_fold(conn: &mut AnyConnection, moment_ms: u64) -> Result<(), StoreFailed> {
    for sql in [
        "INSERT INTO usage_count (organisation_id, start_ms, proxy_id, kind, share_id, \
         worker_id, admitted, refused, value_micros) \
         SELECT organisation_id, start_ms, proxy_id, kind, share_id, '', \
         CAST(SUM(admitted) AS BIGINT), CAST(SUM(refused) AS BIGINT), \
         CAST(SUM(value_micros) AS BIGINT) \
         FROM usage_count WHERE start_ms < $1 AND worker_id <> '' \
         GROUP BY organisation_id, start_ms, proxy_id, kind, share_id \
         ON CONFLICT (organisation_id, start_ms, proxy_id, kind, share_id, worker_id) \
         DO NOTHING",
        "DELETE FROM usage_count WHERE start_ms < $1 AND worker_id <> ''",
    ] {
        sqlx::query(sql)
            .bind(to_sql(moment_ms))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Forgets hours that begin before `moment_ms`.
pub async fn usage_forget(conn: &mut AnyConnection, moment_ms: u64) -> Result<(), StoreFailed> {
    for sql in [
        "DELETE FROM usage_count WHERE start_ms < $1",
        "DELETE FROM usage_uncertain WHERE start_ms < $1",
    ] {
        sqlx::query(sql)
            .bind(to_sql(moment_ms))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Sums of a selection, in order; none: there are too many of them.
pub async fn usage_sum(
    conn: &mut AnyConnection,
    selection: &Selection,
) -> Result<Option<Vec<Sum>>, StoreFailed> {
    let (key, of) = match selection.grouping {
        Grouping::None => ("''", ""),
        Grouping::Proxy => ("proxy_id", ""),
        Grouping::Credential => ("share_id", "AND kind = 'credential'"),
        Grouping::Meter => ("share_id", "AND kind = 'meter'"),
    };
    // Units and what is left, so that no sum is more than a column holds.
    // PostgreSQL sums BIGINT to NUMERIC, hence the casts.
    let sql = format!(
        "SELECT start_ms - start_ms % $4 AS span_ms, {key} AS key_id, \
         CAST(SUM(admitted) AS BIGINT), CAST(SUM(refused) AS BIGINT), \
         CAST(SUM(value_micros / 1000000) AS BIGINT), CAST(SUM(value_micros % 1000000) AS BIGINT) \
         FROM usage_count WHERE organisation_id = $1 AND start_ms >= $2 AND start_ms < $3 {of} \
         GROUP BY span_ms, key_id ORDER BY span_ms, key_id LIMIT $5"
    );
    let rows: Vec<(i64, String, i64, i64, i64, i64)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(selection.organisation.to_string())
        .bind(to_sql(selection.from_ms))
        .bind(to_sql(selection.to_ms))
        .bind(to_sql(selection.span_ms))
        .bind(MOST_ROWS + 1)
        .fetch_all(conn)
        .await?;
    if i64::try_from(rows.len()).is_ok_and(|rows| rows > MOST_ROWS) {
        return Ok(None);
    }
    let sums = rows
        .into_iter()
        .map(|(start, id, admitted, refused, units, micros)| Sum {
            start_ms: from_sql(start),
            id,
            admitted: from_sql(admitted),
            refused: from_sql(refused),
            value_micros: micros_of(units, micros),
        });
    Ok(Some(sums.collect()))
}

/// Sums of every organisation and hour from then on, calls (without a meter) and meters apart, in
/// order; of those behind `after` the first `limit`.
pub async fn usage_billed(
    conn: &mut AnyConnection,
    (from_ms, after): (u64, &BilledSum),
    limit: usize,
) -> Result<Vec<BilledSum>, StoreFailed> {
    let rows: Vec<(i64, String, String, i64, i64, i64)> = sqlx::query_as(
        "SELECT start_ms, organisation_id, meter_id, admitted, units, micros FROM (\
         SELECT start_ms, organisation_id, \
         CASE kind WHEN 'meter' THEN share_id ELSE '' END AS meter_id, \
         CAST(SUM(admitted) AS BIGINT) AS admitted, \
         CAST(SUM(value_micros / 1000000) AS BIGINT) AS units, \
         CAST(SUM(value_micros % 1000000) AS BIGINT) AS micros \
         FROM usage_count WHERE start_ms >= $1 GROUP BY 1, 2, 3) AS sums \
         WHERE (start_ms, organisation_id, meter_id) > ($2, $3, $4) \
         ORDER BY start_ms, organisation_id, meter_id LIMIT $5",
    )
    .bind(to_sql(from_ms.max(after.start_ms)))
    .bind(to_sql(after.start_ms))
    .bind(&after.organisation_id)
    .bind(&after.meter_id)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    let sums = rows.into_iter().map(|row| {
        let (start_ms, organisation_id, meter_id, admitted, units, micros) = row;
        let quantity = if meter_id.is_empty() {
            from_sql(admitted)
        } else {
            micros_of(units, micros)
        };
        BilledSum {
            start_ms: from_sql(start_ms),
            organisation_id,
            meter_id,
            quantity,
        }
    });
    Ok(sums.collect())
}

fn micros_of(units: i64, micros: i64) -> u64 {
    let (units, micros) = (from_sql(units), from_sql(micros));
    units.saturating_mul(UNIT).saturating_add(micros)
}

/// Hours in which a worker ended.
pub async fn usage_uncertain_list(
    conn: &mut AnyConnection,
    (from_ms, to_ms): (u64, u64),
) -> Result<Vec<u64>, StoreFailed> {
    let rows: Vec<(i64,)> = sqlx::query_as(
        "SELECT start_ms FROM usage_uncertain WHERE start_ms >= $1 AND start_ms < $2 \
         ORDER BY start_ms",
    )
    .bind(to_sql(from_ms))
    .bind(to_sql(to_ms))
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(start_ms,)| from_sql(start_ms))
        .collect())
}
