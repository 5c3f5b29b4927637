//! Tokens of users and operators; only their digests are here.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::domain::id::{OrganisationId, TokenId, UserId};
use crate::domain::listing::{ListQuery, Page};
use crate::domain::moment::Moment;
use crate::domain::people::rights::Rights;
use crate::domain::people::user_token::UserToken;
use crate::store::listing::{Listing, page};
use crate::store::people::roles::{optional_roles_from_row, roles_text};
use crate::store::row::{column, number, optional_column, parsed, unsigned_column};

const LISTING: Listing = Listing {
    from: "user_token",
    columns: "*",
    owner: "user_id",
    id: "token_id",
    kind: "",
    temporary: None,
};

/// A page of the user's tokens.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn user_token_list(
    conn: &mut AnyConnection,
    user: UserId,
    query: &ListQuery,
) -> sqlx::Result<Page<UserToken>> {
    page(conn, LISTING, &user.to_string(), query, token_from_row).await
}

/// The user's newest hundred tokens.
pub async fn user_token_newest(
    conn: &mut AnyConnection,
    user: UserId,
) -> sqlx::Result<Vec<UserToken>> {
    let rows = sqlx::query(
        "SELECT * FROM user_token WHERE user_id = $1 ORDER BY created_at DESC, token_id DESC \
         LIMIT 100",
    )
    .bind(user.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(token_from_row).collect()
}

/// The user's token with this id.
pub async fn user_token_fetch(
    conn: &mut AnyConnection,
    user: UserId,
    id: TokenId,
) -> sqlx::Result<Option<UserToken>> {
    let row = sqlx::query("SELECT * FROM user_token WHERE user_id = $1 AND token_id = $2")
        .bind(user.to_string())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(token_from_row).transpose()
}

/// Adds a token by its digest.
pub async fn user_token_insert(
    conn: &mut AnyConnection,
    token: &UserToken,
    digest: &str,
) -> sqlx::Result<()> {
    let UserToken {
        id,
        user,
        name,
        prefix,
        rights,
        last_used_at,
        last_used_address,
        created_at,
        revision,
    } = token;
    sqlx::query(
        "INSERT INTO user_token (token_id, user_id, token_name, name_key, token_prefix, \
         token_digest, expires_at, last_used_at, created_at, revision, roles, client_ids, \
         last_used_address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(id.to_string())
    .bind(user.to_string())
    .bind(name.as_str())
    .bind(name.key())
    .bind(prefix)
    .bind(digest)
    .bind(rights.expires_at.map(|moment| moment.to_string()))
    .bind(last_used_at.map(|moment| moment.to_string()))
    .bind(created_at.to_string())
    .bind(number(*revision)?)
    .bind(rights.roles.as_ref().map(roles_text))
    .bind(rights.organisations.as_ref().map(organisations_text))
    .bind(last_used_address.map(|address| address.to_string()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Revokes the user's token.
pub async fn user_token_delete(
    conn: &mut AnyConnection,
    user: UserId,
    id: TokenId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM user_token WHERE user_id = $1 AND token_id = $2")
        .bind(user.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds an operator token by its digest.
pub async fn operator_token_insert(
    conn: &mut AnyConnection,
    digest: &str,
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO operator_token (token_digest, created_at) VALUES ($1, $2)")
        .bind(digest)
        .bind(now.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// What a token is limited to, by its columns.
pub(super) fn rights_from_row(row: &AnyRow) -> sqlx::Result<Rights> {
    let organisations: Option<String> = row.try_get("client_ids")?;
    Ok(Rights {
        roles: optional_roles_from_row(row)?,
        organisations: organisations
            .map(|json| organisations_from(&json))
            .transpose()?,
        expires_at: optional_column(row, "expires_at")?,
    })
}

/// As they are stored: a JSON list.
fn organisations_text(organisations: &BTreeSet<OrganisationId>) -> String {
    let ids: Vec<String> = organisations.iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", ids.join(","))
}

fn organisations_from(json: &str) -> sqlx::Result<BTreeSet<OrganisationId>> {
    let ids: Vec<String> =
        serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    ids.iter().map(|id| parsed(id)).collect()
}

fn token_from_row(row: &AnyRow) -> sqlx::Result<UserToken> {
    Ok(UserToken {
        id: column(row, "token_id")?,
        user: column(row, "user_id")?,
        name: column(row, "token_name")?,
        prefix: row.try_get("token_prefix")?,
        rights: rights_from_row(row)?,
        last_used_at: optional_column(row, "last_used_at")?,
        last_used_address: optional_column(row, "last_used_address")?,
        created_at: column(row, "created_at")?,
        revision: unsigned_column(row, "revision")?,
    })
}
