//! Targets.

use sqlx::AnyConnection;

use super::{StoreFailed, rows_delete, rows_fetch};
use crate::record::Target;

/// Writes a target, new or not.
pub async fn target_upsert(conn: &mut AnyConnection, target: &Target) -> Result<(), StoreFailed> {
    let Target {
        target_id,
        organisation_id,
        base_url,
    } = target;
    sqlx::query(
        "INSERT INTO target (target_id, organisation_id, base_url) VALUES ($1, $2, $3) \
         ON CONFLICT (target_id) DO UPDATE SET organisation_id = excluded.organisation_id, \
         base_url = excluded.base_url",
    )
    .bind(target_id)
    .bind(organisation_id)
    .bind(base_url)
    .execute(conn)
    .await?;
    Ok(())
}

/// All targets, or those with the given ids.
pub async fn target_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<Vec<Target>, StoreFailed> {
    let select = "SELECT target_id, organisation_id, base_url FROM target";
    let rows: Vec<(String, String, String)> = rows_fetch(conn, select, "target_id", ids).await?;
    let to_target = |(target_id, organisation_id, base_url)| Target {
        target_id,
        organisation_id,
        base_url,
    };
    Ok(rows.into_iter().map(to_target).collect())
}

/// Deletes targets; proxies keep naming them.
pub async fn target_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    rows_delete(conn, "target", "target_id", ids).await
}
