//! Organisations.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::account::notification::Owner;
use crate::domain::gateway::region::RegionName;
use crate::domain::id::{OrganisationId, UserId};
use crate::domain::listing::{ListQuery, Page};
use crate::domain::people::organisation::{Limits, Organisation};
use crate::store::account::notification::notification_delete_all;
use crate::store::labels::{labels_column, labels_text};
use crate::store::listing::{Listing, page};
use crate::store::row::{column, limit, limit_column, number, parsed, unsigned_column};

const OF_MEMBER: Listing = Listing {
    from: "(SELECT o.*, m.user_id FROM organisation o \
           JOIN member m ON m.organisation_id = o.organisation_id) AS organisations",
    columns: "*",
    owner: "user_id",
    id: "organisation_id",
    kind: "",
    temporary: None,
};

/// Everybody's: a constant stands where other lists have their owner.
const ALL: Listing = Listing {
    from: "organisation",
    columns: "*",
    owner: "'operator'",
    id: "organisation_id",
    kind: "",
    temporary: None,
};

/// A page of the organisations that `user` is a member of.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn organisation_list(
    conn: &mut AnyConnection,
    user: UserId,
    query: &ListQuery,
) -> sqlx::Result<Page<Organisation>> {
    page(
        conn,
        OF_MEMBER,
        &user.to_string(),
        query,
        organisation_from_row,
    )
    .await
}

/// A page of all organisations, for operators.
pub async fn organisation_list_all(
    conn: &mut AnyConnection,
    query: &ListQuery,
) -> sqlx::Result<Page<Organisation>> {
    page(conn, ALL, "operator", query, organisation_from_row).await
}

