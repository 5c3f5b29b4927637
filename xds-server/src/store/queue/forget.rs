//! What is kept no longer, and who has too much.

use requestrocket_process::db::Dialect;
use sqlx::AnyConnection;

use super::super::{StoreFailed, rows_delete, to_sql};
use super::finish::ordering_advance;
use super::ordering_lock;

/// Requests that are forgotten in one transaction.
const AT_ONCE: i64 = 256;
/// Nobody has used them for so long: longer than any request waits.
const IDLE_MS: u64 = 86_400_000;

/// Forgets what is small and whose time is over: idempotency keys, orderings and targets that nobody
/// uses, proxies that are not held any more, and responses.
pub async fn queue_forget(conn: &mut AnyConnection, now_ms: u64) -> Result<(), StoreFailed> {
    let idle_ms = now_ms.saturating_sub(IDLE_MS);
    for (sql, moment_ms) in [
        (
            "DELETE FROM queued_idempotency WHERE expires_at_ms <= $1",
            now_ms,
        ),
        (
            "DELETE FROM queued_target WHERE used_at_ms <= $1 AND is_paused = 0 AND NOT EXISTS \
             (SELECT 1 FROM queued_ready r WHERE r.target_id = queued_target.target_id)",
            idle_ms,
        ),
        (
            "DELETE FROM queued_proxy WHERE held_until_ms <= $1 AND is_paused = 0",
            idle_ms,
        ),
        (
            "DELETE FROM queued_ordering WHERE used_at_ms <= $1 AND NOT EXISTS \
             (SELECT 1 FROM queued_ready r WHERE r.ordering = queued_ordering.ordering)",
            idle_ms,
        ),
        (
            "UPDATE queued_request SET response = NULL, response_until_ms = NULL \
             WHERE response_until_ms <= $1",
            now_ms,
        ),
    ] {
        sqlx::query(sql)
            .bind(to_sql(moment_ms))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Forgets requests that have ended long ago; true: there may be more.
pub async fn requests_forget(
    conn: &mut AnyConnection,
    dialect: Dialect,
    now_ms: u64,
) -> Result<bool, StoreFailed> {
    let rows: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT q.request_id, r.ordering FROM queued_request q LEFT JOIN queued_ready r \
         ON r.request_id = q.request_id WHERE q.forget_at_ms <= $1 \
         ORDER BY r.ordering, q.request_id LIMIT $2",
    )
    .bind(to_sql(now_ms))
    .bind(AT_ONCE)
    .fetch_all(&mut *conn)
    .await?;
    // Failed ones that have others wait; nobody gave them up.
    for (request_id, ordering) in &rows {
        if let Some(ordering) = ordering {
            ordering_lock(conn, dialect, ordering).await?;
            let id = [request_id.as_str()];
            rows_delete(conn, "queued_ready", "request_id", &id).await?;
            ordering_advance(conn, ordering, now_ms).await?;
        }
    }
    let ids: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
    for table in ["queued_attempt", "queued_request"] {
        rows_delete(conn, table, "request_id", &ids).await?;
    }
    Ok(i64::try_from(rows.len()).is_ok_and(|count| count == AT_ONCE))
}

/// Forgets all requests of organisations that are gone: nobody can open them any more.
pub(in super::super) async fn queue_delete(
    conn: &mut AnyConnection,
    organisation_ids: &[&str],
) -> Result<(), StoreFailed> {
    for organisation_id in organisation_ids {
        sqlx::query(
            "DELETE FROM queued_attempt WHERE request_id IN \
             (SELECT request_id FROM queued_request WHERE organisation_id = $1)",
        )
        .bind(*organisation_id)
        .execute(&mut *conn)
        .await?;
    }
    for table in [
        "queued_idempotency",
        "queued_ready",
        "queued_request",
        "queued_target",
        "queued_proxy",
    ] {
        rows_delete(conn, table, "organisation_id", organisation_ids).await?;
    }
    Ok(())
}

/// Organisations of which so many requests or so many sealed bytes wait.
pub async fn crowded_list(
    conn: &mut AnyConnection,
    (requests, bytes): (u64, u64),
) -> Result<Vec<String>, StoreFailed> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT organisation_id FROM queued_ready GROUP BY organisation_id \
         HAVING COUNT(*) >= $1 OR SUM(bytes) >= $2",
    )
    .bind(to_sql(requests))
    .bind(to_sql(bytes))
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
