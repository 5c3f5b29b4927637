//! Proxies together with every record they name, in a fixed number of statements.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;

use super::StoreFailed;
use super::affected::Changed;
use super::credential::credential_list;
use super::organisation::organisation_list;
use super::proxy::proxy_list;
use super::target::target_list;
use crate::records::record::{Proxy, Records};

/// Everything there is.
pub async fn records_fetch_all(conn: &mut AnyConnection) -> Result<Records, StoreFailed> {
    let proxies = proxy_list(conn, None).await?;
    let mut records = named_fetch(conn, None).await?;
    records.proxies = by_id(proxies, |proxy| &proxy.proxy_id);
    Ok(records)
}

/// The proxies with the given ids (those that exist) and what they name.
pub async fn records_fetch(
    conn: &mut AnyConnection,
    proxy_ids: &[&str],
) -> Result<Records, StoreFailed> {
    let proxies = proxy_list(conn, Some(proxy_ids)).await?;
    let mut records = named_fetch(conn, Some(&Named::by(&proxies))).await?;
    records.proxies = by_id(proxies, |proxy| &proxy.proxy_id);
    Ok(records)
}

/// The records with the given ids, whatever they name.
pub async fn records_fetch_listed(
    conn: &mut AnyConnection,
    ids: &Changed,
) -> Result<Records, StoreFailed> {
    let named = Named {
        organisations: as_strs(&ids.organisations),
        credentials: as_strs(&ids.credentials),
        targets: as_strs(&ids.targets),
    };
    let mut records = named_fetch(conn, Some(&named)).await?;
    let proxies = proxy_list(conn, Some(&as_strs(&ids.proxies))).await?;
    records.proxies = by_id(proxies, |proxy| &proxy.proxy_id);
    Ok(records)
}

fn as_strs(ids: &BTreeSet<String>) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

/// Ids that some proxies name.
struct Named<'a> {
    organisations: Vec<&'a str>,
    credentials: Vec<&'a str>,
    targets: Vec<&'a str>,
}

impl<'a> Named<'a> {
    fn by(proxies: &'a [Proxy]) -> Self {
        let credentials = proxies.iter().flat_map(|proxy| {
            let listed = proxy.proxy_credential_ids.iter().map(String::as_str);
            listed.chain([proxy.target_credential_id.as_str()])
        });
        Self {
            organisations: distinct(proxies.iter().map(|proxy| proxy.organisation_id.as_str())),
            credentials: distinct(credentials),
            targets: distinct(proxies.iter().map(|proxy| proxy.target_id.as_str())),
        }
    }
}

fn distinct<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

async fn named_fetch(
    conn: &mut AnyConnection,
    named: Option<&Named<'_>>,
) -> Result<Records, StoreFailed> {
    let organisations = organisation_list(conn, named.map(|n| n.organisations.as_slice())).await?;
    let credentials = credential_list(conn, named.map(|n| n.credentials.as_slice())).await?;
    let targets = target_list(conn, named.map(|n| n.targets.as_slice())).await?;
    Ok(Records {
        organisations: by_id(organisations, |organisation| &organisation.organisation_id),
        credentials: by_id(credentials, |credential| &credential.credential_id),
        targets: by_id(targets, |target| &target.target_id),
        proxies: BTreeMap::new(),
    })
}

fn by_id<T>(rows: Vec<T>, id: fn(&T) -> &String) -> BTreeMap<String, T> {
    rows.into_iter()
        .map(|row| (id(&row).clone(), row))
        .collect()
}
