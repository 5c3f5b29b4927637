//! How targets answer that their regions call now and then.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::domain::gateway::region::RegionName;
use crate::domain::gateway::target::{TargetHealth, is_turn};
use crate::domain::id::{OrganisationId, TargetId};
use crate::store::row::{column, optional_column};

/// A target of which people take another thing from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// Whose.
    pub organisation: OrganisationId,
    /// Which.
    pub target: TargetId,
    /// Its name.
    pub name: String,
    /// What two calls in a row came to.
    pub is_reachable: bool,
}

/// Takes down what a call of `region` came to, unless a later one is known or the target is not called
/// any more; whether it is a turn.
///
/// # Errors
/// The database does not answer.
pub async fn health_update(
    conn: &mut AnyConnection,
    region: &RegionName,
    target: TargetId,
    health: TargetHealth,
) -> sqlx::Result<Option<Turned>> {
    let row = sqlx::query(
        "SELECT organisation_id, target_name, health_checked_at, health_is_reachable, \
         health_status, health_is_settled_reachable FROM target \
         WHERE region_name = $1 AND target_id = $2 AND check_seconds IS NOT NULL",
    )
    .bind(region.as_str())
    .bind(target.to_string())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let last = health_column(&row)?;
    if last.is_some_and(|last| last.checked_at >= health.checked_at) {
        return Ok(None);
    }
    let settled = row.try_get::<i64, _>("health_is_settled_reachable")? == 1;
    let is_reachable = health.is_reachable;
    let is_turned = is_turn(settled, last.map(|last| last.is_reachable), is_reachable);
    let now_settled = if is_turned { is_reachable } else { settled };
    sqlx::query(
        "UPDATE target SET health_checked_at = $1, health_is_reachable = $2, \
         health_status = $3, health_is_settled_reachable = $4 WHERE target_id = $5",
    )
    .bind(health.checked_at.to_string())
    .bind(i64::from(is_reachable))
    .bind(health.status.map(i64::from))
    .bind(i64::from(now_settled))
    .bind(target.to_string())
    .execute(conn)
    .await?;
    let turned = Turned {
        organisation: column(&row, "organisation_id")?,
        target,
        name: row.try_get("target_name")?,
        is_reachable,
    };
    Ok(is_turned.then_some(turned))
}

pub(super) fn health_column(row: &AnyRow) -> sqlx::Result<Option<TargetHealth>> {
    let Some(checked_at) = optional_column(row, "health_checked_at")? else {
        return Ok(None);
    };
    let status = row.try_get::<Option<i64>, _>("health_status")?;
    Ok(Some(TargetHealth {
        is_reachable: row.try_get::<Option<i64>, _>("health_is_reachable")? == Some(1),
        status: status.and_then(|status| u16::try_from(status).ok()),
        checked_at,
    }))
}

#[cfg(test)]
mod tests;
