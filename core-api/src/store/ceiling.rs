//! Counts what creations are bounded by.

use sqlx::AnyConnection;

use super::row::unsigned;
use crate::domain::id::{OrganisationId, UserId};
use crate::domain::moment::Moment;

/// What is counted, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The organisation's credentials.
    Credentials(OrganisationId),
    /// The organisation's targets.
    Targets(OrganisationId),
    /// The organisation's proxies.
    Proxies(OrganisationId),
    /// The organisation's members.
    Members(OrganisationId),
    /// The organisation's invites that can be accepted at this moment.
    OpenInvites(OrganisationId, Moment),
    /// The organisation's webhooks.
    Webhooks(OrganisationId),
    /// The user's tokens.
    Tokens(UserId),
    /// The organisations that the user is an owner of.
    Organisations(UserId),
}

/// How many there are.
///
/// # Errors
/// The database does not answer.
pub async fn ceiling_count(conn: &mut AnyConnection, counted: Counted) -> sqlx::Result<u64> {
    let (select, owner) = match counted {
        Counted::Credentials(owner) => (
            "SELECT COUNT(*) FROM credential WHERE organisation_id = $1",
            owner.to_string(),
        ),
        Counted::Targets(owner) => (
            "SELECT COUNT(*) FROM target WHERE organisation_id = $1",
            owner.to_string(),
        ),
        Counted::Proxies(owner) => (
            "SELECT COUNT(*) FROM proxy WHERE organisation_id = $1",
            owner.to_string(),
        ),
        Counted::Members(owner) => (
            "SELECT COUNT(*) FROM member WHERE organisation_id = $1",
            owner.to_string(),
        ),
        Counted::OpenInvites(owner, _) => (
            "SELECT COUNT(*) FROM invite \
             WHERE organisation_id = $1 AND accepted_at IS NULL AND expires_at > $2",
            owner.to_string(),
        ),
        Counted::Webhooks(owner) => (
            "SELECT COUNT(*) FROM webhook WHERE organisation_id = $1",
            owner.to_string(),
        ),
        Counted::Tokens(owner) => (
            "SELECT COUNT(*) FROM user_token WHERE user_id = $1",
            owner.to_string(),
        ),
        Counted::Organisations(owner) => (
            // Roles are a JSON list of closed words: the quotes keep this one apart from others.
            "SELECT COUNT(*) FROM member WHERE user_id = $1 AND roles LIKE '%\"owner\"%'",
            owner.to_string(),
        ),
    };
    let mut select = sqlx::query_as(select).bind(owner);
    if let Counted::OpenInvites(_, now) = counted {
        select = select.bind(now.to_string());
    }
    let (count,): (i64,) = select.fetch_one(conn).await?;
    unsigned(count)
}
