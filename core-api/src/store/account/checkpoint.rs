//! Checkpoints of audit logs: which are due, which there are, which a region has yet to be given.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::domain::account::chain::Hash;
use crate::domain::account::checkpoint::Checkpoint;
use crate::domain::moment::Moment;
use crate::store::row::{column, number, unsigned_column};

/// A log that has rows behind its last checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueLog {
    /// Such as `client:ID`.
    pub log: String,
    /// How many rows it was given.
    pub rows: u64,
    /// Of the last one.
    pub hash: Hash,
}

/// The next `limit` logs that got `most` rows since their last checkpoint, or any since `before`.
///
/// # Errors
/// The database does not answer, or a row is none of ours; so everywhere below.
pub async fn checkpoint_due(
    conn: &mut AnyConnection,
    (most, before): (u64, Moment),
    limit: u16,
) -> sqlx::Result<Vec<DueLog>> {
    let rows = sqlx::query(
        "SELECT log, row_count, hash FROM audit_head WHERE row_count > checkpoint_count \
         AND (checkpoint_at <= $1 OR row_count >= checkpoint_count + $2) \
         ORDER BY checkpoint_at, log LIMIT $3",
    )
    .bind(before.to_string())
    .bind(number(most)?)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    let read = |row: &AnyRow| {
        Ok(DueLog {
            log: row.try_get("log")?,
            rows: unsigned_column(row, "row_count")?,
            hash: column(row, "hash")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Adds a checkpoint, which every region is to be given; one that there is already stays.
pub async fn checkpoint_insert(
    conn: &mut AnyConnection,
    checkpoint: &Checkpoint,
) -> sqlx::Result<()> {
    let document = serde_json::to_string(checkpoint);
    let document = document.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let rows = number(checkpoint.rows)?;
    sqlx::query(
        "INSERT INTO audit_checkpoint (log, row_count, at, document) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&checkpoint.log)
    .bind(rows)
    .bind(&checkpoint.at)
    .bind(document)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO audit_undelivered (region_name, log, row_count) \
         SELECT region_name, $1, $2 FROM region WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(&checkpoint.log)
    .bind(rows)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE audit_head SET checkpoint_count = $1, checkpoint_at = $2 \
         WHERE log = $3 AND checkpoint_count < $1",
    )
    .bind(rows)
    .bind(&checkpoint.at)
    .bind(&checkpoint.log)
    .execute(conn)
    .await?;
    Ok(())
}

/// The log's checkpoints behind so many rows and up to so many, the first first.
pub async fn checkpoint_list(
    conn: &mut AnyConnection,
    log: &str,
    (behind, last): (u64, u64),
) -> sqlx::Result<Vec<Checkpoint>> {
    let rows = sqlx::query(
        "SELECT document FROM audit_checkpoint WHERE log = $1 AND row_count > $2 \
         AND row_count <= $3 ORDER BY row_count",
    )
    .bind(log)
    .bind(number(behind)?)
    .bind(i64::try_from(last).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    rows.iter().map(from_row).collect()
}

/// The next `limit` checkpoints that the region was not given.
pub async fn checkpoint_undelivered(
    conn: &mut AnyConnection,
    region: &str,
    limit: u16,
) -> sqlx::Result<Vec<Checkpoint>> {
    let rows = sqlx::query(
        "SELECT c.document FROM audit_undelivered u JOIN audit_checkpoint c \
         ON c.log = u.log AND c.row_count = u.row_count \
         WHERE u.region_name = $1 ORDER BY u.log, u.row_count LIMIT $2",
    )
    .bind(region)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(from_row).collect()
}

/// The region has it.
pub async fn checkpoint_delivered(
    conn: &mut AnyConnection,
    region: &str,
    checkpoint: &Checkpoint,
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM audit_undelivered WHERE region_name = $1 AND log = $2 AND row_count = $3",
    )
    .bind(region)
    .bind(&checkpoint.log)
    .bind(number(checkpoint.rows)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest checkpoint of each log that was made before then, of logs that have rows from before it.
pub async fn checkpoint_outdated(
    conn: &mut AnyConnection,
    before: Moment,
    limit: u16,
) -> sqlx::Result<Vec<(String, u64)>> {
    let rows = sqlx::query(
        "SELECT log, row_count FROM (SELECT log, MAX(row_count) AS row_count FROM audit_checkpoint \
         WHERE at < $1 GROUP BY log) AS newest WHERE EXISTS (SELECT 1 FROM audit_row \
         WHERE audit_row.log = newest.log AND number <= newest.row_count) ORDER BY log LIMIT $2",
    )
    .bind(before.to_string())
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    let read = |row: &AnyRow| Ok((row.try_get("log")?, unsigned_column(row, "row_count")?));
    rows.iter().map(read).collect()
}

/// Drops the first rows of a log, up to a checkpoint, which stays; those before it go.
pub async fn audit_drop(conn: &mut AnyConnection, log: &str, rows: u64) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM audit_row WHERE log = $1 AND number <= $2",
        "DELETE FROM audit_undelivered WHERE log = $1 AND row_count < $2",
        "DELETE FROM audit_checkpoint WHERE log = $1 AND row_count < $2",
    ] {
        sqlx::query(statement)
            .bind(log)
            .bind(number(rows)?)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

fn from_row(row: &AnyRow) -> sqlx::Result<Checkpoint> {
    let document: String = row.try_get("document")?;
    serde_json::from_str(&document).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
