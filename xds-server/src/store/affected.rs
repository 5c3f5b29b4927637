//! Which proxies a change of another record touches.

use std::collections::BTreeSet;

use sqlx::AnyConnection;

use super::{StoreFailed, rows_fetch};

/// Ids of the records that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Their suspension or keys.
    pub organisations: BTreeSet<String>,
    /// On either side.
    pub credentials: BTreeSet<String>,
    /// Their address.
    pub targets: BTreeSet<String>,
    /// The proxies themselves, also removed ones.
    pub proxies: BTreeSet<String>,
}

/// Ids of every proxy that has to be assembled again, removed ones included.
pub async fn affected_fetch(
    conn: &mut AnyConnection,
    changed: &Changed,
) -> Result<BTreeSet<String>, StoreFailed> {
    let mut affected = changed.proxies.clone();
    let lookups = [
        ("proxy", "organisation_id", &changed.organisations),
        ("proxy", "target_id", &changed.targets),
        ("proxy", "target_credential_id", &changed.credentials),
        ("proxy_credential", "credential_id", &changed.credentials),
    ];
    for (table, column, ids) in lookups {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let select = format!("SELECT proxy_id FROM {table}");
        let rows: Vec<(String,)> = rows_fetch(conn, &select, column, Some(&ids)).await?;
        affected.extend(rows.into_iter().map(|(proxy_id,)| proxy_id));
    }
    Ok(affected)
}
