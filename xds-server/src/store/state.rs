//! The one row about the store itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::AnyConnection;

use super::{StoreFailed, from_sql, to_sql};

/// What shows that the key files belong to this store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCheck {
    /// An envelope under the region key.
    pub envelope: Vec<u8>,
    /// Public half of the sealing key.
    pub sealing_public_key: Vec<u8>,
}

/// None: the store is new.
pub async fn key_check_fetch(conn: &mut AnyConnection) -> Result<Option<KeyCheck>, StoreFailed> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT key_check, sealing_public_key FROM region_state")
            .fetch_optional(conn)
            .await?;
    let Some((envelope, public)) = row else {
        return Ok(None);
    };
    match (STANDARD.decode(envelope), STANDARD.decode(public)) {
        (Ok(envelope), Ok(sealing_public_key)) => Ok(Some(KeyCheck {
            envelope,
            sealing_public_key,
        })),
        _ => Err(StoreFailed::Damaged),
    }
}

/// Makes the row of a new store.
pub async fn state_insert(conn: &mut AnyConnection, check: &KeyCheck) -> Result<(), StoreFailed> {
    sqlx::query(
        "INSERT INTO region_state (id, stored_revision, key_check, sealing_public_key) \
         VALUES (1, 0, $1, $2)",
    )
    .bind(STANDARD.encode(&check.envelope))
    .bind(STANDARD.encode(&check.sealing_public_key))
    .execute(conn)
    .await?;
    Ok(())
}

/// Up to where everything is stored.
pub async fn revision_fetch(conn: &mut AnyConnection) -> Result<u64, StoreFailed> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT stored_revision FROM region_state")
        .fetch_optional(conn)
        .await?;
    Ok(row.map_or(0, |(revision,)| from_sql(revision)))
}

/// Records that everything up to `revision` is stored.
pub async fn revision_update(conn: &mut AnyConnection, revision: u64) -> Result<(), StoreFailed> {
    sqlx::query("UPDATE region_state SET stored_revision = $1")
        .bind(to_sql(revision))
        .execute(conn)
        .await?;
    Ok(())
}
