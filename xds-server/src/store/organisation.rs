//! Organisations and their wrapped keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::AnyConnection;

use super::{StoreFailed, rows_delete, rows_fetch};
use crate::record::{Organisation, OrganisationKeys};

type Row = (String, i64, String, String);

const SELECT: &str = "SELECT organisation_id, is_suspended, data_key, digest_key FROM organisation";

/// Writes an organisation, new or not.
pub async fn organisation_upsert(
    conn: &mut AnyConnection,
    organisation: &Organisation,
) -> Result<(), StoreFailed> {
    let Organisation {
        organisation_id,
        is_suspended,
        keys,
    } = organisation;
    sqlx::query(
        "INSERT INTO organisation (organisation_id, is_suspended, data_key, digest_key) \
         VALUES ($1, $2, $3, $4) \
         ON CONFLICT (organisation_id) DO UPDATE SET is_suspended = excluded.is_suspended, \
         data_key = excluded.data_key, digest_key = excluded.digest_key",
    )
    .bind(organisation_id)
    .bind(i64::from(*is_suspended))
    .bind(STANDARD.encode(&keys.data_key))
    .bind(STANDARD.encode(&keys.digest_key))
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
    rows_delete(conn, "organisation", "organisation_id", ids).await
}

/// Damaged keys become empty ones, which open nothing: the records of others still work.
fn from_row((organisation_id, is_suspended, data_key, digest_key): Row) -> Organisation {
    let decode = |name: &str, text: String| {
        STANDARD.decode(text).unwrap_or_else(|_| {
            tracing::error!(organisation_id, key = name, "stored key is damaged");
            Vec::new()
        })
    };
    let keys = OrganisationKeys {
        data_key: decode("data", data_key),
        digest_key: decode("digest", digest_key),
    };
    Organisation {
        organisation_id,
        is_suspended: is_suspended != 0,
        keys,
    }
}
