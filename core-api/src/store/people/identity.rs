//! Whom OpenID providers mean, and whom their groups made members.

use sqlx::{AnyConnection, Row};

use crate::domain::id::{OrganisationId, UserId};
use crate::domain::moment::Moment;
use crate::domain::people::provider::ProviderName;
use crate::store::row::column;

/// Whom a provider means by a subject; None: nobody yet.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn identity_fetch(
    conn: &mut AnyConnection,
    (provider, subject): (&ProviderName, &str),
) -> sqlx::Result<Option<UserId>> {
    let row = sqlx::query("SELECT user_id FROM user_identity WHERE provider = $1 AND subject = $2")
        .bind(provider.as_str())
        .bind(subject)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(|row| column(row, "user_id")).transpose()
}

/// Notes whom a provider means; a unique violation: somebody else noted it meanwhile.
pub async fn identity_insert(
    conn: &mut AnyConnection,
    (provider, subject): (&ProviderName, &str),
    (user, now): (UserId, Moment),
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO user_identity (provider, subject, user_id, created_at) \
         VALUES ($1, $2, $3, $4)",
    )
    .bind(provider.as_str())
    .bind(subject)
    .bind(user.to_string())
    .bind(now.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a provider means the user by a subject already.
pub async fn identity_is_of(
    conn: &mut AnyConnection,
    provider: &ProviderName,
    user: UserId,
) -> sqlx::Result<bool> {
    let row = sqlx::query("SELECT 1 FROM user_identity WHERE provider = $1 AND user_id = $2")
        .bind(provider.as_str())
        .bind(user.to_string())
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Where a provider's groups made somebody a member.
pub async fn member_owed(
    conn: &mut AnyConnection,
    user: UserId,
    provider: &ProviderName,
) -> sqlx::Result<Vec<OrganisationId>> {
    let rows =
        sqlx::query("SELECT organisation_id FROM member WHERE user_id = $1 AND provider = $2")
            .bind(user.to_string())
            .bind(provider.as_str())
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|row| column(row, "organisation_id"))
        .collect()
}

/// Whose groups made somebody a member; None: nobody's, or they are none.
pub async fn member_provider(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    user: UserId,
) -> sqlx::Result<Option<String>> {
    let row =
        sqlx::query("SELECT provider FROM member WHERE organisation_id = $1 AND user_id = $2")
            .bind(organisation.to_string())
            .bind(user.to_string())
            .fetch_optional(conn)
            .await?;
    row.map_or(Ok(None), |row| row.try_get("provider"))
}

/// Notes that a provider's groups made somebody a member.
pub async fn member_owe(
    conn: &mut AnyConnection,
    (organisation, user): (OrganisationId, UserId),
    provider: &ProviderName,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE member SET provider = $1 WHERE organisation_id = $2 AND user_id = $3")
        .bind(provider.as_str())
        .bind(organisation.to_string())
        .bind(user.to_string())
        .execute(conn)
        .await?;
    Ok(())
}
