//! Credentials; their secrets are digests and envelopes, encoded as the policy carries them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use requestrocket_policy::destination::AllowedHosts;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::proxy_credential::Presented;
use sqlx::AnyConnection;

use super::message::{decode, encode};
use super::token::{token_delete, token_list};
use super::{StoreFailed, from_sql, rows_delete, rows_fetch, to_sql};
use crate::records::record::{
    Credential, PreviousSecret, PublishedKeys, Recipe, SecretProblem, StoredSecret, denying_layer,
};
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};

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

/// Behind the type of a secret with which nothing can be obtained before somebody consents.
const CONSENT: &str = "+consent";

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
    .execute(conn)
    .await?;
    Ok(())
}

/// All credentials, or those with the given ids.
pub async fn credential_list(
    conn: &mut AnyConnection,
    ids: Option<&[&str]>,
) -> Result<Vec<Credential>, StoreFailed> {
    let rows: Vec<Row> = rows_fetch(&mut *conn, SELECT, "credential_id", ids).await?;
    let mut credentials: Vec<Credential> = rows.into_iter().filter_map(from_row).collect();
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

/// Deletes credentials; proxies keep naming them.
pub async fn credential_delete(conn: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreFailed> {
    token_delete(&mut *conn, ids).await?;
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
        allowed_hosts: AllowedHosts::read(
            allowed_hosts
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        ),
        secret,
        previous,
        layer,
    })
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Proxy => "proxy",
        Side::Target => "target",
    }
}

fn encode_secret(secret: &StoredSecret) -> String {
    // All else of these messages are columns; only the secret part is filled.
    match secret.clone() {
        StoredSecret::Presented(presented) => encode_presented(presented),
        StoredSecret::Injections(injections) => encode(&wire::TargetCredential {
            credential_id: String::new(),
            version: 0,
            injections,
            layer: None,
            ends_at_ms: 0,
            serves_until_ms: None,
            refresh_on: Vec::new(),
        }),
        // The token is a row of its own: what refreshes it does not touch the credential.
        StoredSecret::Obtained(recipe, _) => encode_recipe(&recipe),
        // So are the keys.
        StoredSecret::Published(PublishedKeys { recipe, token }, _) => {
            let presented = encode_presented(Presented::SignedToken(token));
            format!("{}:{presented}", encode_recipe(&recipe))
        }
    }
}

fn encode_presented(presented: Presented) -> String {
    encode(&wire::ProxyCredential {
        credential_id: String::new(),
        is_active: false,
        ends_at_ms: 0,
        presented: Some(presented),
    })
}

fn encode_recipe(recipe: &Recipe) -> String {
    let Recipe {
        auth_type,
        sealed,
        needs_consent,
    } = recipe;
    let mark = if *needs_consent { CONSENT } else { "" };
    format!("{}{mark}:{}", auth_type.as_str(), STANDARD.encode(sealed))
}

fn decode_recipe(text: &str) -> Option<Recipe> {
    let (word, sealed) = text.split_once(':')?;
    let marked = word.strip_suffix(CONSENT);
    let word = marked.unwrap_or(word);
    Some(Recipe {
        auth_type: AuthType::ALL.into_iter().find(|it| it.as_str() == word)?,
        sealed: STANDARD.decode(sealed).ok()?,
        needs_consent: marked.is_some(),
    })
}

fn encode_previous(previous: &PreviousSecret) -> String {
    encode_presented(previous.presented.clone())
}

fn decode_previous(text: &str, ends_at_ms: u64) -> Option<PreviousSecret> {
    match decode_secret(Side::Proxy, text)? {
        StoredSecret::Presented(presented) if ends_at_ms != 0 => Some(PreviousSecret {
            presented,
            ends_at_ms,
        }),
        StoredSecret::Presented(_)
        | StoredSecret::Injections(_)
        | StoredSecret::Obtained(..)
        | StoredSecret::Published(..) => None,
    }
}

fn decode_secret(side: Side, text: &str) -> Option<StoredSecret> {
    match side {
        // Base64 has no colon.
        Side::Proxy if text.contains(':') => {
            // From the right, because the recipe has one of its own.
            let (recipe, presented) = text.rsplit_once(':')?;
            let message: wire::ProxyCredential = decode(Some(presented))?;
            let Presented::SignedToken(token) = message.presented? else {
                return None;
            };
            let recipe = decode_recipe(recipe)?;
            let published = PublishedKeys { recipe, token };
            Some(StoredSecret::Published(published, None))
        }
        Side::Proxy => {
            let message: wire::ProxyCredential = decode(Some(text))?;
            message.presented.map(StoredSecret::Presented)
        }
        Side::Target if text.contains(':') => {
            Some(StoredSecret::Obtained(decode_recipe(text)?, None))
        }
        Side::Target => {
            let message: wire::TargetCredential = decode(Some(text))?;
            Some(StoredSecret::Injections(message.injections))
        }
    }
}
