//! Taking a target or target credential away from the proxies that are bound to it.

use crate::domain::gateway::region::RegionName;
use crate::domain::id::OrganisationId;
use crate::error::{ApiError, ApiResult, Code};
use crate::store::gateway::proxy_binding::{
    ProxyBinding, proxy_binding_list, proxy_binding_release, proxy_revise,
};
use crate::store::log::write::{Kind, Write};

pub(super) use crate::store::gateway::proxy_binding::Bound;

/// Frees all proxies of what is about to be deleted, and gives their ids; they keep its id and answer
/// 503.
///
/// # Errors
/// `RESOURCE_IN_USE` naming the proxies, unless `is_forced`.
pub(super) async fn release(
    write: &mut Write,
    organisation: OrganisationId,
    region: &RegionName,
    bound: Bound,
    is_forced: bool,
) -> ApiResult<Vec<String>> {
    let proxies = proxy_binding_list(write.conn(), organisation, bound).await?;
    if !is_forced && !proxies.is_empty() {
        return Err(in_use(&proxies));
    }
    proxy_binding_release(write.conn(), organisation, bound).await?;
    for proxy in &proxies {
        let (now, revision) = (write.now(), write.revision().await?);
        proxy_revise(write.conn(), organisation, proxy.id, now, revision).await?;
        write
            .touch(region, Kind::Proxy, &proxy.id.to_string())
            .await?;
    }
    Ok(proxies.iter().map(|proxy| proxy.id.to_string()).collect())
}

fn in_use(proxies: &[ProxyBinding]) -> ApiError {
    let error = ApiError::new(Code::ResourceInUse, "proxies still use it");
    proxies
        .iter()
        .fold(error, |error, ProxyBinding { id, name }| {
            error.with_detail("proxyId", format!("{id} {name}"))
        })
}
