//! Tokens and keys that the region obtains, and who is asking for them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use requestrocket_proto::policy::v1 as wire;
use sqlx::AnyConnection;

use super::message::{decode, encode};
use super::{StoreFailed, from_sql, rows_delete, rows_fetch, to_sql};
use crate::records::record::{FetchedKeys, ObtainedToken};
use crate::secrets::renew::life::{TokenError, TokenLife};

/// A token and its life.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRow {
    /// UUID text.
    pub credential_id: String,
    /// Of the secret.
    pub version: u64,
    /// When it ends, and what went wrong.
    pub life: TokenLife,
    /// None: there is none yet.
    pub token: Option<ObtainedToken>,
    /// An envelope.
    pub refresh_token: Option<Vec<u8>>,
    /// Of a proxy credential, which has no token. None: there are none.
    pub keys: Option<FetchedKeys>,
    /// An envelope: what a consent brought, until it was shown to the provider.
    pub consent: Option<Vec<u8>>,
}

/// Which state of which token; a write of another changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    /// UUID text.
    pub credential_id: String,
    /// Of the secret.
    pub version: u64,
    /// Of the state.
    pub serial: u64,
}

type Row = (
    String,
    i64,
    i64,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    i64,
    Option<String>,
    Option<String>,
    i64,
    Option<String>,
    i64,
    Option<String>,
);

const SELECT: &str = "SELECT credential_id, version, serial, injections, refresh_token, \
                      expires_at_ms, refreshed_at_ms, next_at_ms, attempts, error_code, \
                      error_text, is_permanent, verification_keys, consent, consent_code \
                      FROM token";

/// Begins the life of a token of this version, unless it has begun.
pub async fn token_insert(
    conn: &mut AnyConnection,
    credential_id: &str,
    version: u64,
    needs_consent: bool,
) -> Result<(), StoreFailed> {
    let TokenLife { next_at_ms, .. } = TokenLife::new(0, needs_consent);
    // The serial goes on, so that nothing of an older version can be taken for it.
    sqlx::query(
        "INSERT INTO token (credential_id, version, serial, next_at_ms, attempts, is_permanent, \
         lease_until_ms) VALUES ($1, $2, 0, $3, 0, 0, 0) \
         ON CONFLICT (credential_id) DO UPDATE SET version = excluded.version, \
         serial = token.serial + 1, injections = NULL, refresh_token = NULL, \
         verification_keys = NULL, \
         expires_at_ms = NULL, refreshed_at_ms = NULL, next_at_ms = excluded.next_at_ms, \
         attempts = 0, error_code = NULL, error_text = NULL, is_permanent = 0, consent = 0, \
         consent_code = NULL, lease_holder = NULL, lease_until_ms = 0 \
         WHERE token.version <> excluded.version",
    )
    .bind(credential_id)
    .bind(to_sql(version))
    .bind(next_at_ms.map(to_sql))
    .execute(conn)
    .await?;
    Ok(())
}

/// All tokens, or those of the given credentials.
pub async fn token_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<BTreeMap<String, TokenRow>, StoreFailed> {
    let rows: Vec<Row> = rows_fetch(conn, SELECT, "credential_id", ids).await?;
    let rows = rows.into_iter().map(from_row);
    Ok(rows.map(|row| (row.credential_id.clone(), row)).collect())
}

