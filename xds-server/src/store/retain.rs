//! What a full sync does not mention is gone.

use std::collections::BTreeSet;

use sqlx::AnyConnection;

use super::affected::Changed;
use super::credential::credential_delete;
use super::organisation::organisation_delete;
use super::proxy::proxy_delete;
use super::target::target_delete;
use super::{StoreFailed, rows_fetch};

/// Deletes every record whose id is not among `kept`.
pub async fn records_retain(conn: &mut AnyConnection, kept: &Changed) -> Result<(), StoreFailed> {
    let gone = ids_beyond(conn, "proxy", "proxy_id", &kept.proxies).await?;
    proxy_delete(conn, &as_strs(&gone)).await?;
    let gone = ids_beyond(conn, "target", "target_id", &kept.targets).await?;
    target_delete(conn, &as_strs(&gone)).await?;
    let gone = ids_beyond(conn, "credential", "credential_id", &kept.credentials).await?;
    credential_delete(conn, &as_strs(&gone)).await?;
    let gone = ids_beyond(conn, "organisation", "organisation_id", &kept.organisations).await?;
    organisation_delete(conn, &as_strs(&gone)).await
}

async fn ids_beyond(
    conn: &mut AnyConnection,
    table: &str,
    column: &str,
    kept: &BTreeSet<String>,
) -> Result<Vec<String>, StoreFailed> {
    // No `NOT IN`: a statement takes fewer values than there may be ids (65,535 in PostgreSQL).
    let select = format!("SELECT {column} FROM {table}");
    let rows: Vec<(String,)> = rows_fetch(conn, &select, column, None).await?;
    Ok(rows
        .into_iter()
        .map(|(id,)| id)
        .filter(|id| !kept.contains(id))
        .collect())
}

fn as_strs(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}
