//! What becomes of requests: attempts that are over, ends, and who may go next.

use requestrocket_process::db::Dialect;
use sqlx::AnyConnection;

use super::super::{StoreFailed, from_sql, to_sql};
use super::attempt::{attempt_insert, lost_insert};
use super::target::{breaker_lock, breaker_update};
use super::{Ready, life_update, ordering_lock, ready_lock};
use crate::queue::machine::{End, Life, Reason, Revoked, Stage, State, Verdict};
use crate::queue::retry::Health;
use crate::queue::status::{Cancelled, Tried};

const DAY_MS: u64 = 86_400_000;
/// Failed requests are kept so long, to be looked at and replayed.
pub(crate) const KEEP_FAILED_MS: u64 = 14 * DAY_MS;

/// What an attempt came to.
#[derive(Clone, Debug)]
pub struct Completion {
    /// Of the lease under which it was made.
    pub token: u64,
    /// What becomes of the request.
    pub verdict: Verdict,
    /// What it says of the target.
    pub health: Health,
    /// For the list of attempts; none: there was none.
    pub tried: Option<Tried>,
    /// What the target answered: an envelope. Kept if the request ended.
    pub response: Option<Vec<u8>>,
}

/// Writes what an attempt came to, unless its lease was revoked.
pub async fn request_complete(
    conn: &mut AnyConnection,
    dialect: Dialect,
    claimed: &Ready,
    completion: &Completion,
    now_ms: u64,
) -> Result<Result<Life, Revoked>, StoreFailed> {
    let Some(ready) = locked(conn, dialect, claimed).await? else {
        return Ok(Err(Revoked));
    };
    let Ok(life) = ready.life.complete(completion.token, completion.verdict) else {
        return Ok(Err(Revoked));
    };
    if let Some(tried) = &completion.tried {
        attempt_insert(conn, &ready.request_id, tried).await?;
    }
    let (target_id, started_at_ms) = (ready.target_id.clone(), ready.started_at_ms);
    if let Stage::Ended(end) = life.stage {
        let response = completion.response.as_deref();
        request_end(conn, &ready, (end, response), now_ms).await?;
    } else {
        let life = life.clone();
        life_update(conn, &Ready { life, ..ready }, started_at_ms).await?;
    }
    health_note(conn, dialect, (&target_id, completion.health), now_ms).await?;
    Ok(Ok(life))
}

/// Takes a request back for its caller. One that has failed and has those behind it wait is given up,
/// and they go on.
pub async fn request_cancel(
    conn: &mut AnyConnection,
    dialect: Dialect,
    (proxy_id, request_id): (&str, &str),
    now_ms: u64,
) -> Result<Cancelled, StoreFailed> {
    let row: Option<(Option<String>,)> = sqlx::query_as(
        "SELECT r.ordering FROM queued_request q LEFT JOIN queued_ready r \
         ON r.request_id = q.request_id WHERE q.request_id = $1 AND q.proxy_id = $2",
    )
    .bind(request_id)
    .bind(proxy_id)
    .fetch_optional(&mut *conn)
    .await?;
    let Some((ordering,)) = row else {
        return Ok(Cancelled::Unknown);
    };
    if let Some(ordering) = &ordering {
        ordering_lock(conn, dialect, ordering).await?;
        if release(conn, (ordering, request_id), now_ms).await? {
            return Ok(Cancelled::Done);
        }
    }
    let Some(ready) = ready_lock(conn, dialect, request_id).await? else {
        return Ok(Cancelled::TooLate);
    };
    if ready.life.cancel(now_ms).is_err() {
        return Ok(Cancelled::TooLate);
    }
    lost_insert(conn, &ready).await?;
    request_end(conn, &ready, (End::Cancelled, None), now_ms).await?;
    Ok(Cancelled::Done)
}

/// Ends a request whose time or whose attempts are over; false: they are not.
pub async fn request_lapse(
    conn: &mut AnyConnection,
    dialect: Dialect,
    request_id: &str,
    now_ms: u64,
) -> Result<bool, StoreFailed> {
    let ordering: Option<(Option<String>,)> =
        sqlx::query_as("SELECT ordering FROM queued_ready WHERE request_id = $1")
            .bind(request_id)
            .fetch_optional(&mut *conn)
            .await?;
    if let Some((Some(ordering),)) = ordering {
        ordering_lock(conn, dialect, &ordering).await?;
    }
    let Some(ready) = ready_lock(conn, dialect, request_id).await? else {
        return Ok(false);
    };
    let Some(Life {
        stage: Stage::Ended(end),
        ..
    }) = ready.life.lapse(now_ms)
    else {
        return Ok(false);
    };
    lost_insert(conn, &ready).await?;
    request_end(conn, &ready, (end, None), now_ms).await?;
    Ok(true)
}

