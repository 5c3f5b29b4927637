//! The present state of records that a region is told of, many at once.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

/// An organisation, as far as regions care.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct OrganisationState {
    /// Its id.
    pub organisation_id: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Decides the ceilings of its credentials.
    pub plan: String,
    /// As configured, for plan business.
    pub credential_requests_per_minute: Option<i64>,
}

/// A credential, as far as its region cares.
#[derive(Clone, FromRow, PartialEq, Eq)]
pub struct CredentialState {
    /// Its id.
    pub credential_id: String,
    /// Its owner.
    pub organisation_id: String,
    /// `proxy` or `target`.
    pub credential_side: String,
    /// As in the API.
    pub auth_type: String,
    /// 1 when callers may use it.
    pub is_active: i64,
    /// When it ends; none for never.
    pub expires_at: Option<String>,
    /// Where a target credential may go; none for everywhere.
    pub allowed_hosts: Option<String>,
    /// Until when the secret before this one is accepted.
    pub previous_until: Option<String>,
    /// Of the secret.
    pub version: i64,
    /// Base64; none once the region has it.
    pub sealed_secret: Option<String>,
    /// `allow` or `deny`.
    pub default_rule_effect: String,
}

/// A target, as far as its region cares.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct TargetState {
    /// Its id.
    pub target_id: String,
    /// Its owner.
    pub organisation_id: String,
    /// As saved.
    pub base_url: String,
    /// `allow` or `deny`.
    pub default_rule_effect: String,
}

/// A proxy, as far as its region cares; its credentials stand in rows of their own.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct ProxyState {
    /// Its id.
    pub proxy_id: String,
    /// Its owner.
    pub organisation_id: String,
    /// None when the target was deleted by force.
    pub live_target_id: Option<String>,
    /// None when the credential was deleted by force.
    pub live_target_credential_id: Option<String>,
    /// 1 when it serves.
    pub is_active: i64,
    /// Of one call.
    pub timeout_seconds: i64,
    /// Of one response.
    pub max_response_bytes: i64,
    /// Usable in the URL in place of the id.
    pub alias: Option<String>,
    /// `allow` or `deny`.
    pub default_rule_effect: String,
    /// Over all its callers.
    pub max_requests_per_minute: Option<i64>,
    /// Over all its callers.
    pub max_requests_per_day: Option<i64>,
    /// Of a request body that conditions look into.
    pub max_inspected_bytes: i64,
    /// JSON: which pages of other origins may call it.
    pub cors: Option<String>,
}

impl std::fmt::Debug for CredentialState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Sealed bytes are no secret, but nobody needs them in a log either.
        write!(
            f,
            "CredentialState({}, version {})",
            self.credential_id, self.version
        )
    }
}

/// The organisations of these ids that exist.
///
/// # Errors
/// The store does not answer; so everywhere below.
pub async fn organisation_states(
    conn: &mut AnyConnection,
    ids: &[&str],
) -> sqlx::Result<Vec<OrganisationState>> {
    let columns = "organisation_id, status, plan, credential_requests_per_minute FROM organisation";
    fetch(
        conn,
        &statement(columns, "organisation_id", ids, ""),
        ids,
        None,
    )
    .await
}

/// The credentials of these ids that exist in `region`.
pub async fn credential_states(
    conn: &mut AnyConnection,
    region: &str,
    ids: &[&str],
) -> sqlx::Result<Vec<CredentialState>> {
    let columns = "credential_id, organisation_id, credential_side, auth_type, is_active,
                   expires_at, allowed_hosts, previous_until, version, sealed_secret,
                   default_rule_effect FROM credential";
    fetch(
        conn,
        &statement(columns, "credential_id", ids, IN_REGION),
        ids,
        Some(region),
    )
    .await
}

/// The targets of these ids that exist in `region`.
pub async fn target_states(
    conn: &mut AnyConnection,
    region: &str,
    ids: &[&str],
) -> sqlx::Result<Vec<TargetState>> {
    let columns = "target_id, organisation_id, base_url, default_rule_effect FROM target";
    fetch(
        conn,
        &statement(columns, "target_id", ids, IN_REGION),
        ids,
        Some(region),
    )
    .await
}

/// The proxies of these ids that exist in `region`.
pub async fn proxy_states(
    conn: &mut AnyConnection,
    region: &str,
    ids: &[&str],
) -> sqlx::Result<Vec<ProxyState>> {
    let columns = "proxy_id, organisation_id, live_target_id, live_target_credential_id, is_active,
                   timeout_seconds, max_response_bytes, alias, default_rule_effect,
                   max_requests_per_minute, max_requests_per_day, max_inspected_bytes, cors
                   FROM proxy";
    fetch(
        conn,
        &statement(columns, "proxy_id", ids, IN_REGION),
        ids,
        Some(region),
    )
    .await
}

/// The credentials of each of these proxies of `region`, in list order.
pub async fn proxy_credential_lists(
    conn: &mut AnyConnection,
    region: &str,
    ids: &[&str],
) -> sqlx::Result<BTreeMap<String, Vec<String>>> {
    let columns = "proxy_id, credential_id FROM proxy_credential";
    let rest = "AND region_name = $1 ORDER BY proxy_id, position";
    let rows: Vec<(String, String)> = fetch(
        conn,
        &statement(columns, "proxy_id", ids, rest),
        ids,
        Some(region),
    )
    .await?;
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (proxy, credential) in rows {
        lists.entry(proxy).or_default().push(credential);
    }
    Ok(lists)
}

const IN_REGION: &str = "AND region_name = $1";

/// `$1` is the region where `rest` names it; the ids follow it.
pub(super) fn statement(columns: &str, key: &str, ids: &[&str], rest: &str) -> String {
    let first = if rest.is_empty() { 1 } else { 2 };
    let marks: Vec<String> = (first..first + ids.len())
        .map(|mark| format!("${mark}"))
        .collect();
    format!(
        "SELECT {columns} WHERE {key} IN ({}) {rest}",
        marks.join(", ")
    )
}

pub(super) async fn fetch<T>(
    conn: &mut AnyConnection,
    statement: &str,
    ids: &[&str],
    region: Option<&str>,
) -> sqlx::Result<Vec<T>>
where
    T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
{
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sqlx::query_as(AssertSqlSafe(statement));
    for value in region.iter().chain(ids) {
        query = query.bind((*value).to_owned());
    }
    query.fetch_all(conn).await
}
