//! What records of calls, and their sums, need of proxies, credentials and meters: how they are
//! called, and where they are.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::domain::id::OrganisationId;

/// Ids in one statement.
const CHUNK: usize = 512;

/// The names of those of the organisation's proxies that are there.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn proxy_names(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    proxies: &BTreeSet<&str>,
) -> sqlx::Result<BTreeMap<String, String>> {
    let select = "SELECT proxy_id, proxy_name FROM proxy WHERE organisation_id = $1 AND proxy_id";
    names(conn, organisation, (select, proxies)).await
}

/// The names of those of the organisation's credentials that are there.
pub async fn credential_names(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    credentials: &BTreeSet<&str>,
) -> sqlx::Result<BTreeMap<String, String>> {
    let select = "SELECT credential_id, credential_name FROM credential \
         WHERE organisation_id = $1 AND credential_id";
    names(conn, organisation, (select, credentials)).await
}

/// The names of those of the organisation's meters that are there.
pub async fn meter_names(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    meters: &BTreeSet<&str>,
) -> sqlx::Result<BTreeMap<String, String>> {
    let select = "SELECT meter_id, meter_name FROM meter WHERE organisation_id = $1 AND meter_id";
    names(conn, organisation, (select, meters)).await
}

/// `select` ends with the column of the ids.
async fn names(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    (select, ids): (&str, &BTreeSet<&str>),
) -> sqlx::Result<BTreeMap<String, String>> {
    let ids: Vec<&str> = ids.iter().copied().collect();
    let mut names = BTreeMap::new();
    for ids in ids.chunks(CHUNK) {
        let places: Vec<_> = (2..).take(ids.len()).map(|n| format!("${n}")).collect();
        let select = format!("{select} IN ({})", places.join(", "));
        let query = sqlx::query_as(AssertSqlSafe(select)).bind(organisation.to_string());
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        let rows: Vec<(String, String)> = query.fetch_all(&mut *conn).await?;
        names.extend(rows);
    }
    Ok(names)
}

/// The regions that the organisation has proxies in.
pub async fn proxy_regions(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
) -> sqlx::Result<BTreeSet<String>> {
    let sql = "SELECT DISTINCT region_name FROM proxy WHERE organisation_id = $1";
    let rows: Vec<(String,)> = sqlx::query_as(sql)
        .bind(organisation.to_string())
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(region,)| region).collect())
}
