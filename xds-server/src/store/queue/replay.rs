//! Requests that have failed and are sent again as new ones.

use requestrocket_process::db::Dialect;
use sqlx::{AnyConnection, FromRow};

use super::super::{StoreFailed, from_sql, rows_delete};
use super::insert::{NewOrdering, NewRequest, replay_insert};
use super::ordering_lock;

/// What a replay takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayable {
    /// UUID text, as below.
    pub credential_id: String,
    /// Where it went.
    pub target_id: String,
    /// What an attempt may take.
    pub timeout_ms: u64,
    /// How long the response is kept.
    pub keep_response_ms: u64,
    /// Somebody is told of the outcome.
    pub has_callback: bool,
    /// Its ordering.
    pub ordering: Option<NewOrdering>,
    /// It has failed: nothing else is replayed.
    pub is_failed: bool,
    /// An envelope.
    pub request: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct ReplayRow {
    credential_id: String,
    target_id: String,
    timeout_ms: i64,
    keep_response_ms: i64,
    has_callback: i64,
    ordering: Option<String>,
    stops: i64,
    ended: Option<String>,
    request: Option<Vec<u8>>,
}

/// What a replay of a request takes over; none: there is none of an organisation's proxy.
pub async fn replayable_fetch(
    conn: &mut AnyConnection,
    (organisation_id, proxy_id): (&str, &str),
    request_id: &str,
) -> Result<Option<Replayable>, StoreFailed> {
    let row: Option<ReplayRow> = sqlx::query_as(
        "SELECT credential_id, target_id, timeout_ms, keep_response_ms, has_callback, ordering, \
         stops, ended, request FROM queued_request \
         WHERE request_id = $1 AND proxy_id = $2 AND organisation_id = $3",
    )
    .bind(request_id)
    .bind(proxy_id)
    .bind(organisation_id)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Replayable {
        credential_id: row.credential_id,
        target_id: row.target_id,
        timeout_ms: from_sql(row.timeout_ms),
        keep_response_ms: from_sql(row.keep_response_ms),
        has_callback: row.has_callback != 0,
        ordering: row.ordering.map(|digest| NewOrdering {
            digest,
            stops: row.stops != 0,
        }),
        is_failed: row.ended.as_deref() == Some("failed"),
        request: row.request,
    }))
}

/// Stores a replay. If the request of which it is one has those behind it wait, it takes its place.
pub async fn request_replay(
    conn: &mut AnyConnection,
    dialect: Dialect,
    (replayed_id, request): (&str, &NewRequest),
) -> Result<(), StoreFailed> {
    let mut place = None;
    if let Some(ordering) = &request.ordering {
        ordering_lock(conn, dialect, &ordering.digest).await?;
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT place FROM queued_ready WHERE request_id = $1 AND is_over = 1")
                .bind(replayed_id)
                .fetch_optional(&mut *conn)
                .await?;
        place = row.map(|(place,)| from_sql(place));
    }
    if place.is_some() {
        rows_delete(conn, "queued_ready", "request_id", &[replayed_id]).await?;
    }
    replay_insert(conn, request, place).await
}
