//! What notifications are about: found by what regions say of it, or because it ends.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::gateway::region::RegionName;
use crate::domain::id::{CredentialId, OrganisationId, TokenId, UserId};
use crate::domain::moment::Moment;
use crate::store::row::column;

/// At most so many are found at once; the others are found the next time.
const AT_ONCE: usize = 1_000;

/// Records of regions that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regional {
    /// A credential.
    Credential,
    /// A meter.
    Meter,
    /// A proxy.
    Proxy,
}

/// A credential that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingCredential {
    /// Whose.
    pub organisation: OrganisationId,
    /// Which.
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// When.
    pub end: Moment,
}

/// A user token that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingToken {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub id: TokenId,
    /// Its name.
    pub name: String,
    /// When.
    pub end: Moment,
}

/// Whose a record of that region is, and its name.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn subject_fetch(
    conn: &mut AnyConnection,
    region: &RegionName,
    (kind, id): (Regional, &str),
) -> sqlx::Result<Option<(OrganisationId, String)>> {
    let table = match kind {
        Regional::Credential => "credential",
        Regional::Meter => "meter",
        Regional::Proxy => "proxy",
    };
    // A word of ours.
    let select = AssertSqlSafe(format!(
        "SELECT organisation_id, {table}_name AS name FROM {table} \
         WHERE region_name = $1 AND {table}_id = $2"
    ));
    let row = sqlx::query(select)
        .bind(region.as_str())
        .bind(id)
        .fetch_optional(conn)
        .await?;
    let of = |row: &AnyRow| Ok((column(row, "organisation_id")?, row.try_get("name")?));
    row.as_ref().map(of).transpose()
}

/// Credentials that end behind the first moment and up to the second, and of which that was not told
/// with a cause that ends with `mark`.
pub async fn credentials_ending(
    conn: &mut AnyConnection,
    (behind, until): (Moment, Moment),
    mark: u8,
) -> sqlx::Result<Vec<EndingCredential>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT organisation_id, credential_id, credential_name, expires_at FROM credential \
         WHERE expires_at > $1 AND expires_at <= $2 AND is_temporary = 0 AND NOT EXISTS \
         (SELECT 1 FROM notification WHERE owner = 'client:' || organisation_id AND cause = \
         'credential-expiring:' || credential_id || ':' || expires_at || ':{mark}') \
         LIMIT {AT_ONCE}"
    )))
    .bind(behind.to_string())
    .bind(until.to_string())
    .fetch_all(conn)
    .await?;
    let of = |row: &AnyRow| {
        Ok(EndingCredential {
            organisation: column(row, "organisation_id")?,
            id: column(row, "credential_id")?,
            name: row.try_get("credential_name")?,
            end: column(row, "expires_at")?,
        })
    };
    rows.iter().map(of).collect()
}

/// The same of user tokens.
pub async fn tokens_ending(
    conn: &mut AnyConnection,
    (behind, until): (Moment, Moment),
    mark: u8,
) -> sqlx::Result<Vec<EndingToken>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT user_id, token_id, token_name, expires_at FROM user_token \
         WHERE expires_at > $1 AND expires_at <= $2 AND NOT EXISTS \
         (SELECT 1 FROM notification WHERE owner = 'user:' || user_id AND cause = \
         'token-expiring:' || token_id || ':' || expires_at || ':{mark}') LIMIT {AT_ONCE}"
    )))
    .bind(behind.to_string())
    .bind(until.to_string())
    .fetch_all(conn)
    .await?;
    let of = |row: &AnyRow| {
        Ok(EndingToken {
            user: column(row, "user_id")?,
            id: column(row, "token_id")?,
            name: row.try_get("token_name")?,
            end: column(row, "expires_at")?,
        })
    };
    rows.iter().map(of).collect()
}