async fn locked(
    conn: &mut AnyConnection,
    dialect: Dialect,
    claimed: &Ready,
) -> Result<Option<Ready>, StoreFailed> {
    if let Some(ordering) = &claimed.ordering {
        ordering_lock(conn, dialect, ordering).await?;
    }
    ready_lock(conn, dialect, &claimed.request_id).await
}

/// A request leaves what waits, and the next of its ordering may go. Its ordering is locked.
async fn request_end(
    conn: &mut AnyConnection,
    ready: &Ready,
    (end, response): (End, Option<&[u8]>),
    now_ms: u64,
) -> Result<(), StoreFailed> {
    let (state, reason) = match end {
        End::Succeeded => (State::Succeeded, None),
        End::Failed(reason) => (State::Failed, Some(reason)),
        End::Cancelled => (State::Cancelled, None),
    };
    let (keep_ms,): (i64,) =
        sqlx::query_as("SELECT keep_response_ms FROM queued_request WHERE request_id = $1")
            .bind(&ready.request_id)
            .fetch_one(&mut *conn)
            .await?;
    let keep_ms = from_sql(keep_ms);
    let response = response.filter(|_| keep_ms > 0);
    let is_failed = reason.is_some();
    let row_ms = if is_failed { KEEP_FAILED_MS } else { DAY_MS };
    sqlx::query(
        // What has not failed is not replayed.
        "UPDATE queued_request SET ended = $1, reason = $2, ended_at_ms = $3, response = $4, \
         response_until_ms = $5, forget_at_ms = $6, \
         request = CASE WHEN $7 = 1 THEN request ELSE NULL END WHERE request_id = $8",
    )
    .bind(state.as_str())
    .bind(reason.map(Reason::as_str))
    .bind(to_sql(now_ms))
    .bind(response)
    .bind(response.map(|_| to_sql(now_ms.saturating_add(keep_ms))))
    .bind(to_sql(now_ms.saturating_add(keep_ms.max(row_ms))))
    .bind(i64::from(is_failed))
    .bind(&ready.request_id)
    .execute(&mut *conn)
    .await?;
    if is_failed && ready.stops && ready.ordering.is_some() {
        return ready_stop(conn, &ready.request_id).await;
    }
    ready_delete(conn, &ready.request_id).await?;
    match &ready.ordering {
        Some(ordering) => ordering_advance(conn, ordering, now_ms).await,
        None => Ok(()),
    }
}

/// It stays where it is, so that nobody behind it is the first.
async fn ready_stop(conn: &mut AnyConnection, request_id: &str) -> Result<(), StoreFailed> {
    sqlx::query(
        "UPDATE queued_ready SET is_over = 1, due_ms = NULL, lease_until_ms = 0 \
         WHERE request_id = $1",
    )
    .bind(request_id)
    .execute(conn)
    .await?;
    Ok(())
}

async fn ready_delete(conn: &mut AnyConnection, request_id: &str) -> Result<(), StoreFailed> {
    sqlx::query("DELETE FROM queued_ready WHERE request_id = $1")
        .bind(request_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives up a failed request that has those behind it wait; false: it is none.
async fn release(
    conn: &mut AnyConnection,
    (ordering, request_id): (&str, &str),
    now_ms: u64,
) -> Result<bool, StoreFailed> {
    let done = sqlx::query("DELETE FROM queued_ready WHERE request_id = $1 AND is_over = 1")
        .bind(request_id)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE queued_request SET ended = 'cancelled', reason = NULL, request = NULL \
         WHERE request_id = $1",
    )
    .bind(request_id)
    .execute(&mut *conn)
    .await?;
    ordering_advance(conn, ordering, now_ms).await?;
    Ok(true)
}

/// The first of an ordering is due, unless it is so already, or has failed and stops the others.
pub(super) async fn ordering_advance(
    conn: &mut AnyConnection,
    ordering: &str,
    now_ms: u64,
) -> Result<(), StoreFailed> {
    sqlx::query(
        "UPDATE queued_ready SET due_ms = $1 WHERE ordering = $2 AND due_ms IS NULL \
         AND is_over = 0 \
         AND place = (SELECT MIN(place) FROM queued_ready WHERE ordering = $2)",
    )
    .bind(to_sql(now_ms))
    .bind(ordering)
    .execute(conn)
    .await?;
    Ok(())
}

async fn health_note(
    conn: &mut AnyConnection,
    dialect: Dialect,
    (target_id, health): (&str, Health),
    now_ms: u64,
) -> Result<(), StoreFailed> {
    let Some(before) = breaker_lock(conn, dialect, target_id).await? else {
        return Ok(());
    };
    let after = match health {
        Health::Well => before.succeeded(),
        Health::Ill => before.failed(now_ms),
        Health::Unknown => before.unasked(),
    };
    if after == before {
        return Ok(());
    }
    breaker_update(conn, target_id, after).await
}
