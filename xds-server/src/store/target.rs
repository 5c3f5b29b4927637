//! Targets.

use sqlx::AnyConnection;

use super::message::{decode, encode};
use super::{StoreFailed, rows_delete, rows_fetch};
use crate::records::record::{Target, denying_layer};

type Row = (String, String, String, Option<String>, i64, String);

const SELECT: &str =
    "SELECT target_id, organisation_id, base_url, layer, check_seconds, test_path FROM target";

/// Writes a target, new or not.
pub async fn target_upsert(conn: &mut AnyConnection, target: &Target) -> Result<(), StoreFailed> {
    let Target {
        target_id,
        organisation_id,
        base_url,
        layer,
        check_seconds,
        test_path,
    } = target;
    sqlx::query(
        "INSERT INTO target (target_id, organisation_id, base_url, layer, check_seconds, test_path) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (target_id) DO UPDATE SET organisation_id = excluded.organisation_id, \
         base_url = excluded.base_url, layer = excluded.layer, \
         check_seconds = excluded.check_seconds, test_path = excluded.test_path",
    )
    .bind(target_id)
    .bind(organisation_id)
    .bind(base_url)
    .bind(encode(layer))
    .bind(i64::from(*check_seconds))
    .bind(test_path)
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

/// Those that are called now and then.
pub async fn target_list_checked(conn: &mut AnyConnection) -> Result<Vec<Target>, StoreFailed> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT target_id, organisation_id, base_url, layer, check_seconds, test_path FROM target \
         WHERE check_seconds > 0",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// The target credential of one of its own active proxies that has one.
pub async fn target_user_fetch(
    conn: &mut AnyConnection,
    target: &Target,
) -> Result<Option<String>, StoreFailed> {
    let row: Option<(String,)> = sqlx::query_as(
        "SELECT target_credential_id FROM proxy WHERE target_id = $1 AND organisation_id = $2 \
         AND is_active = 1 AND target_credential_id <> '' ORDER BY proxy_id LIMIT 1",
    )
    .bind(&target.target_id)
    .bind(&target.organisation_id)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(credential_id,)| credential_id))
}

/// Deletes targets; proxies keep naming them.
pub async fn target_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    rows_delete(conn, "target", "target_id", ids).await
}

/// A layer that no code of ours wrote is logged and served as one that denies.
fn from_row(row: Row) -> Target {
    let (target_id, organisation_id, base_url, layer, check_seconds, test_path) = row;
    let layer = decode(layer.as_deref()).unwrap_or_else(|| {
        tracing::error!(target_id, "stored layer of the target is damaged");
        denying_layer()
    });
    Target {
        target_id,
        organisation_id,
        base_url,
        layer,
        check_seconds: u32::try_from(check_seconds).unwrap_or_default(),
        test_path,
    }
}
