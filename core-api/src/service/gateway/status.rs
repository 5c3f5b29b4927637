//! Proxy status: what the store wants of a proxy, held against what its region's nodes have.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use crate::domain::id::{OrganisationId, ProxyId};
use crate::region::fleet::{Fleets, ProxyStatus};
use crate::store::gateway::proxy_usage::{ProxyUsage, proxy_usages};

/// The status of each of the organisation's proxies of these ids, with one query.
///
/// # Errors
/// The database does not answer.
pub async fn proxy_statuses(
    conn: &mut AnyConnection,
    fleets: &Fleets,
    organisation: OrganisationId,
    proxies: &[ProxyId],
) -> sqlx::Result<BTreeMap<ProxyId, ProxyStatus>> {
    let usages = proxy_usages(conn, organisation, proxies).await?;
    Ok(usages
        .iter()
        .map(|usage| (usage.id, status_of(fleets, usage)))
        .collect())
}

/// The status of one proxy.
#[must_use]
pub fn status_of(fleets: &Fleets, usage: &ProxyUsage) -> ProxyStatus {
    let region = fleets.region(usage.region.as_str());
    region.proxy_status(usage.condition, &usage.id.to_string(), usage.desired)
}
