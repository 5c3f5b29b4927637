//! Attempts that are over.

use sqlx::AnyConnection;

use super::super::{StoreFailed, to_sql};
use super::Ready;
use crate::queue::status::Tried;

/// What is said of an attempt whose worker died.
const LOST: &str = "the region lost this attempt";

pub(super) async fn attempt_insert(
    conn: &mut AnyConnection,
    request_id: &str,
    tried: &Tried,
) -> Result<(), StoreFailed> {
    let Tried {
        number,
        started_at_ms,
        duration_ms,
        status,
        error,
    } = tried;
    sqlx::query(
        "INSERT INTO queued_attempt (request_id, number, started_at_ms, duration_ms, status, \
         error) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(request_id)
    .bind(i64::from(*number))
    .bind(to_sql(*started_at_ms))
    .bind(duration_ms.map(to_sql))
    .bind(status.map(i64::from))
    .bind(error.as_deref())
    .execute(conn)
    .await?;
    Ok(())
}

/// Says of the attempt under a lease that ended that nobody knows what became of it.
pub(super) async fn lost_insert(
    conn: &mut AnyConnection,
    ready: &Ready,
) -> Result<(), StoreFailed> {
    if !ready.is_leased() {
        return Ok(());
    }
    let lost = Tried {
        number: ready.life.attempts,
        started_at_ms: ready.started_at_ms,
        duration_ms: None,
        status: None,
        error: Some(LOST.to_owned()),
    };
    attempt_insert(conn, &ready.request_id, &lost).await
}
