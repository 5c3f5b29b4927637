//! Organisations and their wrapped keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::AnyConnection;

use super::message::{decode, encode};
use super::queue::forget::queue_delete;
use super::{StoreFailed, rows_delete, rows_fetch};
use crate::records::record::{Organisation, OrganisationKeys};

type Row = (String, i64, String, String, Option<String>);

const SELECT: &str = "SELECT organisation_id, is_suspended, data_key, digest_key, \
                      credential_limits FROM organisation";

/// Writes an organisation, new or not.
pub async fn organisation_upsert(
    conn: &mut AnyConnection,
    organisation: &Organisation,
) -> Result<(), StoreFailed> {
    let Organisation {
        organisation_id,
        is_suspended,
        credential_limits,
        keys,
    } = organisation;
    sqlx::query(
        "INSERT INTO organisation (organisation_id, is_suspended, data_key, digest_key, \
         credential_limits) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (organisation_id) DO UPDATE SET is_suspended = excluded.is_suspended, \
         data_key = excluded.data_key, digest_key = excluded.digest_key, \
         credential_limits = excluded.credential_limits",
    )
    .bind(organisation_id)
    .bind(i64::from(*is_suspended))
    .bind(STANDARD.encode(&keys.data_key))
    .bind(STANDARD.encode(&keys.digest_key))
    .bind(encode(credential_limits))
    .execute(conn)
    .await?;
    Ok(())
}

/// All organisations, or those with the given ids.
pub async fn organisation_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<Vec<Organisation>, StoreFailed> {
    let rows: Vec<Row> = rows_fetch(conn, SELECT, "organisation_id", ids).await?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// Deletes organisations; with their keys gone nothing they wrapped can be opened again.
pub async fn organisation_delete(
    conn: &mut AnyConnection,
    ids: &[&str],
) -> Result<(), StoreFailed> {
    queue_delete(conn, ids).await?;
    rows_delete(conn, "organisation", "organisation_id", ids).await
}

/// Damaged keys become empty ones, which open nothing, and damaged limits a suspension: the records
/// of others still work.
fn from_row(row: Row) -> Organisation {
    let (organisation_id, is_suspended, data_key, digest_key, limits) = row;
    let key = |name: &str, text: String| {
        STANDARD.decode(text).unwrap_or_else(|_| {
            tracing::error!(organisation_id, key = name, "stored key is damaged");
            Vec::new()
        })
    };
    let keys = OrganisationKeys {
        data_key: key("data", data_key),
        digest_key: key("digest", digest_key),
    };
    let limits = decode(limits.as_deref());
    if limits.is_none() {
        tracing::error!(organisation_id, "stored limits are damaged");
    }
    Organisation {
        organisation_id,
        is_suspended: is_suspended != 0 || limits.is_none(),
        credential_limits: limits.unwrap_or_default(),
        keys,
    }
}
