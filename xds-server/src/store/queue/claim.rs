//! Leases: requests that are taken for an attempt.

use requestrocket_process::db::Dialect;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::super::{StoreFailed, to_sql};
use super::attempt::lost_insert;
use super::{READY, Ready, ReadyRow, life_update, skip_locked};
use crate::queue::machine::MAX_ATTEMPTS;

/// Requests of a target that are due, locked, those first that are so longest. The target's row is
/// locked.
pub async fn ready_due(
    conn: &mut AnyConnection,
    dialect: Dialect,
    (target_id, now_ms): (&str, u64),
    limit: u32,
) -> Result<Vec<Ready>, StoreFailed> {
    let sql = format!(
        "{READY} WHERE r.target_id = $1 AND r.due_ms <= $2 AND r.deadline_ms > $2 \
         AND r.attempts < $3 AND NOT EXISTS (SELECT 1 FROM queued_proxy p \
         WHERE p.proxy_id = r.proxy_id AND (p.is_paused = 1 OR p.held_until_ms > $2)) \
         ORDER BY r.due_ms, r.place LIMIT $4 {}",
        skip_locked(dialect, 'r')
    );
    let rows: Vec<ReadyRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(target_id)
        .bind(to_sql(now_ms))
        .bind(i64::from(MAX_ATTEMPTS))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Ready::from_row).collect())
}

/// Writes a lease that begins now, and says of the attempt before that nobody knows what became of
/// it, if so. None: the request cannot be claimed.
pub async fn ready_claim(
    conn: &mut AnyConnection,
    ready: &Ready,
    now_ms: u64,
    lease_ms: u64,
) -> Result<Option<Ready>, StoreFailed> {
    let Some(life) = ready.life.claim(now_ms, lease_ms) else {
        return Ok(None);
    };
    lost_insert(conn, ready).await?;
    let claimed = Ready {
        life,
        started_at_ms: now_ms,
        ..ready.clone()
    };
    life_update(conn, &claimed, now_ms).await?;
    Ok(Some(claimed))
}

/// Requests whose time is over, or that have killed their last worker; nobody has them.
pub async fn ready_over(
    conn: &mut AnyConnection,
    now_ms: u64,
    limit: u32,
) -> Result<Vec<String>, StoreFailed> {
    let mut ids = Vec::new();
    for sql in [
        "SELECT request_id FROM queued_ready WHERE deadline_ms <= $1 AND lease_until_ms <= $1 \
         AND is_over = 0 AND attempts <= $2 ORDER BY deadline_ms LIMIT $3",
        "SELECT request_id FROM queued_ready WHERE lease_until_ms > 0 AND lease_until_ms <= $1 \
         AND attempts >= $2 AND deadline_ms > $1 LIMIT $3",
    ] {
        let rows: Vec<(String,)> = sqlx::query_as(sql)
            .bind(to_sql(now_ms))
            .bind(i64::from(MAX_ATTEMPTS))
            .bind(i64::from(limit))
            .fetch_all(&mut *conn)
            .await?;
        ids.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(ids)
}
