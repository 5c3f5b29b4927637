//! Members of organisations.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::roles::{roles_from_row, roles_text};
use super::user::profile_from_row;
use crate::domain::id::{OrganisationId, UserId};
use crate::domain::listing::{ListQuery, Page};
use crate::domain::people::member::Member;
use crate::store::listing::{Listing, page};
use crate::store::row::{column, number, unsigned_column};

const MEMBERS: &str = "(SELECT m.*, u.email, u.first_name, u.last_name, u.name_key, u.phone, u.bio, \
     u.visibility FROM member m JOIN user_account u ON u.user_id = m.user_id) AS members";

const LISTING: Listing = Listing {
    from: MEMBERS,
    columns: "*",
    owner: "organisation_id",
    id: "user_id",
    kind: "",
    temporary: None,
};

/// A page of the organisation's members.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn member_list(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    query: &ListQuery,
) -> sqlx::Result<Page<Member>> {
    page(
        conn,
        LISTING,
        &organisation.to_string(),
        query,
        member_from_row,
    )
    .await
}

/// The organisation's member who is this user.
pub async fn member_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    user: UserId,
) -> sqlx::Result<Option<Member>> {
    let row = sqlx::query(
        "SELECT m.*, u.email, u.first_name, u.last_name, u.phone, u.bio, u.visibility \
         FROM member m JOIN user_account u ON u.user_id = m.user_id \
         WHERE m.organisation_id = $1 AND m.user_id = $2",
    )
    .bind(organisation.to_string())
    .bind(user.to_string())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(member_from_row).transpose()
}

/// The organisation has an owner other than this user.
pub async fn member_other_owner_exists(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    user: UserId,
) -> sqlx::Result<bool> {
    // Roles are a JSON list of closed words: the quotes keep this one apart from others.
    let row = sqlx::query(
        "SELECT user_id FROM member WHERE organisation_id = $1 AND user_id <> $2 \
         AND roles LIKE '%\"owner\"%' LIMIT 1",
    )
    .bind(organisation.to_string())
    .bind(user.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Where the user is a member, in order of ids.
pub async fn member_homes(
    conn: &mut AnyConnection,
    user: UserId,
) -> sqlx::Result<Vec<OrganisationId>> {
    let rows = sqlx::query(
        "SELECT organisation_id FROM member WHERE user_id = $1 ORDER BY organisation_id",
    )
    .bind(user.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| column(row, "organisation_id"))
        .collect()
}

/// Adds a member.
pub async fn member_insert(conn: &mut AnyConnection, member: &Member) -> sqlx::Result<()> {
    let Member {
        organisation,
        user,
        profile: _,
        roles,
        created_at,
        updated_at,
        created_by,
        revision,
    } = member;
    sqlx::query(
        "INSERT INTO member (organisation_id, user_id, roles, created_at, updated_at, created_by, \
         revision) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(organisation.to_string())
    .bind(user.to_string())
    .bind(roles_text(roles))
    .bind(created_at.to_string())
    .bind(updated_at.to_string())
    .bind(created_by)
    .bind(number(*revision)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a member's roles.
pub async fn member_update(conn: &mut AnyConnection, member: &Member) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE member SET roles = $1, updated_at = $2, revision = $3 \
         WHERE organisation_id = $4 AND user_id = $5",
    )
    .bind(roles_text(&member.roles))
    .bind(member.updated_at.to_string())
    .bind(number(member.revision)?)
    .bind(member.organisation.to_string())
    .bind(member.user.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a user out of an organisation.
pub async fn member_delete(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    user: UserId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM member WHERE organisation_id = $1 AND user_id = $2")
        .bind(organisation.to_string())
        .bind(user.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

fn member_from_row(row: &AnyRow) -> sqlx::Result<Member> {
    Ok(Member {
        organisation: column(row, "organisation_id")?,
        user: column(row, "user_id")?,
        profile: profile_from_row(row)?,
        roles: roles_from_row(row)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
    })
}
