//! Proxies, with the credentials of their callers and what their status depends on.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::gateway::alias::Alias;
use crate::domain::gateway::cors::Cors;
use crate::domain::gateway::proxy::{PlacedProxy, Proxy, ProxyForm};
use crate::domain::gateway::region::RegionName;
use crate::domain::id::{CredentialId, OrganisationId, ProxyId};
use crate::domain::listing::{ListQuery, Page};
use crate::store::labels::{labels_column, labels_text};
use crate::store::listing::{Listing, page};
use crate::store::row::{
    column, flag, flag_column, limit, limit_column, number, optional_column, unsigned,
    unsigned_column,
};

/// Proxies beside what their status depends on: the newest change of each record they use, which
/// is also the newest change of what is attached to it.
const VIEW: &str = "(SELECT p.*, r.base_url AS region_base_url, \
     (SELECT MAX(c.revision) FROM change c WHERE c.region_name = p.region_name \
         AND c.kind = 'proxy' AND c.record_id = p.proxy_id) AS of_proxy, \
     (SELECT MAX(c.revision) FROM change c WHERE c.region_name = p.region_name \
         AND c.kind = 'target' AND c.record_id = p.live_target_id) AS of_target, \
     (SELECT MAX(c.revision) FROM change c WHERE c.region_name = p.region_name \
         AND c.kind = 'credential' AND c.record_id = p.live_target_credential_id) \
         AS of_target_credential, \
     (SELECT MAX(c.revision) FROM change c JOIN proxy_credential pc \
         ON c.record_id = pc.credential_id WHERE c.region_name = p.region_name \
         AND c.kind = 'credential' AND pc.proxy_id = p.proxy_id) AS of_credentials, \
     (SELECT MAX(c.revision) FROM change c WHERE c.region_name = '*' \
         AND c.kind = 'organisation' AND c.record_id = p.organisation_id) AS of_organisation \
     FROM proxy p JOIN region r ON r.region_name = p.region_name) AS proxies";

const LISTING: Listing = Listing {
    from: VIEW,
    columns: "*",
    owner: "organisation_id",
    id: "proxy_id",
    kind: "",
    temporary: None,
};

/// A page of the organisation's proxies.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn proxy_list(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    query: &ListQuery,
) -> sqlx::Result<Page<PlacedProxy>> {
    let owner = organisation.to_string();
    let mut page = page(conn, LISTING, &owner, query, placed_from_row).await?;
    let ids: Vec<_> = page.items.iter().map(|placed| placed.proxy.id).collect();
    let mut credentials = proxy_credential_lists(conn, organisation, &ids).await?;
    for PlacedProxy { proxy, .. } in &mut page.items {
        proxy.form.proxy_credentials = credentials.remove(&proxy.id).unwrap_or_default();
    }
    Ok(page)
}

