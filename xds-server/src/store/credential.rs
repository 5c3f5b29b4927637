//! Credentials; their secrets are digests and envelopes, encoded as the policy carries them.

use std::collections::BTreeMap;

use requestrocket_policy::destination::AllowedHosts;
use sqlx::AnyConnection;

use super::message::{decode, encode};
use super::next_secret::{next_delete, next_list, next_upsert};
use super::secret::{decode_previous, decode_secret, encode_previous, encode_secret};
use super::token::{token_delete, token_list};
use super::{StoreFailed, from_sql, rows_delete, rows_fetch, to_sql};
use crate::records::record::{Credential, SecretProblem, StoredSecret, denying_layer};
use requestrocket_policy::secret_form::auth_type::Side;

type Row = (
    String,
    String,
    String,
    i64,
    i64,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    Option<String>,
    String,
);

const SELECT: &str = "SELECT credential_id, organisation_id, side, is_active, version, \
                      ends_at_ms, secret, problem, previous_secret, previous_ends_at_ms, layer, \
                      allowed_hosts FROM credential";

/// Writes a credential, new or not.
pub async fn credential_upsert(
    conn: &mut AnyConnection,
    credential: &Credential,
) -> Result<(), StoreFailed> {
    let Credential {
        credential_id,
        organisation_id,
        side,
        is_active,
        version,
        ends_at_ms,
        allowed_hosts,
        secret,
        previous,
        next,
        layer,
    } = credential;
    sqlx::query(
        "INSERT INTO credential (credential_id, organisation_id, side, is_active, version, \
         ends_at_ms, secret, problem, previous_secret, previous_ends_at_ms, layer, allowed_hosts) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (credential_id) DO UPDATE SET organisation_id = excluded.organisation_id, \
         side = excluded.side, is_active = excluded.is_active, version = excluded.version, \
         ends_at_ms = excluded.ends_at_ms, secret = excluded.secret, problem = excluded.problem, \
         previous_secret = excluded.previous_secret, \
         previous_ends_at_ms = excluded.previous_ends_at_ms, layer = excluded.layer, \
         allowed_hosts = excluded.allowed_hosts",
    )
    .bind(credential_id)
    .bind(organisation_id)
    .bind(side_word(*side))
    .bind(i64::from(*is_active))
    .bind(to_sql(*version))
    .bind(to_sql(*ends_at_ms))
    .bind(secret.as_ref().ok().map(encode_secret))
    .bind(secret.as_ref().err().map(ToString::to_string))
    .bind(previous.as_ref().map(encode_previous))
    .bind(to_sql(previous.as_ref().map_or(0, |it| it.ends_at_ms)))
    .bind(encode(layer))
    // A host holds no blank.
    .bind(allowed_hosts.texts().join(" "))
    .execute(&mut *conn)
    .await?;
    next_upsert(conn, credential_id, next.as_ref()).await
}

/// All credentials, or those with the given ids.
pub async fn credential_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<Vec<Credential>, StoreFailed> {
    let rows: Vec<Row> = rows_fetch(&mut *conn, SELECT, "credential_id", ids).await?;
    let mut credentials: Vec<Credential> = rows.into_iter().filter_map(from_row).collect();
    if credentials.iter().any(|it| it.side == Side::Target) {
        let mut next = next_list(&mut *conn, ids).await?;
        for credential in &mut credentials {
            credential.next = next.remove(&credential.credential_id);
        }
    }
    let obtains = |it: &Credential| {
        let secret = &it.secret;
        matches!(
            secret,
            Ok(StoredSecret::Obtained(..) | StoredSecret::Published(..))
        )
    };
    if !credentials.iter().any(obtains) {
        return Ok(credentials);
    }
    let mut tokens = token_list(conn, ids).await?;
    for credential in &mut credentials {
        let (id, version) = (&credential.credential_id, credential.version);
        // A token of another version was obtained with another secret.
        let mut row = || tokens.remove(id).filter(|row| row.version == version);
        match &mut credential.secret {
            Ok(StoredSecret::Obtained(_, token)) => *token = row().and_then(|row| row.token),
            Ok(StoredSecret::Published(_, keys)) => *keys = row().and_then(|row| row.keys),
            Ok(StoredSecret::Presented(_) | StoredSecret::Injections(_)) | Err(_) => {}
        }
    }
    Ok(credentials)
}

/// When credentials were last used (Unix time in milliseconds), those that were, by id.
pub async fn last_use_list(conn: &mut AnyConnection) -> Result<BTreeMap<String, u64>, StoreFailed> {
    let sql = "SELECT credential_id, used_at_ms FROM credential WHERE used_at_ms > 0";
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(conn).await?;
    let rows = rows.into_iter();
    Ok(rows.map(|(id, at_ms)| (id, from_sql(at_ms))).collect())
}

/// Writes when a credential was last used; false: it is gone.
pub async fn last_use_update(
    conn: &mut AnyConnection,
    credential_id: &str,
    used_at_ms: u64,
) -> Result<bool, StoreFailed> {
    let done = sqlx::query("UPDATE credential SET used_at_ms = $1 WHERE credential_id = $2")
        .bind(to_sql(used_at_ms))
        .bind(credential_id)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes credentials; proxies keep naming them.
pub async fn credential_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    token_delete(&mut *conn, ids).await?;
    next_delete(&mut *conn, ids).await?;
    rows_delete(conn, "credential", "credential_id", ids).await
}

/// A row that no code of ours wrote is logged and served as if its secret were missing; a damaged
/// layer as one that denies.
fn from_row(row: Row) -> Option<Credential> {
    let (
        credential_id,
        organisation_id,
        side,
        is_active,
        version,
        ends_at_ms,
        secret,
        problem,
        previous,
        previous_ends_at_ms,
        layer,
        allowed_hosts,
    ) = row;
    let side = match side.as_str() {
        "proxy" => Side::Proxy,
        "target" => Side::Target,
        _ => {
            tracing::error!(credential_id, "stored credential is damaged");
            return None;
        }
    };
    let secret = match secret.map(|text| decode_secret(side, &text)) {
        Some(Some(secret)) => Ok(secret),
        Some(None) => {
            tracing::error!(credential_id, "stored secret is damaged");
            Err(SecretProblem::Damaged)
        }
        None => Err(problem
            .and_then(|text| SecretProblem::from_text(&text))
            .unwrap_or(SecretProblem::Missing)),
    };
    let previous = previous.and_then(|text| {
        let previous = decode_previous(&text, from_sql(previous_ends_at_ms));
        if previous.is_none() {
            tracing::error!(credential_id, "stored former secret is damaged");
        }
        previous
    });
    let hosts = allowed_hosts.split_whitespace();
    let layer = decode(layer.as_deref()).unwrap_or_else(|| {
        tracing::error!(credential_id, "stored layer of the credential is damaged");
        denying_layer()
    });
    Some(Credential {
        credential_id,
        organisation_id,
        side,
        is_active: is_active != 0,
        version: from_sql(version),
        ends_at_ms: from_sql(ends_at_ms),
        allowed_hosts: AllowedHosts::read(hosts.map(str::to_owned).collect()),
        secret,
        previous,
        next: None,
        layer,
    })
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Proxy => "proxy",
        Side::Target => "target",
    }
}