/// The organisation with this id.
pub async fn organisation_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
) -> sqlx::Result<Option<Organisation>> {
    let row = sqlx::query("SELECT * FROM organisation WHERE organisation_id = $1")
        .bind(organisation.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(organisation_from_row).transpose()
}

/// Adds an organisation.
pub async fn organisation_insert(
    conn: &mut AnyConnection,
    organisation: &Organisation,
) -> sqlx::Result<()> {
    let Organisation { limits, .. } = organisation;
    sqlx::query(
        "INSERT INTO organisation (organisation_id, organisation_name, name_key, plan, status, \
         requests_per_minute, requests_per_day, credential_requests_per_minute, \
         api_requests_per_minute, allowed_regions, labels, created_at, updated_at, created_by, \
         revision, standing) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(organisation.id.to_string())
    .bind(organisation.name.as_str())
    .bind(organisation.name.key())
    .bind(organisation.plan.as_str())
    .bind(organisation.status.as_str())
    .bind(limit(limits.requests_per_minute)?)
    .bind(limit(limits.requests_per_day)?)
    .bind(limit(limits.credential_requests_per_minute)?)
    .bind(limit(limits.api_requests_per_minute)?)
    .bind(regions_text(&organisation.allowed_regions))
    .bind(labels_text(&organisation.labels)?)
    .bind(organisation.created_at.to_string())
    .bind(organisation.updated_at.to_string())
    .bind(&organisation.created_by)
    .bind(number(organisation.revision)?)
    .bind(organisation.standing.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what may change of an organisation.
pub async fn organisation_update(
    conn: &mut AnyConnection,
    organisation: &Organisation,
) -> sqlx::Result<()> {
    let Organisation { limits, .. } = organisation;
    sqlx::query(
        "UPDATE organisation SET organisation_name = $1, name_key = $2, plan = $3, status = $4, \
         requests_per_minute = $5, requests_per_day = $6, credential_requests_per_minute = $7, \
         api_requests_per_minute = $8, allowed_regions = $9, labels = $10, updated_at = $11, \
         revision = $12 WHERE organisation_id = $13",
    )
    .bind(organisation.name.as_str())
    .bind(organisation.name.key())
    .bind(organisation.plan.as_str())
    .bind(organisation.status.as_str())
    .bind(limit(limits.requests_per_minute)?)
    .bind(limit(limits.requests_per_day)?)
    .bind(limit(limits.credential_requests_per_minute)?)
    .bind(limit(limits.api_requests_per_minute)?)
    .bind(regions_text(&organisation.allowed_regions))
    .bind(labels_text(&organisation.labels)?)
    .bind(organisation.updated_at.to_string())
    .bind(number(organisation.revision)?)
    .bind(organisation.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// The organisation's proxies, as id and name, by name.
pub async fn organisation_proxies(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "SELECT proxy_id, proxy_name FROM proxy WHERE organisation_id = $1 \
         ORDER BY name_key, proxy_id",
    )
    .bind(organisation.to_string())
    .fetch_all(conn)
    .await
}

/// What regions hold of an organisation, by the plural of its kind: ids.
pub async fn organisation_resources(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
) -> sqlx::Result<Vec<(&'static str, Vec<String>)>> {
    let mut resources = Vec::new();
    for (kind, plural) in REGIONAL
        .into_iter()
        .zip(["proxies", "credentials", "targets"])
    {
        let select =
            format!("SELECT {kind}_id FROM {kind} WHERE organisation_id = $1 ORDER BY {kind}_id");
        let ids: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(select))
            .bind(organisation.to_string())
            .fetch_all(&mut *conn)
            .await?;
        resources.push((plural, ids.into_iter().map(|(id,)| id).collect()));
    }
    Ok(resources)
}

/// Deletes an organisation with all that it owns; what regions hold of it is to be forgotten
/// as of `revision`.
pub async fn organisation_delete(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    revision: u64,
) -> sqlx::Result<()> {
    // Before the rows go: by them is found what regions have to forget.
    for kind in REGIONAL {
        let forget = format!(
            "UPDATE change SET revision = $1, is_removed = 1 WHERE kind = '{kind}' \
             AND record_id IN (SELECT {kind}_id FROM {kind} WHERE organisation_id = $2)"
        );
        sqlx::query(AssertSqlSafe(forget))
            .bind(number(revision)?)
            .bind(organisation.to_string())
            .execute(&mut *conn)
            .await?;
    }
    notification_delete_all(conn, Owner::Organisation(organisation)).await?;
    for table in OWNED {
        sqlx::query(AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE organisation_id = $1"
        )))
        .bind(organisation.to_string())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Kinds of records that regions hold; their tables have the same names.
const REGIONAL: [&str; 3] = ["proxy", "credential", "target"];

/// What goes with an organisation, in an order that foreign keys allow.
const OWNED: [&str; 12] = [
    // First: whoever charges has its lock until the end, and charges nothing without it.
    "billing_account",
    "billing_usage",
    "billing_month",
    "billing_entry",
    "webhook",
    "proxy_credential",
    "proxy",
    "credential",
    "target",
    "invite",
    "member",
    "organisation",
];

pub(in crate::store) fn organisation_from_row(row: &AnyRow) -> sqlx::Result<Organisation> {
    Ok(Organisation {
        id: column(row, "organisation_id")?,
        name: column(row, "organisation_name")?,
        plan: column(row, "plan")?,
        status: column(row, "status")?,
        standing: column(row, "standing")?,
        limits: Limits {
            requests_per_minute: limit_column(row, "requests_per_minute")?,
            requests_per_day: limit_column(row, "requests_per_day")?,
            credential_requests_per_minute: limit_column(row, "credential_requests_per_minute")?,
            api_requests_per_minute: limit_column(row, "api_requests_per_minute")?,
        },
        allowed_regions: regions(&row.try_get::<String, _>("allowed_regions")?)?,
        labels: labels_column(row)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
    })
}

/// Regions as they are stored: a JSON list.
fn regions_text(regions: &[RegionName]) -> String {
    let names: Vec<String> = regions.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", names.join(","))
}

fn regions(json: &str) -> sqlx::Result<Vec<RegionName>> {
    let names: Vec<String> =
        serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    names.iter().map(|name| parsed(name)).collect()
}
