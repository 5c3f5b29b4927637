//! Adding a row to an audit log, in the transaction of what it tells of.

use sqlx::AnyConnection;
use sqlx::Row as _;

use crate::domain::account::audit::{Author, Entry, Log};
use crate::domain::account::chain::{Hash, canonical};
use crate::domain::moment::Moment;
use crate::store::row::{column, number, unsigned_column};

/// The end of a log, to which one row is added.
struct End {
    /// Of the new row.
    number: u64,
    /// Of the row before it.
    hash: Hash,
    /// Of the user who acts; empty for others.
    user_name: String,
}

/// Adds the row of `entry`. Until the end of the transaction nobody else adds one to this log: ask
/// last.
///
/// # Errors
/// The database does not answer.
pub(super) async fn audit_append(
    conn: &mut AnyConnection,
    (author, entry): (&Author, &Entry),
    (now, config_version): (Moment, u64),
) -> sqlx::Result<()> {
    let End {
        number: row,
        hash: previous,
        user_name,
    } = next(conn, entry.log, author).await?;
    let document = entry.document(author, &user_name, (now, config_version));
    let document = canonical(&document).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let (log, hash) = (entry.log.to_string(), previous.of_next(&document));
    sqlx::query(
        "INSERT INTO audit_row (log, number, document, at, actor_id, action, resource_type, \
         resource_id, previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&log)
    .bind(number(row)?)
    .bind(document)
    .bind(now.to_string())
    .bind(author.actor.id())
    .bind(&entry.action)
    .bind(entry.resource.kind)
    .bind(&entry.resource.id)
    .bind(previous.to_string())
    .bind(hash.to_string())
    .execute(&mut *conn)
    .await?;
    sqlx::query("UPDATE audit_head SET hash = $1 WHERE log = $2")
        .bind(hash.to_string())
        .bind(log)
        .execute(conn)
        .await?;
    Ok(())
}

async fn next(conn: &mut AnyConnection, log: Log, author: &Author) -> sqlx::Result<End> {
    if let Some(end) = advance(conn, log, author).await? {
        return Ok(end);
    }
    // Somebody else may begin it at the same moment.
    sqlx::query(
        "INSERT INTO audit_head (log, row_count, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
    )
    .bind(log.to_string())
    .bind(Hash::NONE.to_string())
    .execute(&mut *conn)
    .await?;
    let end = advance(conn, log, author).await?;
    end.ok_or(sqlx::Error::RowNotFound)
}

/// None: the log has not begun.
async fn advance(conn: &mut AnyConnection, log: Log, author: &Author) -> sqlx::Result<Option<End>> {
    // One statement for both: writers wait for each other here.
    let row = sqlx::query(
        "UPDATE audit_head SET row_count = row_count + 1 WHERE log = $1 RETURNING row_count, hash, \
         (SELECT first_name || ' ' || last_name FROM user_account WHERE user_id = $2) AS user_name",
    )
    .bind(log.to_string())
    .bind(author.actor.user().map(|user| user.to_string()))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(End {
        number: unsigned_column(&row, "row_count")?,
        hash: column(&row, "hash")?,
        user_name: row
            .try_get::<Option<String>, _>("user_name")?
            .unwrap_or_default(),
    }))
}
