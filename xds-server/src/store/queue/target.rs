//! Targets of requests: their breakers, their rates, and who may not be asked for now.

use requestrocket_process::db::Dialect;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::super::{StoreFailed, from_sql, to_sql};
use super::{for_update, skip_locked};
use crate::queue::breaker::Breaker;
use crate::queue::machine::MAX_ATTEMPTS;

/// Targets that are looked at in one claim.
const MOST_TARGETS: i64 = 256;

/// A target with requests that are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTarget {
    /// UUID text, as below.
    pub target_id: String,
    /// The tenant.
    pub organisation_id: String,
    /// Whether it answers.
    pub breaker: Breaker,
    /// Up to when its rate is spent (Unix time in microseconds).
    pub rate_mark_us: u64,
    /// Attempts under way.
    pub busy: u32,
}

#[derive(FromRow)]
struct TargetRow {
    target_id: String,
    organisation_id: String,
    failures_in_a_row: i64,
    outcomes: i64,
    outcomes_seen: i64,
    probe_at_ms: Option<i64>,
    is_probing: i64,
    rate_mark_us: i64,
    busy: i64,
}

const SELECT: &str = "SELECT t.target_id, t.organisation_id, t.failures_in_a_row, t.outcomes, \
                      t.outcomes_seen, t.probe_at_ms, t.is_probing, t.rate_mark_us";

/// Targets that may be asked now and have requests that are due, locked; those first that were not
/// asked for longest.
pub async fn targets_due(
    conn: &mut AnyConnection,
    dialect: Dialect,
    now_ms: u64,
) -> Result<Vec<DueTarget>, StoreFailed> {
    let sql = format!(
        "{SELECT}, (SELECT COUNT(*) FROM queued_ready b WHERE b.target_id = t.target_id \
         AND b.lease_until_ms > 0 AND b.lease_until_ms > $1) AS busy FROM queued_target t WHERE t.is_paused = 0 \
         AND (t.probe_at_ms IS NULL OR t.probe_at_ms <= $1) \
         AND EXISTS (SELECT 1 FROM queued_ready r WHERE r.target_id = t.target_id \
         AND r.due_ms <= $1 AND r.deadline_ms > $1 AND r.attempts < $3 \
         AND NOT EXISTS (SELECT 1 FROM queued_proxy p WHERE p.proxy_id = r.proxy_id \
         AND (p.is_paused = 1 OR p.held_until_ms > $1))) \
         ORDER BY t.claimed_at_ms, t.target_id LIMIT $2 {}",
        skip_locked(dialect, 't')
    );
    let rows: Vec<TargetRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(to_sql(now_ms))
        .bind(MOST_TARGETS)
        .bind(i64::from(MAX_ATTEMPTS))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(DueTarget::from_row).collect())
}

/// Targets of an organisation, their breakers, and whether they are paused, by id.
pub async fn targets_list(
    conn: &mut AnyConnection,
    organisation_id: &str,
) -> Result<Vec<(String, Breaker, bool)>, StoreFailed> {
    let sql = format!(
        "{SELECT}, t.is_paused AS busy FROM queued_target t WHERE t.organisation_id = $1 \
         ORDER BY t.target_id"
    );
    let rows: Vec<TargetRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(organisation_id)
        .fetch_all(conn)
        .await?;
    let of = |row: TargetRow| {
        let is_paused = row.busy != 0;
        let target = DueTarget::from_row(row);
        (target.target_id, target.breaker, is_paused)
    };
    Ok(rows.into_iter().map(of).collect())
}

/// The breaker of a target, locked; none: nothing ever went there.
pub async fn breaker_lock(
    conn: &mut AnyConnection,
    dialect: Dialect,
    target_id: &str,
) -> Result<Option<Breaker>, StoreFailed> {
    let sql = format!(
        "{SELECT}, 0 AS busy FROM queued_target t WHERE t.target_id = $1 {}",
        for_update(dialect)
    );
    let row: Option<TargetRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(target_id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| DueTarget::from_row(row).breaker))
}

/// Writes what was learnt of a target.
pub async fn breaker_update(
    conn: &mut AnyConnection,
    target_id: &str,
    breaker: Breaker,
) -> Result<(), StoreFailed> {
    let Breaker {
        in_a_row,
        outcomes,
        seen,
        probe_at_ms,
        is_probing,
    } = breaker;
    sqlx::query(
        "UPDATE queued_target SET failures_in_a_row = $1, outcomes = $2, outcomes_seen = $3, \
         probe_at_ms = $4, is_probing = $5 WHERE target_id = $6",
    )
    .bind(i64::from(in_a_row))
    .bind(i64::from(outcomes))
    .bind(i64::from(seen))
    .bind(probe_at_ms.map(to_sql))
    .bind(i64::from(is_probing))
    .bind(target_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes that attempts on a target began.
pub async fn target_claimed(
    conn: &mut AnyConnection,
    target_id: &str,
    rate_mark_us: u64,
    now_ms: u64,
) -> Result<(), StoreFailed> {
    sqlx::query(
        "UPDATE queued_target SET rate_mark_us = $1, claimed_at_ms = $2, used_at_ms = $2 \
         WHERE target_id = $3",
    )
    .bind(to_sql(rate_mark_us))
    .bind(to_sql(now_ms))
    .bind(target_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Leaves a proxy alone until then.
pub async fn proxy_hold(
    conn: &mut AnyConnection,
    (proxy_id, organisation_id): (&str, &str),
    until_ms: u64,
) -> Result<(), StoreFailed> {
    sqlx::query(
        "INSERT INTO queued_proxy (proxy_id, organisation_id, is_paused, held_until_ms) \
         VALUES ($1, $2, 0, $3) ON CONFLICT (proxy_id) DO UPDATE SET \
         held_until_ms = excluded.held_until_ms",
    )
    .bind(proxy_id)
    .bind(organisation_id)
    .bind(to_sql(until_ms))
    .execute(conn)
    .await?;
    Ok(())
}

impl DueTarget {
    fn from_row(row: TargetRow) -> Self {
        let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
        Self {
            target_id: row.target_id,
            organisation_id: row.organisation_id,
            breaker: Breaker {
                in_a_row: number(row.failures_in_a_row),
                outcomes: number(row.outcomes),
                seen: number(row.outcomes_seen),
                probe_at_ms: row.probe_at_ms.map(from_sql),
                is_probing: row.is_probing != 0,
            },
            rate_mark_us: from_sql(row.rate_mark_us),
            busy: number(row.busy),
        }
    }
}
