//! Answers that are kept for a second POST with the same key.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::row::unsigned;
use crate::domain::moment::Moment;

/// Whose key it is, and for which path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// User id, `operator`, or `anonymous:` and what the caller holds, as a digest.
    pub owner: String,
    /// Without `/api`.
    pub path: String,
    /// As the caller sent it.
    pub key: String,
}

/// What is repeated; holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

/// Which rows still count.
#[derive(Clone, Copy, Debug)]
pub struct Horizon {
    /// The present moment.
    pub now: Moment,
    /// Rows from before this moment are gone.
    pub expired: Moment,
    /// Requests that began before this moment and have no answer died.
    pub abandoned: Moment,
}

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing so far; it is taken now.
    Fresh,
    /// A request that has not ended.
    Running,
    /// A request with another body.
    OtherBody,
    /// A request that was answered.
    Answered(Answer),
}

/// Takes the key at `place`, or says what it stands for; `is_same` knows the digest of this body.
///
/// # Errors
/// The database does not answer.
pub async fn idempotency_begin(
    conn: &mut AnyConnection,
    place: &Place,
    body_digest: &str,
    is_same: impl Fn(&str) -> bool,
    horizon: Horizon,
) -> sqlx::Result<Begun> {
    // First, for a row that expired would still hold the key.
    purge(conn, horizon).await?;
    // Written before it is read: of two at once, only one finds the place free.
    let taken = sqlx::query(
        "INSERT INTO idempotency (owner, path, idempotency_key, body_digest, started_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (owner, path, idempotency_key) DO NOTHING",
    )
    .bind(&place.owner)
    .bind(&place.path)
    .bind(&place.key)
    .bind(body_digest)
    .bind(horizon.now.to_string())
    .execute(&mut *conn)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(Begun::Fresh);
    }
    let row: Option<Row> = sqlx::query_as(
        "SELECT body_digest, status, headers, body FROM idempotency \
         WHERE owner = $1 AND path = $2 AND idempotency_key = $3",
    )
    .bind(&place.owner)
    .bind(&place.path)
    .bind(&place.key)
    .fetch_optional(conn)
    .await?;
    // It ended without an answer between the two statements: as good as running.
    row.map_or(Ok(Begun::Running), |row| begun(row, is_same))
}

type Row = (String, Option<i64>, Option<String>, Option<String>);

fn begun(
    (stored_digest, status, headers, body): Row,
    is_same: impl Fn(&str) -> bool,
) -> sqlx::Result<Begun> {
    if !is_same(&stored_digest) {
        return Ok(Begun::OtherBody);
    }
    let Some(status) = status else {
        return Ok(Begun::Running);
    };
    let decode = |error| sqlx::Error::Decode(Box::new(error));
    let status =
        u16::try_from(unsigned(status)?).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let headers = serde_json::from_str(&headers.unwrap_or_default()).map_err(decode)?;
    Ok(Begun::Answered(Answer {
        status,
        headers,
        body: body.unwrap_or_default(),
    }))
}

/// Keeps `answer` for the key at `place`; without one the key is free again.
///
/// # Errors
/// The database does not answer.
pub async fn idempotency_end(
    conn: &mut AnyConnection,
    place: &Place,
    answer: Option<&Answer>,
) -> sqlx::Result<()> {
    let Some(Answer {
        status,
        headers,
        body,
    }) = answer
    else {
        return idempotency_delete(conn, place).await;
    };
    let headers =
        serde_json::to_string(headers).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query(
        "UPDATE idempotency SET status = $1, headers = $2, body = $3 \
         WHERE owner = $4 AND path = $5 AND idempotency_key = $6",
    )
    .bind(i64::from(*status))
    .bind(headers)
    .bind(body)
    .bind(&place.owner)
    .bind(&place.path)
    .bind(&place.key)
    .execute(conn)
    .await?;
    Ok(())
}

async fn idempotency_delete(conn: &mut AnyConnection, place: &Place) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM idempotency WHERE owner = $1 AND path = $2 AND idempotency_key = $3")
        .bind(&place.owner)
        .bind(&place.path)
        .bind(&place.key)
        .execute(conn)
        .await?;
    Ok(())
}

async fn purge(conn: &mut AnyConnection, horizon: Horizon) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM idempotency \
         WHERE started_at < $1 OR (status IS NULL AND started_at < $2)",
    )
    .bind(horizon.expired.to_string())
    .bind(horizon.abandoned.to_string())
    .execute(conn)
    .await?;
    Ok(())
}
