//! What is told of requests, and what an attempt needs of one.

use sqlx::{AnyConnection, FromRow};

use super::super::{StoreFailed, from_sql};
use crate::queue::machine::{Life, Reason, Stage, State};
use crate::queue::status::Tried;

/// How a request stands, with what is sealed of its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStatus {
    /// UUID text.
    pub organisation_id: String,
    /// Where it stands.
    pub state: State,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// In order, with the one under way.
    pub attempts: Vec<Tried>,
    /// Unix time in milliseconds.
    pub next_attempt_at_ms: Option<u64>,
    /// An envelope.
    pub response: Option<Vec<u8>>,
    /// Somebody is told of the outcome.
    pub has_callback: bool,
}

/// What an attempt needs beyond [`super::Ready`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// UUID text.
    pub credential_id: String,
    /// An envelope; none: it is not kept any more.
    pub request: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct StatusRow {
    organisation_id: String,
    has_callback: i64,
    ended: Option<String>,
    reason: Option<String>,
    response: Option<Vec<u8>>,
    attempts: Option<i64>,
    started_at_ms: Option<i64>,
    lease_until_ms: Option<i64>,
    due_ms: Option<i64>,
}

type TriedRow = (i64, i64, Option<i64>, Option<i64>, Option<String>);

/// How a request of a proxy stands; none: there is none.
pub async fn status_fetch(
    conn: &mut AnyConnection,
    (proxy_id, request_id): (&str, &str),
    now_ms: u64,
) -> Result<Option<StoredStatus>, StoreFailed> {
    let row: Option<StatusRow> = sqlx::query_as(
        "SELECT q.organisation_id, q.has_callback, q.ended, q.reason, q.response, r.attempts, \
         r.started_at_ms, r.lease_until_ms, r.due_ms FROM queued_request q \
         LEFT JOIN queued_ready r ON r.request_id = q.request_id AND r.is_over = 0 \
         WHERE q.request_id = $1 AND q.proxy_id = $2",
    )
    .bind(request_id)
    .bind(proxy_id)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let attempts = attempts_list(conn, request_id).await?;
    Ok(Some(row.into_status(attempts, now_ms)))
}

/// Whether a request has ended; none: there is none.
pub async fn is_ended(
    conn: &mut AnyConnection,
    (proxy_id, request_id): (&str, &str),
) -> Result<Option<bool>, StoreFailed> {
    let row: Option<(Option<String>,)> =
        sqlx::query_as("SELECT ended FROM queued_request WHERE request_id = $1 AND proxy_id = $2")
            .bind(request_id)
            .bind(proxy_id)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|(ended,)| ended.is_some()))
}

/// What is sealed of a request; none: there is none.
pub async fn request_fetch(
    conn: &mut AnyConnection,
    request_id: &str,
) -> Result<Option<StoredRequest>, StoreFailed> {
    let row: Option<(String, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT credential_id, request FROM queued_request WHERE request_id = $1")
            .bind(request_id)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|(credential_id, request)| StoredRequest {
        credential_id,
        request,
    }))
}

async fn attempts_list(
    conn: &mut AnyConnection,
    request_id: &str,
) -> Result<Vec<Tried>, StoreFailed> {
    let rows: Vec<TriedRow> = sqlx::query_as(
        "SELECT number, started_at_ms, duration_ms, status, error FROM queued_attempt \
         WHERE request_id = $1 ORDER BY number",
    )
    .bind(request_id)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(tried_of).collect())
}

fn tried_of((number, started, duration, status, error): TriedRow) -> Tried {
    Tried {
        number: u32::try_from(number).unwrap_or(u32::MAX),
        started_at_ms: from_sql(started),
        duration_ms: duration.map(from_sql),
        status: status.and_then(|status| u16::try_from(status).ok()),
        error,
    }
}

impl StatusRow {
    fn into_status(self, mut attempts: Vec<Tried>, now_ms: u64) -> StoredStatus {
        let state = self.state(now_ms);
        let begun = self.attempts.and_then(|count| u32::try_from(count).ok());
        if let (State::Delivering, Some(number)) = (state, begun) {
            attempts.push(Tried {
                number,
                started_at_ms: self.started_at_ms.map_or(0, from_sql),
                duration_ms: None,
                status: None,
                error: None,
            });
        }
        let is_waiting = matches!(state, State::Queued | State::Waiting);
        let reason = self.reason.as_deref();
        StoredStatus {
            organisation_id: self.organisation_id,
            state,
            reason: reason.and_then(|word| Reason::ALL.into_iter().find(|it| it.as_str() == word)),
            attempts,
            next_attempt_at_ms: self.due_ms.filter(|_| is_waiting).map(from_sql),
            response: self.response,
            has_callback: self.has_callback != 0,
        }
    }

    fn state(&self, now_ms: u64) -> State {
        if let Some(word) = &self.ended {
            let known = State::ALL.into_iter().find(|it| it.as_str() == word);
            // The column takes no other words.
            return known.unwrap_or(State::Failed);
        }
        let lease = self.lease_until_ms.map_or(0, from_sql);
        let stage = if lease > 0 {
            Stage::Leased { until_ms: lease }
        } else {
            Stage::Waiting { due_ms: 0 }
        };
        let attempts = self.attempts.unwrap_or(0);
        let life = Life {
            stage,
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            token: 0,
            deadline_ms: 0,
        };
        life.state(now_ms)
    }
}
