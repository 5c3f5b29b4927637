//! Letters that are to be sent.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error, Row};

use crate::domain::account::letter::{Errand, Letter};
use crate::domain::id::LetterId;
use crate::domain::moment::Moment;
use crate::store::row::{column, unsigned_column};

/// Adds a letter; false: one like it waits already, or was sent lately.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn letter_insert(
    conn: &mut AnyConnection,
    errand: &Errand,
    (now, due_at): (Moment, Moment),
) -> sqlx::Result<bool> {
    let (kind, about) = errand.words();
    let done = sqlx::query(
        "INSERT INTO letter (letter_id, kind, about, created_at, due_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(LetterId::random().to_string())
    .bind(kind)
    .bind(about)
    .bind(now.to_string())
    .bind(due_at.to_string())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those that are due, the longest first, but passwords before all: somebody waits for those.
pub async fn letter_due(
    conn: &mut AnyConnection,
    now: Moment,
    limit: i64,
) -> sqlx::Result<Vec<Letter>> {
    let rows = sqlx::query(
        "SELECT * FROM letter WHERE sent_at IS NULL AND due_at <= $1 \
         ORDER BY CASE kind WHEN 'reset' THEN 0 ELSE 1 END, due_at LIMIT $2",
    )
    .bind(now.to_string())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(letter_from_row).collect()
}

/// Takes a letter to send it, until when it is tried again; false: somebody else took it.
pub async fn letter_take(
    conn: &mut AnyConnection,
    letter: &Letter,
    until: Moment,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE letter SET due_at = $1, attempts = attempts + 1 \
         WHERE letter_id = $2 AND due_at = $3 AND sent_at IS NULL",
    )
    .bind(until.to_string())
    .bind(letter.id.to_string())
    .bind(letter.due_at.to_string())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Says when a letter is tried again.
pub async fn letter_postpone(
    conn: &mut AnyConnection,
    id: LetterId,
    due_at: Moment,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE letter SET due_at = $1 WHERE letter_id = $2")
        .bind(due_at.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes a letter.
pub async fn letter_delete(conn: &mut AnyConnection, id: LetterId) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM letter WHERE letter_id = $1")
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that a letter was sent, so that one like it is not sent soon.
pub async fn letter_sent(conn: &mut AnyConnection, id: LetterId, now: Moment) -> sqlx::Result<()> {
    sqlx::query("UPDATE letter SET sent_at = $1 WHERE letter_id = $2")
        .bind(now.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets letters that were sent before `sent_before`.
pub async fn letter_sweep(conn: &mut AnyConnection, sent_before: Moment) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM letter WHERE sent_at < $1")
        .bind(sent_before.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

fn letter_from_row(row: &AnyRow) -> sqlx::Result<Letter> {
    let (kind, about): (String, String) = (row.try_get("kind")?, row.try_get("about")?);
    let errand = Errand::of(&kind, &about).map_err(|error| Error::Decode(Box::new(error)))?;
    Ok(Letter {
        id: column(row, "letter_id")?,
        errand,
        created_at: column(row, "created_at")?,
        due_at: column(row, "due_at")?,
        attempts: unsigned_column(row, "attempts")?,
    })
}
