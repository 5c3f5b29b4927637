//! Credentials; their secrets are digests and envelopes, encoded as the policy carries them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use requestrocket_proto::policy::v1 as wire;
use sqlx::AnyConnection;

use super::{StoreFailed, from_sql, rows_delete, rows_fetch, to_sql};
use crate::record::{Credential, SecretProblem, Side, StoredSecret};

type Row = (String, String, String, i64, i64, Option<String>);

const SELECT: &str = "SELECT credential_id, organisation_id, side, is_active, version, secret \
                      FROM credential";

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
        secret,
    } = credential;
    sqlx::query(
        "INSERT INTO credential (credential_id, organisation_id, side, is_active, version, \
         secret, problem) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (credential_id) DO UPDATE SET organisation_id = excluded.organisation_id, \
         side = excluded.side, is_active = excluded.is_active, version = excluded.version, \
         secret = excluded.secret, problem = excluded.problem",
    )
    .bind(credential_id)
    .bind(organisation_id)
    .bind(side_word(*side))
    .bind(i64::from(*is_active))
    .bind(to_sql(*version))
    .bind(secret.as_ref().ok().map(encode_secret))
    .bind(secret.as_ref().err().map(ToString::to_string))
    .execute(conn)
    .await?;
    Ok(())
}

/// All credentials, or those with the given ids.
pub async fn credential_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<Vec<Credential>, StoreFailed> {
    let rows: Vec<Row> = rows_fetch(conn, SELECT, "credential_id", ids).await?;
    Ok(rows.into_iter().filter_map(from_row).collect())
}

/// Deletes credentials; proxies keep naming them.
pub async fn credential_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    rows_delete(conn, "credential", "credential_id", ids).await
}

/// A row that no code of ours wrote is logged and served as if its secret were missing.
fn from_row(row: Row) -> Option<Credential> {
    let (credential_id, organisation_id, side, is_active, version, secret) = row;
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
        None => Err(SecretProblem::Missing),
    };
    let version = from_sql(version);
    let is_active = is_active != 0;
    Some(Credential {
        credential_id,
        organisation_id,
        side,
        is_active,
        version,
        secret,
    })
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Proxy => "proxy",
        Side::Target => "target",
    }
}

fn encode_secret(secret: &StoredSecret) -> String {
    // The ids and flags of these messages are columns; only the secret part is filled.
    let bytes = match secret.clone() {
        StoredSecret::Presented(presented) => wire::ProxyCredential {
            presented: Some(presented),
            ..Default::default()
        }
        .encode_to_vec(),
        StoredSecret::Injections(injections) => wire::TargetCredential {
            injections,
            ..Default::default()
        }
        .encode_to_vec(),
    };
    STANDARD.encode(bytes)
}

fn decode_secret(side: Side, text: &str) -> Option<StoredSecret> {
    let bytes = STANDARD.decode(text).ok()?;
    match side {
        Side::Proxy => {
            let message = wire::ProxyCredential::decode(bytes.as_slice()).ok()?;
            message.presented.map(StoredSecret::Presented)
        }
        Side::Target => {
            let message = wire::TargetCredential::decode(bytes.as_slice()).ok()?;
            Some(StoredSecret::Injections(message.injections))
        }
    }
}