/// Credentials whose provider is to be asked now and by nobody is, those that wait longest first;
/// of an organisation no more than `each`, with those that are being asked for, and first those of
/// organisations that have the fewest.
pub async fn token_list_due(
    conn: &mut AnyConnection,
    now_ms: u64,
    (each, limit): (usize, usize),
) -> Result<Vec<String>, StoreFailed> {
    let number = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT due.credential_id FROM (\
             SELECT t.credential_id, t.next_at_ms, c.organisation_id, ROW_NUMBER() OVER \
             (PARTITION BY c.organisation_id ORDER BY t.next_at_ms, t.credential_id) AS place \
             FROM token t JOIN credential c \
             ON c.credential_id = t.credential_id AND c.version = t.version \
             JOIN organisation o ON o.organisation_id = c.organisation_id \
             WHERE t.next_at_ms <= $1 AND t.lease_until_ms <= $1 AND c.is_active = 1 \
             AND (c.ends_at_ms = 0 OR c.ends_at_ms > $1) AND c.secret IS NOT NULL) due \
         LEFT JOIN (\
             SELECT c.organisation_id, COUNT(*) AS held FROM token t JOIN credential c \
             ON c.credential_id = t.credential_id WHERE t.lease_until_ms > $1 \
             GROUP BY c.organisation_id) busy ON busy.organisation_id = due.organisation_id \
         WHERE due.place + COALESCE(busy.held, 0) <= $2 \
         ORDER BY due.place + COALESCE(busy.held, 0), due.next_at_ms, due.credential_id LIMIT $3",
    )
    .bind(to_sql(now_ms))
    .bind(number(each))
    .bind(number(limit))
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Makes the keys of a credential due, unless they were looked for less than so long before, or the
/// last attempt was in vain.
pub async fn token_hasten(
    conn: &mut AnyConnection,
    credential_id: &str,
    (now_ms, pause_ms): (u64, u64),
) -> Result<(), StoreFailed> {
    sqlx::query(
        "UPDATE token SET next_at_ms = $1 WHERE credential_id = $2 AND next_at_ms > $1 \
         AND refreshed_at_ms <= $3 AND error_code IS NULL AND verification_keys IS NOT NULL",
    )
    .bind(to_sql(now_ms))
    .bind(credential_id)
    .bind(to_sql(now_ms.saturating_sub(pause_ms)))
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes a token due at `due_ms` that ends at `ends_at_ms`, unless it is before, or the last attempt was
/// in vain.
pub async fn token_refused(
    conn: &mut AnyConnection,
    (credential_id, version): (&str, u64),
    ends_at_ms: u64,
    due_ms: u64,
) -> Result<(), StoreFailed> {
    sqlx::query(
        "UPDATE token SET next_at_ms = $1 WHERE credential_id = $2 AND version = $3 \
         AND expires_at_ms = $4 AND next_at_ms > $1 AND error_code IS NULL",
    )
    .bind(to_sql(due_ms))
    .bind(credential_id)
    .bind(to_sql(version))
    .bind(to_sql(ends_at_ms))
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes or renews the lease of a token in the state `key`; false: it is another's, or the state is
/// another.
pub async fn token_lease(
    conn: &mut AnyConnection,
    key: &TokenKey,
    holder: &str,
    (now_ms, until_ms): (u64, u64),
) -> Result<bool, StoreFailed> {
    let done = sqlx::query(
        "UPDATE token SET lease_holder = $1, lease_until_ms = $2 \
         WHERE credential_id = $3 AND version = $4 AND serial = $5 \
         AND (lease_until_ms <= $6 OR lease_holder = $1)",
    )
    .bind(holder)
    .bind(to_sql(until_ms))
    .bind(&key.credential_id)
    .bind(to_sql(key.version))
    .bind(to_sql(key.serial))
    .bind(to_sql(now_ms))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what became of a token in the state `key` and gives its lease back; false: the lease is
/// another's, or something newer was learnt.
pub async fn token_update(
    conn: &mut AnyConnection,
    key: &TokenKey,
    holder: &str,
    row: &TokenRow,
) -> Result<bool, StoreFailed> {
    let TokenRow {
        // The key's.
        credential_id: _,
        version: _,
        life,
        token,
        refresh_token,
        keys,
        consent,
    } = row;
    let error = life.error.as_ref();
    let optional = |number: Option<u64>| number.map(to_sql);
    let done = sqlx::query(
        "UPDATE token SET serial = $1, injections = $2, refresh_token = $3, expires_at_ms = $4, \
         refreshed_at_ms = $5, next_at_ms = $6, attempts = $7, error_code = $8, error_text = $9, \
         is_permanent = $10, verification_keys = $11, consent_code = $12, \
         lease_holder = NULL, lease_until_ms = 0 \
         WHERE credential_id = $13 AND version = $14 AND serial = $15 AND lease_holder = $16",
    )
    .bind(to_sql(life.serial))
    .bind(token.as_ref().map(encode_token))
    .bind(refresh_token.as_ref().map(|sealed| STANDARD.encode(sealed)))
    .bind(optional(life.expires_at_ms))
    .bind(optional(life.refreshed_at_ms))
    .bind(optional(life.next_at_ms))
    .bind(i64::from(life.attempts))
    .bind(error.map(|error| error.code.clone()))
    .bind(error.map(|error| error.text.clone()))
    .bind(i64::from(error.is_some_and(|error| error.is_permanent)))
    .bind(keys.as_ref().map(encode_keys))
    .bind(consent.as_ref().map(|sealed| STANDARD.encode(sealed)))
    .bind(&key.credential_id)
    .bind(to_sql(key.version))
    .bind(to_sql(key.serial))
    .bind(holder)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what a consent makes of a token; who asks for one meanwhile is overtaken.
pub async fn token_consented(conn: &mut AnyConnection, row: &TokenRow) -> Result<(), StoreFailed> {
    let TokenRow {
        credential_id,
        version,
        life,
        // It serves on.
        token: _,
        refresh_token,
        // Of no credential to which anybody consents.
        keys: _,
        consent,
    } = row;
    let error = life.error.as_ref();
    sqlx::query(
        "UPDATE token SET serial = $1, refresh_token = $2, next_at_ms = $3, attempts = $4, \
         error_code = $5, error_text = $6, is_permanent = $7, consent = $8, consent_code = $9, \
         lease_holder = NULL, lease_until_ms = 0 WHERE credential_id = $10 AND version = $11",
    )
    .bind(to_sql(life.serial))
    .bind(refresh_token.as_ref().map(|sealed| STANDARD.encode(sealed)))
    .bind(life.next_at_ms.map(to_sql))
    .bind(i64::from(life.attempts))
    .bind(error.map(|error| error.code.clone()))
    .bind(error.map(|error| error.text.clone()))
    .bind(i64::from(error.is_some_and(|error| error.is_permanent)))
    .bind(to_sql(life.consent))
    .bind(consent.as_ref().map(|sealed| STANDARD.encode(sealed)))
    .bind(credential_id)
    .bind(to_sql(*version))
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes the tokens of credentials.
pub(super) async fn token_delete(
    conn: &mut AnyConnection,
    ids: &[&str],
) -> Result<(), StoreFailed> {
    rows_delete(conn, "token", "credential_id", ids).await
}

fn from_row(row: Row) -> TokenRow {
    let (
        credential_id,
        version,
        serial,
        injections,
        refresh_token,
        expires_at_ms,
        refreshed_at_ms,
        next_at_ms,
        attempts,
        error_code,
        error_text,
        is_permanent,
        keys,
        consent,
        consent_code,
    ) = row;
    // What does not decode does not open either: as if there were none.
    let sealed = |text: Option<String>| text.and_then(|text| STANDARD.decode(text).ok());
    let consent_code = sealed(consent_code);
    let optional = |number: Option<i64>| number.map(from_sql);
    let error = error_code.map(|code| TokenError {
        is_permanent: is_permanent != 0,
        code,
        text: error_text.unwrap_or_default(),
    });
    TokenRow {
        credential_id,
        version: from_sql(version),
        life: TokenLife {
            serial: from_sql(serial),
            expires_at_ms: optional(expires_at_ms),
            refreshed_at_ms: optional(refreshed_at_ms),
            next_at_ms: optional(next_at_ms),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            error,
            consent: from_sql(consent),
            is_consented: consent_code.is_some(),
        },
        token: injections.and_then(|text| decode_token(&text)),
        keys: keys.and_then(|text| decode_keys(&text)),
        refresh_token: sealed(refresh_token),
        consent: consent_code,
    }
}

fn encode_keys(fetched: &FetchedKeys) -> String {
    let FetchedKeys { keys, until_ms } = fetched;
    encode(&wire::SignedToken {
        keys: keys.clone(),
        keys_until_ms: *until_ms,
        ..wire::SignedToken::default()
    })
}

fn decode_keys(text: &str) -> Option<FetchedKeys> {
    let message: wire::SignedToken = decode(Some(text))?;
    Some(FetchedKeys {
        keys: message.keys,
        until_ms: message.keys_until_ms,
    })
}

fn encode_token(token: &ObtainedToken) -> String {
    encode(&wire::TargetCredential {
        credential_id: String::new(),
        version: 0,
        injections: token.injections.clone(),
        layer: None,
        ends_at_ms: 0,
        serves_until_ms: Some(token.serves_until_ms),
        refresh_on: token.refresh_on.clone(),
        is_token_apart: false,
    })
}

fn decode_token(text: &str) -> Option<ObtainedToken> {
    let message: wire::TargetCredential = decode(Some(text))?;
    Some(ObtainedToken {
        injections: message.injections,
        serves_until_ms: message.serves_until_ms?,
        refresh_on: message.refresh_on,
    })
}