/// The organisation's proxy with this id.
pub async fn proxy_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: ProxyId,
) -> sqlx::Result<Option<PlacedProxy>> {
    let select = format!("SELECT * FROM {VIEW} WHERE organisation_id = $1 AND proxy_id = $2");
    let row = sqlx::query(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(id.to_string())
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut placed = placed_from_row(&row)?;
    let mut credentials = proxy_credential_lists(conn, organisation, &[id]).await?;
    placed.proxy.form.proxy_credentials = credentials.remove(&id).unwrap_or_default();
    Ok(Some(placed))
}

/// Another proxy of the region, of whatever organisation, has the alias.
pub async fn proxy_alias_is_taken(
    conn: &mut AnyConnection,
    region: &RegionName,
    alias: &Alias,
    besides: ProxyId,
) -> sqlx::Result<bool> {
    let row = sqlx::query(
        "SELECT proxy_id FROM proxy WHERE region_name = $1 AND alias = $2 AND proxy_id <> $3",
    )
    .bind(region.as_str())
    .bind(alias.as_str())
    .bind(besides.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Adds a proxy, bound to what it names.
pub async fn proxy_insert(conn: &mut AnyConnection, proxy: &Proxy) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO proxy (proxy_id, organisation_id, region_name, proxy_name, name_key, \
         target_id, target_credential_id, live_target_id, live_target_credential_id, is_active, \
         default_rule_effect, timeout_seconds, max_response_bytes, max_inspected_bytes, \
         created_at, updated_at, created_by, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(proxy.id.to_string())
    .bind(proxy.organisation.to_string())
    .bind(proxy.region.as_str())
    .bind(proxy.form.name.as_str())
    .bind(proxy.form.name.key())
    .bind(proxy.form.target.to_string())
    .bind(proxy.form.target_credential.to_string())
    .bind(flag(proxy.form.is_active))
    .bind(proxy.form.default_rule_effect.as_str())
    .bind(number(proxy.form.timeout_seconds)?)
    .bind(number(proxy.form.max_response_bytes)?)
    .bind(number(proxy.form.max_inspected_bytes)?)
    .bind(proxy.created_at.to_string())
    .bind(proxy.updated_at.to_string())
    .bind(&proxy.created_by)
    .bind(number(proxy.revision)?)
    .execute(&mut *conn)
    .await?;
    proxy_update(conn, proxy).await
}

/// Writes what may change of a proxy, and its callers' credentials.
pub async fn proxy_update(conn: &mut AnyConnection, proxy: &Proxy) -> sqlx::Result<()> {
    let form = &proxy.form;
    let (target, credential) = (form.target.to_string(), form.target_credential.to_string());
    sqlx::query(
        "UPDATE proxy SET proxy_name = $1, name_key = $2, target_id = $3, \
         target_credential_id = $4, live_target_id = $5, live_target_credential_id = $6, \
         is_active = $7, default_rule_effect = $8, timeout_seconds = $9, \
         max_requests_per_minute = $10, max_requests_per_day = $11, max_response_bytes = $12, \
         max_inspected_bytes = $13, alias = $14, cors = $15, labels = $16, updated_at = $17, \
         revision = $18 WHERE organisation_id = $19 AND proxy_id = $20",
    )
    .bind(form.name.as_str())
    .bind(form.name.key())
    .bind(&target)
    .bind(&credential)
    .bind(proxy.has_target.then_some(&target))
    .bind(proxy.has_target_credential.then_some(&credential))
    .bind(flag(form.is_active))
    .bind(form.default_rule_effect.as_str())
    .bind(number(form.timeout_seconds)?)
    .bind(limit(form.max_requests_per_minute)?)
    .bind(limit(form.max_requests_per_day)?)
    .bind(number(form.max_response_bytes)?)
    .bind(number(form.max_inspected_bytes)?)
    .bind(form.alias.as_ref().map(Alias::as_str))
    .bind(form.cors.as_ref().map(cors_text).transpose()?)
    .bind(labels_text(&proxy.labels)?)
    .bind(proxy.updated_at.to_string())
    .bind(number(proxy.revision)?)
    .bind(proxy.organisation.to_string())
    .bind(proxy.id.to_string())
    .execute(&mut *conn)
    .await?;
    proxy_credential_replace(conn, proxy).await
}

/// Deletes a proxy; what it used stays.
pub async fn proxy_delete(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: ProxyId,
) -> sqlx::Result<()> {
    proxy_credential_delete(conn, organisation, id).await?;
    sqlx::query("DELETE FROM proxy WHERE organisation_id = $1 AND proxy_id = $2")
        .bind(organisation.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

async fn proxy_credential_replace(conn: &mut AnyConnection, proxy: &Proxy) -> sqlx::Result<()> {
    proxy_credential_delete(conn, proxy.organisation, proxy.id).await?;
    for (position, credential) in (0_i64..).zip(&proxy.form.proxy_credentials) {
        sqlx::query(
            "INSERT INTO proxy_credential \
             (proxy_id, credential_id, organisation_id, region_name, position) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(proxy.id.to_string())
        .bind(credential.to_string())
        .bind(proxy.organisation.to_string())
        .bind(proxy.region.as_str())
        .bind(position)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn proxy_credential_delete(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    proxy: ProxyId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM proxy_credential WHERE organisation_id = $1 AND proxy_id = $2")
        .bind(organisation.to_string())
        .bind(proxy.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

async fn proxy_credential_lists(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    proxies: &[ProxyId],
) -> sqlx::Result<BTreeMap<ProxyId, Vec<CredentialId>>> {
    let mut lists: BTreeMap<ProxyId, Vec<CredentialId>> = BTreeMap::new();
    // `IN ()` is no SQL for PostgreSQL.
    if proxies.is_empty() {
        return Ok(lists);
    }
    // SQLite has no arrays that one placeholder could stand for.
    let places: Vec<_> = (2..)
        .take(proxies.len())
        .map(|place| format!("${place}"))
        .collect();
    let select = format!(
        "SELECT proxy_id, credential_id FROM proxy_credential \
         WHERE organisation_id = $1 AND proxy_id IN ({}) ORDER BY proxy_id, position",
        places.join(", ")
    );
    let query = sqlx::query(AssertSqlSafe(select)).bind(organisation.to_string());
    let query = proxies
        .iter()
        .fold(query, |query, proxy| query.bind(proxy.to_string()));
    for row in query.fetch_all(conn).await? {
        let credential = column(&row, "credential_id")?;
        lists
            .entry(column(&row, "proxy_id")?)
            .or_default()
            .push(credential);
    }
    Ok(lists)
}

fn placed_from_row(row: &AnyRow) -> sqlx::Result<PlacedProxy> {
    Ok(PlacedProxy {
        proxy: proxy_from_row(row)?,
        region_base_url: row.try_get("region_base_url")?,
        desired_revision: desired_revision(row)?,
    })
}

/// Without its callers' credentials, which are rows of their own.
pub(in crate::store) fn proxy_from_row(row: &AnyRow) -> sqlx::Result<Proxy> {
    let live = |name| Ok::<_, sqlx::Error>(row.try_get::<Option<String>, _>(name)?.is_some());
    Ok(Proxy {
        id: column(row, "proxy_id")?,
        organisation: column(row, "organisation_id")?,
        region: column(row, "region_name")?,
        form: ProxyForm {
            name: column(row, "proxy_name")?,
            proxy_credentials: Vec::new(),
            target: column(row, "target_id")?,
            target_credential: column(row, "target_credential_id")?,
            is_active: flag_column(row, "is_active")?,
            default_rule_effect: column(row, "default_rule_effect")?,
            timeout_seconds: unsigned_column(row, "timeout_seconds")?,
            max_requests_per_minute: limit_column(row, "max_requests_per_minute")?,
            max_requests_per_day: limit_column(row, "max_requests_per_day")?,
            max_response_bytes: unsigned_column(row, "max_response_bytes")?,
            max_inspected_bytes: unsigned_column(row, "max_inspected_bytes")?,
            alias: optional_column(row, "alias")?,
            cors: cors_column(row)?,
        },
        labels: labels_column(row)?,
        has_target: live("live_target_id")?,
        has_target_credential: live("live_target_credential_id")?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
    })
}

fn cors_text(cors: &Cors) -> sqlx::Result<String> {
    serde_json::to_string(cors).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

fn cors_column(row: &AnyRow) -> sqlx::Result<Option<Cors>> {
    let text: Option<String> = row.try_get("cors")?;
    let read = |text: String| {
        serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    };
    text.map(read).transpose()
}

fn desired_revision(row: &AnyRow) -> sqlx::Result<u64> {
    let mut newest = 0;
    for name in [
        "of_proxy",
        "of_target",
        "of_target_credential",
        "of_credentials",
        "of_organisation",
    ] {
        if let Some(revision) = row.try_get::<Option<i64>, _>(name)? {
            newest = newest.max(unsigned(revision)?);
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests;
