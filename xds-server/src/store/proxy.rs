//! Proxies with their lists of proxy credentials.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use requestrocket_proto::policy::v1 as wire;
use sqlx::{AnyConnection, FromRow};

use super::message::{decode, decode_list, encode, encode_list};
use super::{StoreFailed, from_sql, rows_delete, rows_fetch, to_sql};
use crate::records::record::{Proxy, denying_layer};

/// A row; what may be null is so in rows that are older than the column.
#[derive(FromRow)]
struct Row {
    proxy_id: String,
    organisation_id: String,
    is_active: i64,
    target_id: String,
    target_credential_id: String,
    timeout_seconds: i64,
    max_response_bytes: i64,
    max_inspected_bytes: Option<i64>,
    alias: Option<String>,
    layer: Option<String>,
    limits: Option<String>,
    meters: Option<String>,
    cors: Option<String>,
}

const SELECT: &str = "SELECT proxy_id, organisation_id, is_active, target_id, \
                      target_credential_id, timeout_seconds, max_response_bytes, \
                      max_inspected_bytes, alias, layer, limits, meters, cors FROM proxy";
const SELECT_CREDENTIALS: &str = "SELECT proxy_id, position, credential_id FROM proxy_credential";

/// Writes a proxy and its list in place of what is `stored` of it.
pub async fn proxy_upsert(
    conn: &mut AnyConnection,
    proxy: &Proxy,
    stored: Option<&Proxy>,
) -> Result<(), StoreFailed> {
    row_upsert(conn, proxy).await?;
    let (proxy_id, listed) = (&proxy.proxy_id, &proxy.proxy_credential_ids);
    let before = stored.map(|stored| &stored.proxy_credential_ids);
    if before == Some(listed) {
        return Ok(());
    }
    // A damaged proxy is not known as stored, but its list is there.
    if before.is_none_or(|before| !before.is_empty()) {
        rows_delete(conn, "proxy_credential", "proxy_id", &[proxy_id]).await?;
    }
    list_insert(conn, proxy_id, listed).await
}

async fn row_upsert(conn: &mut AnyConnection, proxy: &Proxy) -> Result<(), StoreFailed> {
    let Proxy {
        proxy_id,
        organisation_id,
        is_active,
        proxy_credential_ids: _,
        target_id,
        target_credential_id,
        timeout_seconds,
        max_response_bytes,
        max_inspected_bytes,
        alias,
        layer,
        limits,
        meters,
        cors,
    } = proxy;
    sqlx::query(
        "INSERT INTO proxy (proxy_id, organisation_id, is_active, target_id, \
         target_credential_id, timeout_seconds, max_response_bytes, max_inspected_bytes, alias, \
         layer, limits, meters, cors) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (proxy_id) DO UPDATE SET organisation_id = excluded.organisation_id, \
         is_active = excluded.is_active, target_id = excluded.target_id, \
         target_credential_id = excluded.target_credential_id, \
         timeout_seconds = excluded.timeout_seconds, \
         max_response_bytes = excluded.max_response_bytes, \
         max_inspected_bytes = excluded.max_inspected_bytes, alias = excluded.alias, \
         layer = excluded.layer, limits = excluded.limits, meters = excluded.meters, \
         cors = excluded.cors",
    )
    .bind(proxy_id)
    .bind(organisation_id)
    .bind(i64::from(*is_active))
    .bind(target_id)
    .bind(target_credential_id)
    .bind(i64::from(timeout_seconds.get()))
    .bind(to_sql(*max_response_bytes))
    .bind(to_sql(*max_inspected_bytes))
    .bind(alias.as_deref())
    .bind(encode(layer))
    .bind(encode(limits))
    .bind(encode_list(meters))
    .bind(cors.as_ref().map(encode))
    .execute(conn)
    .await?;
    Ok(())
}

async fn list_insert(
    conn: &mut AnyConnection,
    proxy_id: &str,
    credential_ids: &[String],
) -> Result<(), StoreFailed> {
    for (position, credential_id) in (0_i64..).zip(credential_ids) {
        sqlx::query(
            "INSERT INTO proxy_credential (proxy_id, position, credential_id) VALUES ($1, $2, $3)",
        )
        .bind(proxy_id)
        .bind(position)
        .bind(credential_id)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// All proxies, or those with the given ids.
pub async fn proxy_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<Vec<Proxy>, StoreFailed> {
    let rows: Vec<Row> = rows_fetch(conn, SELECT, "proxy_id", ids).await?;
    let mut listed: Vec<(String, i64, String)> =
        rows_fetch(conn, SELECT_CREDENTIALS, "proxy_id", ids).await?;
    // Here and not by SQL: ids are asked for in several statements.
    listed.sort_unstable();
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (proxy_id, _, credential_id) in listed {
        lists.entry(proxy_id).or_default().push(credential_id);
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| from_row(row, &mut lists))
        .collect())
}

/// Whose a proxy is, its target, and the credential that this is given.
pub async fn owner_fetch(
    conn: &mut AnyConnection,
    proxy_id: &str,
) -> Result<Option<(String, String, String)>, StoreFailed> {
    let sql = "SELECT organisation_id, target_id, target_credential_id FROM proxy \
               WHERE proxy_id = $1";
    Ok(sqlx::query_as(sql)
        .bind(proxy_id)
        .fetch_optional(conn)
        .await?)
}

/// Deletes proxies and their lists.
pub async fn proxy_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    rows_delete(conn, "proxy_credential", "proxy_id", ids).await?;
    rows_delete(conn, "proxy", "proxy_id", ids).await
}

/// A row that no code of ours wrote is logged and served as unknown; a damaged layer as one that
/// denies.
fn from_row(row: Row, lists: &mut BTreeMap<String, Vec<String>>) -> Option<Proxy> {
    let proxy_id = row.proxy_id.clone();
    let layer = decode(row.layer.as_deref()).unwrap_or_else(|| {
        tracing::error!(proxy_id, "stored layer of the proxy is damaged");
        denying_layer()
    });
    let proxy = sound(row, layer, lists.remove(&proxy_id).unwrap_or_default());
    if proxy.is_none() {
        tracing::error!(proxy_id, "stored proxy is damaged");
    }
    proxy
}

fn sound(row: Row, layer: wire::Layer, proxy_credential_ids: Vec<String>) -> Option<Proxy> {
    let timeout_seconds = u32::try_from(row.timeout_seconds).ok()?;
    Some(Proxy {
        proxy_id: row.proxy_id,
        organisation_id: row.organisation_id,
        is_active: row.is_active != 0,
        proxy_credential_ids,
        target_id: row.target_id,
        target_credential_id: row.target_credential_id,
        timeout_seconds: NonZeroU32::new(timeout_seconds)?,
        max_response_bytes: from_sql(row.max_response_bytes),
        max_inspected_bytes: from_sql(row.max_inspected_bytes?),
        alias: row.alias,
        layer,
        limits: decode(row.limits.as_deref())?,
        meters: decode_list(row.meters.as_deref())?,
        cors: match row.cors {
            None => None,
            Some(cors) => Some(decode(Some(&cors))?),
        },
    })
}
