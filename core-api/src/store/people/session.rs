//! What a presented token stands for, and what its user may enter. Sessions at browsers are in
//! `browser_session`.

use std::net::IpAddr;
use std::num::NonZeroU64;

use sqlx::AnyConnection;

use super::organisation::organisation_from_row;
use super::roles::roles_from_row;
use super::user_token::rights_from_row;
use crate::domain::id::{OrganisationId, TokenId, UserId};
use crate::domain::moment::Moment;
use crate::domain::people::member::Roles;
use crate::domain::people::organisation::{Organisation, Plan};

use crate::domain::people::rights::Rights;
use crate::store::row::{column, limit_column, optional_column};

/// A user token that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose use is counted and noted.
    pub token: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What it is limited to.
    pub rights: Rights,
    /// When it was last seen, to the minute.
    pub last_used_at: Option<Moment>,
    /// Requests a minute; None is unlimited.
    pub requests_per_minute: Option<u64>,
}

/// The user token with this digest.
///
/// # Errors
/// The database does not answer.
pub async fn session_fetch(
    conn: &mut AnyConnection,
    token_digest: &str,
) -> sqlx::Result<Option<Session>> {
    let row = sqlx::query(
        "SELECT token_id, user_id, expires_at, roles, client_ids, last_used_at FROM user_token \
         WHERE token_digest = $1",
    )
    .bind(token_digest)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let user = column(&row, "user_id")?;
    Ok(Some(Session {
        token: column(&row, "token_id")?,
        user,
        rights: rights_from_row(&row)?,
        last_used_at: optional_column(&row, "last_used_at")?,
        requests_per_minute: allowance(conn, user).await?,
    }))
}

/// Whether there is such a token that has not ended.
///
/// # Errors
/// The database does not answer.
pub async fn session_is_alive(
    conn: &mut AnyConnection,
    token: TokenId,
    now: Moment,
) -> sqlx::Result<bool> {
    let row = sqlx::query("SELECT expires_at FROM user_token WHERE token_id = $1")
        .bind(token.to_string())
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(false) };
    let expires_at: Option<Moment> = optional_column(&row, "expires_at")?;
    Ok(expires_at.is_none_or(|end| end > now))
}

/// The most generous of the user's organisations decides; without one the smallest plan does.
pub(super) async fn allowance(conn: &mut AnyConnection, user: UserId) -> sqlx::Result<Option<u64>> {
    let rows = sqlx::query(
        "SELECT o.plan, o.api_requests_per_minute FROM member m \
         JOIN organisation o ON o.organisation_id = m.organisation_id WHERE m.user_id = $1",
    )
    .bind(user.to_string())
    .fetch_all(conn)
    .await?;
    let mut most = None;
    for row in &rows {
        let plan: Plan = column(row, "plan")?;
        let configured: Option<NonZeroU64> = limit_column(row, "api_requests_per_minute")?;
        let Some(limit) = plan.api_requests_per_minute(configured) else {
            return Ok(None);
        };
        most = most.max(Some(limit));
    }
    Ok(most.or_else(|| Plan::Basic.api_requests_per_minute(None)))
}

/// Notes that a token was used, and from where.
///
/// # Errors
/// The database does not answer.
pub async fn session_touch(
    conn: &mut AnyConnection,
    token: TokenId,
    (now, address): (Moment, IpAddr),
) -> sqlx::Result<()> {
    // Use is no change: the revision stays, so that `If-Match` goes on fitting.
    sqlx::query(
        "UPDATE user_token SET last_used_at = $1, last_used_address = $2 WHERE token_id = $3",
    )
    .bind(now.to_string())
    .bind(address.to_string())
    .bind(token.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// An operator token has this digest.
///
/// # Errors
/// The database does not answer.
pub async fn operator_token_exists(
    conn: &mut AnyConnection,
    token_digest: &str,
) -> sqlx::Result<bool> {
    let row = sqlx::query("SELECT token_digest FROM operator_token WHERE token_digest = $1")
        .bind(token_digest)
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// The organisation and what `user` is there; None for strangers.
///
/// # Errors
/// The database does not answer.
pub async fn membership_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    user: UserId,
) -> sqlx::Result<Option<(Organisation, Roles)>> {
    let row = sqlx::query(
        "SELECT o.*, m.roles FROM organisation o \
         JOIN member m ON m.organisation_id = o.organisation_id \
         WHERE o.organisation_id = $1 AND m.user_id = $2",
    )
    .bind(organisation.to_string())
    .bind(user.to_string())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((organisation_from_row(&row)?, roles_from_row(&row)?)))
}
