//! Second secrets of target credentials, stored as the first ones are.

use std::collections::BTreeMap;

use requestrocket_policy::secret_form::auth_type::Side;
use sqlx::AnyConnection;

use super::secret::{decode_secret, encode_secret};
use super::{StoreFailed, from_sql, rows_delete, rows_fetch, to_sql};
use crate::records::record::{NextSecret, SecretProblem};

type Row = (String, i64, Option<String>, Option<String>, i64, i64, i64);

const SELECT: &str = "SELECT credential_id, version, secret, problem, given_from_ms, is_given, \
                      failed_at_ms FROM next_secret";

/// Writes the second secret of a credential, new or not; None: it has none.
pub(super) async fn next_upsert(
    conn: &mut AnyConnection,
    credential_id: &str,
    next: Option<&NextSecret>,
) -> Result<(), StoreFailed> {
    let Some(next) = next else {
        return next_delete(conn, &[credential_id]).await;
    };
    let NextSecret {
        version,
        secret,
        given_from_ms,
        is_given,
        failed_at_ms,
    } = next;
    sqlx::query(
        "INSERT INTO next_secret (credential_id, version, secret, problem, given_from_ms, \
         is_given, failed_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (credential_id) DO UPDATE SET version = excluded.version, \
         secret = excluded.secret, problem = excluded.problem, \
         given_from_ms = excluded.given_from_ms, is_given = excluded.is_given, \
         failed_at_ms = excluded.failed_at_ms",
    )
    .bind(credential_id)
    .bind(to_sql(*version))
    .bind(secret.as_ref().ok().map(encode_secret))
    .bind(secret.as_ref().err().map(ToString::to_string))
    .bind(to_sql(*given_from_ms))
    .bind(i64::from(*is_given))
    .bind(to_sql(*failed_at_ms))
    .execute(conn)
    .await?;
    Ok(())
}

/// All of them by credential, or those of the given ones.
pub async fn next_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<BTreeMap<String, NextSecret>, StoreFailed> {
    let rows: Vec<Row> = rows_fetch(conn, SELECT, "credential_id", ids).await?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// Has targets given the second secrets whose time has come; of which credentials.
pub async fn next_switch(
    conn: &mut AnyConnection,
    now_ms: u64,
) -> Result<Vec<String>, StoreFailed> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "UPDATE next_secret SET is_given = 1 WHERE is_given = 0 AND failed_at_ms = 0 \
         AND given_from_ms > 0 AND given_from_ms <= $1 RETURNING credential_id",
    )
    .bind(to_sql(now_ms))
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Has targets given the first secret again, because they refused the second of that version; false:
/// they are not given that one.
pub async fn next_fail(
    conn: &mut AnyConnection,
    (credential_id, version): (&str, u64),
    now_ms: u64,
) -> Result<bool, StoreFailed> {
    let done = sqlx::query(
        "UPDATE next_secret SET is_given = 0, failed_at_ms = $1 \
         WHERE credential_id = $2 AND version = $3 AND is_given = 1",
    )
    .bind(to_sql(now_ms))
    .bind(credential_id)
    .bind(to_sql(version))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes the second secrets of credentials.
pub(super) async fn next_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    rows_delete(conn, "next_secret", "credential_id", ids).await
}

/// A secret that no code of ours wrote is logged and served as one that cannot be used.
fn from_row(row: Row) -> (String, NextSecret) {
    let (credential_id, version, secret, problem, given_from_ms, is_given, failed_at_ms) = row;
    let problem = problem.and_then(|text| SecretProblem::from_text(&text));
    let secret = match secret.map(|text| decode_secret(Side::Target, &text)) {
        Some(Some(secret)) => Ok(secret),
        Some(None) => {
            tracing::error!(credential_id, "stored second secret is damaged");
            Err(SecretProblem::Damaged)
        }
        None => Err(problem.unwrap_or(SecretProblem::Missing)),
    };
    let next = NextSecret {
        version: from_sql(version),
        secret,
        given_from_ms: from_sql(given_from_ms),
        is_given: is_given != 0,
        failed_at_ms: from_sql(failed_at_ms),
    };
    (credential_id, next)
}
