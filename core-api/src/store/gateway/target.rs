//! Targets.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::domain::gateway::base_url::BaseUrl;
use crate::domain::gateway::target::{Target, TargetForm};
use crate::domain::id::{OrganisationId, TargetId};
use crate::domain::listing::{ListQuery, Page};
use crate::store::gateway::target_health::health_column;
use crate::store::labels::{labels_column, labels_text};
use crate::store::listing::{Listing, page};
use crate::store::row::{column, number, unsigned_column};

const LISTING: Listing = Listing {
    from: "target",
    columns: "*",
    owner: "organisation_id",
    id: "target_id",
    kind: "",
    temporary: None,
};

/// A page of the organisation's targets.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn target_list(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    query: &ListQuery,
) -> sqlx::Result<Page<Target>> {
    page(
        conn,
        LISTING,
        &organisation.to_string(),
        query,
        target_from_row,
    )
    .await
}

/// The organisation's target with this id.
pub async fn target_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: TargetId,
) -> sqlx::Result<Option<Target>> {
    let row = sqlx::query("SELECT * FROM target WHERE organisation_id = $1 AND target_id = $2")
        .bind(organisation.to_string())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(target_from_row).transpose()
}

/// Adds a target to its organisation.
pub async fn target_insert(conn: &mut AnyConnection, target: &Target) -> sqlx::Result<()> {
    let TargetForm {
        name,
        base_url,
        test_path,
        check_seconds,
        default_rule_effect,
    } = &target.form;
    sqlx::query(
        "INSERT INTO target (target_id, organisation_id, region_name, target_name, name_key, \
         base_url, test_path, default_rule_effect, labels, created_at, updated_at, created_by, \
         revision, check_seconds) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(target.id.to_string())
    .bind(target.organisation.to_string())
    .bind(target.region.as_str())
    .bind(name.as_str())
    .bind(name.key())
    .bind(base_url.as_str())
    .bind(test_path.as_deref())
    .bind(default_rule_effect.as_str())
    .bind(labels_text(&target.labels)?)
    .bind(target.created_at.to_string())
    .bind(target.updated_at.to_string())
    .bind(&target.created_by)
    .bind(number(target.revision)?)
    .bind(check_seconds.map(i64::from))
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what may change of a target. What was known of how it answers counts as long as the same is
/// called.
pub async fn target_update(conn: &mut AnyConnection, target: &Target) -> sqlx::Result<()> {
    let TargetForm {
        name,
        base_url,
        test_path,
        check_seconds,
        default_rule_effect,
    } = &target.form;
    if target.health.is_none() {
        sqlx::query(
            "UPDATE target SET health_checked_at = NULL, health_is_reachable = NULL, \
             health_status = NULL, health_is_settled_reachable = 1 \
             WHERE organisation_id = $1 AND target_id = $2",
        )
        .bind(target.organisation.to_string())
        .bind(target.id.to_string())
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query(
        "UPDATE target SET target_name = $1, name_key = $2, base_url = $3, test_path = $4, \
         default_rule_effect = $5, labels = $6, updated_at = $7, revision = $8, \
         check_seconds = $9 WHERE organisation_id = $10 AND target_id = $11",
    )
    .bind(name.as_str())
    .bind(name.key())
    .bind(base_url.as_str())
    .bind(test_path.as_deref())
    .bind(default_rule_effect.as_str())
    .bind(labels_text(&target.labels)?)
    .bind(target.updated_at.to_string())
    .bind(number(target.revision)?)
    .bind(check_seconds.map(i64::from))
    .bind(target.organisation.to_string())
    .bind(target.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a target that no proxy is bound to any more.
pub async fn target_delete(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: TargetId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM target WHERE organisation_id = $1 AND target_id = $2")
        .bind(organisation.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

pub(in crate::store) fn target_from_row(row: &AnyRow) -> sqlx::Result<Target> {
    Ok(Target {
        id: column(row, "target_id")?,
        organisation: column(row, "organisation_id")?,
        region: column(row, "region_name")?,
        form: TargetForm {
            name: column(row, "target_name")?,
            base_url: BaseUrl::stored(row.try_get("base_url")?),
            test_path: row.try_get("test_path")?,
            check_seconds: row
                .try_get::<Option<i64>, _>("check_seconds")?
                .and_then(|seconds| u32::try_from(seconds).ok()),
            default_rule_effect: column(row, "default_rule_effect")?,
        },
        labels: labels_column(row)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
        health: health_column(row)?,
    })
}
