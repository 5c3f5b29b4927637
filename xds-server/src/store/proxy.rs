//! Proxies with their lists of proxy credentials.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use sqlx::AnyConnection;

use super::{StoreFailed, from_sql, rows_delete, rows_fetch, to_sql};
use crate::record::Proxy;

type Row = (
    String,
    String,
    i64,
    String,
    String,
    i64,
    i64,
    Option<String>,
);

const SELECT: &str = "SELECT proxy_id, organisation_id, is_active, target_id, \
                      target_credential_id, timeout_seconds, max_response_bytes, alias FROM proxy";
const SELECT_CREDENTIALS: &str = "SELECT proxy_id, position, credential_id FROM proxy_credential";

/// Writes a proxy and its list in place of what is `stored` of it.
pub async fn proxy_upsert(
    conn: &mut AnyConnection,
    proxy: &Proxy,
    stored: Option<&Proxy>,
) -> Result<(), StoreFailed> {
    let Proxy {
        proxy_id,
        organisation_id,
        is_active,
        proxy_credential_ids,
        target_id,
        target_credential_id,
        timeout_seconds,
        max_response_bytes,
        alias,
    } = proxy;
    sqlx::query(
        "INSERT INTO proxy (proxy_id, organisation_id, is_active, target_id, \
         target_credential_id, timeout_seconds, max_response_bytes, alias) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (proxy_id) DO UPDATE SET organisation_id = excluded.organisation_id, \
         is_active = excluded.is_active, target_id = excluded.target_id, \
         target_credential_id = excluded.target_credential_id, \
         timeout_seconds = excluded.timeout_seconds, \
         max_response_bytes = excluded.max_response_bytes, alias = excluded.alias",
    )
    .bind(proxy_id)
    .bind(organisation_id)
    .bind(i64::from(*is_active))
    .bind(target_id)
    .bind(target_credential_id)
    .bind(i64::from(timeout_seconds.get()))
    .bind(to_sql(*max_response_bytes))
    .bind(alias.as_deref())
    .execute(&mut *conn)
    .await?;
    let listed = stored.map(|stored| stored.proxy_credential_ids.as_slice());
    if listed == Some(proxy_credential_ids) {
        return Ok(());
    }
    if listed.is_some_and(|listed| !listed.is_empty()) {
        rows_delete(conn, "proxy_credential", "proxy_id", &[proxy_id]).await?;
    }
    list_insert(conn, proxy_id, proxy_credential_ids).await
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

/// Deletes proxies and their lists.
pub async fn proxy_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    rows_delete(conn, "proxy_credential", "proxy_id", ids).await?;
    rows_delete(conn, "proxy", "proxy_id", ids).await
}

/// None, with a log line, for a row that no code of ours wrote: it is served as unknown.
fn from_row(row: Row, lists: &mut BTreeMap<String, Vec<String>>) -> Option<Proxy> {
    let (id, organisation_id, is_active, target_id, credential_id, timeout, max_bytes, alias) = row;
    let Some(timeout_seconds) = u32::try_from(timeout).ok().and_then(NonZeroU32::new) else {
        tracing::error!(proxy_id = id, "stored proxy is damaged");
        return None;
    };
    Some(Proxy {
        organisation_id,
        is_active: is_active != 0,
        proxy_credential_ids: lists.remove(&id).unwrap_or_default(),
        target_id,
        target_credential_id: credential_id,
        timeout_seconds,
        max_response_bytes: from_sql(max_bytes),
        alias,
        proxy_id: id,
    })
}
