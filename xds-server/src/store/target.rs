//! Targets.

use sqlx::AnyConnection;

use super::message::{decode, encode};
use super::{StoreFailed, rows_delete, rows_fetch};
use crate::records::record::{Target, denying_layer};

type Row = (String, String, String, Option<String>);

const SELECT: &str = "SELECT target_id, organisation_id, base_url, layer FROM target";

/// Writes a target, new or not.
pub async fn target_upsert(conn: &mut AnyConnection, target: &Target) -> Result<(), StoreFailed> {
    let Target {
        target_id,
        organisation_id,
        base_url,
        layer,
    } = target;
    sqlx::query(
        "INSERT INTO target (target_id, organisation_id, base_url, layer) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (target_id) DO UPDATE SET organisation_id = excluded.organisation_id, \
         base_url = excluded.base_url, layer = excluded.layer",
    )
    .bind(target_id)
    .bind(organisation_id)
    .bind(base_url)
    .bind(encode(layer))
    .execute(conn)
    .await?;
    Ok(())
}

/// All targets, or those with the given ids.
pub async fn target_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<Vec<Target>, StoreFailed> {
    let rows: Vec<Row> = rows_fetch(conn, SELECT, "target_id", ids).await?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// Deletes targets; proxies keep naming them.
pub async fn target_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    rows_delete(conn, "target", "target_id", ids).await
}

/// A layer that no code of ours wrote is logged and served as one that denies.
fn from_row((target_id, organisation_id, base_url, layer): Row) -> Target {
    let layer = decode(layer.as_deref()).unwrap_or_else(|| {
        tracing::error!(target_id, "stored layer of the target is damaged");
        denying_layer()
    });
    Target {
        target_id,
        organisation_id,
        base_url,
        layer,
    }
}
