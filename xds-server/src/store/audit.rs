//! Checkpoints of audit logs of the control plane.

use requestrocket_proto::region::v1::AuditCheckpoint;
use sqlx::AnyConnection;
use sqlx::Row as _;

use super::{StoreFailed, from_sql, to_sql};

/// Of one log in an answer: what fits into a message of the link.
const MOST: i64 = 5_000;

/// Keeps a checkpoint. One of the same log and rows stays as it is.
pub async fn checkpoint_insert(
    conn: &mut AnyConnection,
    checkpoint: &AuditCheckpoint,
) -> Result<(), StoreFailed> {
    let AuditCheckpoint {
        log,
        rows,
        hash,
        at,
        key,
        signature,
    } = checkpoint;
    sqlx::query(
        "INSERT INTO audit_checkpoint (log, row_count, hash, at, public_key, signature) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(log)
    .bind(to_sql(*rows))
    .bind(hash)
    .bind(at)
    .bind(key)
    .bind(signature)
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest checkpoints of a log, in the order of their rows.
pub async fn checkpoint_list(
    conn: &mut AnyConnection,
    log: &str,
) -> Result<Vec<AuditCheckpoint>, StoreFailed> {
    let rows = sqlx::query(
        "SELECT * FROM audit_checkpoint WHERE log = $1 ORDER BY row_count DESC LIMIT $2",
    )
    .bind(log)
    .bind(MOST)
    .fetch_all(conn)
    .await?;
    let mut checkpoints = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        checkpoints.push(AuditCheckpoint {
            log: row.try_get("log")?,
            rows: from_sql(row.try_get("row_count")?),
            hash: row.try_get("hash")?,
            at: row.try_get("at")?,
            key: row.try_get("public_key")?,
            signature: row.try_get("signature")?,
        });
    }
    Ok(checkpoints)
}
