//! What a proxy's status is made of: its condition, and when it or a record it uses last changed.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::gateway::region::RegionName;
use crate::domain::id::{OrganisationId, ProxyId};
use crate::region::fleet::ProxyCondition;
use crate::store::row::{column, flag_column, unsigned_column};

/// One proxy, as far as its status goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUsage {
    /// Its id.
    pub id: ProxyId,
    /// Where it is served.
    pub region: RegionName,
    /// What its records say.
    pub condition: ProxyCondition,
    /// The newest revision that touched it or a record it uses.
    pub desired: u64,
}

const SELECT: &str = "SELECT p.proxy_id, p.region_name, p.is_active, p.live_target_id, \
     p.live_target_credential_id, \
     (SELECT COALESCE(MAX(c.revision), 0) FROM change c WHERE c.region_name = p.region_name \
         AND c.kind = 'proxy' AND c.record_id = p.proxy_id) AS of_proxy, \
     (SELECT COALESCE(MAX(c.revision), 0) FROM change c WHERE c.region_name = p.region_name \
         AND c.kind = 'target' AND c.record_id = p.target_id) AS of_target, \
     (SELECT COALESCE(MAX(c.revision), 0) FROM change c WHERE c.region_name = p.region_name \
         AND c.kind = 'credential' AND c.record_id = p.target_credential_id) AS of_target_credential, \
     (SELECT COALESCE(MAX(c.revision), 0) FROM change c JOIN proxy_credential pc \
         ON c.record_id = pc.credential_id WHERE c.region_name = p.region_name \
         AND c.kind = 'credential' AND pc.proxy_id = p.proxy_id) AS of_credentials, \
     (SELECT COALESCE(MAX(c.revision), 0) FROM change c WHERE c.region_name = '*' \
         AND c.kind = 'organisation' AND c.record_id = p.organisation_id) AS of_organisation \
     FROM proxy p WHERE p.organisation_id = $1 AND p.proxy_id IN";

/// The organisation's proxies of these ids, in any order; what is not there is left out.
///
/// # Errors
/// The database does not answer.
pub async fn proxy_usages(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    proxies: &[ProxyId],
) -> sqlx::Result<Vec<ProxyUsage>> {
    if proxies.is_empty() {
        return Ok(Vec::new());
    }
    let marks: Vec<String> = (2..proxies.len() + 2)
        .map(|mark| format!("${mark}"))
        .collect();
    let select = format!("{SELECT} ({})", marks.join(", "));
    let mut query = sqlx::query(AssertSqlSafe(select)).bind(organisation.to_string());
    for proxy in proxies {
        query = query.bind(proxy.to_string());
    }
    let rows = query.fetch_all(conn).await?;
    rows.iter().map(usage_from_row).collect()
}

fn usage_from_row(row: &AnyRow) -> sqlx::Result<ProxyUsage> {
    let is_bound = |name| {
        row.try_get::<Option<String>, _>(name)
            .map(|id| id.is_some())
    };
    let is_complete = is_bound("live_target_id")? && is_bound("live_target_credential_id")?;
    let condition = match (flag_column(row, "is_active")?, is_complete) {
        (false, _) => ProxyCondition::Inactive,
        (true, false) => ProxyCondition::Incomplete,
        (true, true) => ProxyCondition::Serving,
    };
    let mut desired = 0;
    for part in [
        "of_proxy",
        "of_target",
        "of_target_credential",
        "of_credentials",
        "of_organisation",
    ] {
        desired = desired.max(unsigned_column(row, part)?);
    }
    let (id, region) = (column(row, "proxy_id")?, column(row, "region_name")?);
    Ok(ProxyUsage {
        id,
        region,
        condition,
        desired,
    })
}

#[cfg(test)]
mod tests;
