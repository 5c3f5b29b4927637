//! Organisations.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::row::{column, limit_column, parsed, unsigned_column};
use crate::domain::id::OrganisationId;
use crate::domain::organisation::{Limits, Organisation};
use crate::domain::region::RegionName;

/// The organisation with this id.
///
/// # Errors
/// The database does not answer.
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

pub(super) fn organisation_from_row(row: &AnyRow) -> sqlx::Result<Organisation> {
    Ok(Organisation {
        id: column(row, "organisation_id")?,
        name: column(row, "organisation_name")?,
        plan: column(row, "plan")?,
        status: column(row, "status")?,
        limits: Limits {
            requests_per_minute: limit_column(row, "requests_per_minute")?,
            requests_per_day: limit_column(row, "requests_per_day")?,
            credential_requests_per_minute: limit_column(row, "credential_requests_per_minute")?,
            api_requests_per_minute: limit_column(row, "api_requests_per_minute")?,
        },
        allowed_regions: regions(&row.try_get::<String, _>("allowed_regions")?)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
    })
}

fn regions(json: &str) -> sqlx::Result<Vec<RegionName>> {
    let names: Vec<String> =
        serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    names.iter().map(|name| parsed(name)).collect()
}
