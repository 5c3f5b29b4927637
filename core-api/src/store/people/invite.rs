//! Invites; their tokens are kept as digests.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::roles::{roles_from_row, roles_text};
use crate::domain::id::{InviteId, OrganisationId};
use crate::domain::listing::{ListQuery, Page};
use crate::domain::moment::Moment;
use crate::domain::name::Name;
use crate::domain::people::member::Invite;
use crate::domain::people::user::Email;
use crate::store::listing::{Listing, page, page_within};
use crate::store::row::{column, flag_column, number, optional_column, unsigned_column};

const LISTING: Listing = Listing {
    from: "invite",
    columns: "*",
    owner: "organisation_id",
    id: "invite_id",
    kind: "",
    temporary: None,
};

/// Of whom they are to, whatever organisation they are of.
const TO_ADDRESS: Listing = Listing {
    from: "(SELECT i.invite_id, i.organisation_id, i.email, i.name_key AS address, i.roles, \
           i.expires_at, i.accepted_at, i.created_at, i.created_by, i.revision, \
           o.organisation_name, o.name_key FROM invite i \
           JOIN organisation o ON o.organisation_id = i.organisation_id \
           WHERE i.accepted_at IS NULL) AS invites",
    columns: "*",
    owner: "address",
    id: "invite_id",
    kind: "",
    temporary: None,
};

/// A page of the organisation's invites.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn invite_list(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    query: &ListQuery,
) -> sqlx::Result<Page<Invite>> {
    page(
        conn,
        LISTING,
        &organisation.to_string(),
        query,
        invite_from_row,
    )
    .await
}

/// The organisation's invite with this id.
pub async fn invite_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: InviteId,
) -> sqlx::Result<Option<Invite>> {
    let row = sqlx::query("SELECT * FROM invite WHERE organisation_id = $1 AND invite_id = $2")
        .bind(organisation.to_string())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(invite_from_row).transpose()
}

/// Adds an invite with the digest of its token.
pub async fn invite_insert(
    conn: &mut AnyConnection,
    invite: &Invite,
    digest: &str,
) -> sqlx::Result<()> {
    let Invite {
        id,
        organisation,
        email,
        roles,
        expires_at,
        accepted_at,
        created_at,
        created_by,
        revision,
    } = invite;
    sqlx::query(
        "INSERT INTO invite (invite_id, organisation_id, email, name_key, roles, token_digest, \
         expires_at, accepted_at, created_at, created_by, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id.to_string())
    .bind(organisation.to_string())
    .bind(email.as_str())
    .bind(email.as_str().to_lowercase())
    .bind(roles_text(roles))
    .bind(digest)
    .bind(expires_at.to_string())
    .bind(accepted_at.map(|moment| moment.to_string()))
    .bind(created_at.to_string())
    .bind(created_by)
    .bind(number(*revision)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whose invite has a token with this digest; None when it is unknown.
pub async fn invite_home(
    conn: &mut AnyConnection,
    digest: &str,
) -> sqlx::Result<Option<OrganisationId>> {
    let row = sqlx::query("SELECT organisation_id FROM invite WHERE token_digest = $1")
        .bind(digest)
        .fetch_optional(conn)
        .await?;
    row.as_ref()
        .map(|row| column(row, "organisation_id"))
        .transpose()
}

/// To which address the invite is whose token has this digest; None when it is unknown.
pub async fn invite_address(conn: &mut AnyConnection, digest: &str) -> sqlx::Result<Option<Email>> {
    let row = sqlx::query("SELECT email FROM invite WHERE token_digest = $1")
        .bind(digest)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(|row| column(row, "email")).transpose()
}

/// Uses up the invite whose token has this digest; None when it is unknown, used or expired.
pub async fn invite_accept(
    conn: &mut AnyConnection,
    digest: &str,
    now: Moment,
    revision: u64,
) -> sqlx::Result<Option<Invite>> {
    let row = sqlx::query(
        "UPDATE invite SET accepted_at = $1, revision = $2 \
         WHERE token_digest = $3 AND accepted_at IS NULL AND expires_at > $1 RETURNING *",
    )
    .bind(now.to_string())
    .bind(number(revision)?)
    .bind(digest)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(invite_from_row).transpose()
}

/// Gives an invite that was not accepted another token, and another end.
pub async fn invite_renew(
    conn: &mut AnyConnection,
    invite: &Invite,
    digest: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE invite SET token_digest = $1, expires_at = $2, revision = $3, is_by_letter = 0 \
         WHERE invite_id = $4",
    )
    .bind(digest)
    .bind(invite.expires_at.to_string())
    .bind(number(invite.revision)?)
    .bind(invite.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the token that counts was only ever in a letter.
pub async fn invite_is_by_letter(conn: &mut AnyConnection, id: InviteId) -> sqlx::Result<bool> {
    let row = sqlx::query("SELECT is_by_letter FROM invite WHERE invite_id = $1")
        .bind(id.to_string())
        .fetch_one(conn)
        .await?;
    flag_column(&row, "is_by_letter")
}

/// Gives an invite that is open the token of a letter; false: it was accepted, or is not there any more.
pub async fn invite_give_token(
    conn: &mut AnyConnection,
    id: InviteId,
    digest: &str,
) -> sqlx::Result<bool> {
    let given = sqlx::query(
        "UPDATE invite SET token_digest = $1, is_by_letter = 1 \
         WHERE invite_id = $2 AND accepted_at IS NULL",
    )
    .bind(digest)
    .bind(id.to_string())
    .execute(conn)
    .await?;
    Ok(given.rows_affected() == 1)
}

/// A page of the invites to an address (in lower case) that can be accepted now, with the names of
/// their organisations.
pub async fn invite_list_to(
    conn: &mut AnyConnection,
    address: &str,
    now: Moment,
    query: &ListQuery,
) -> sqlx::Result<Page<(Invite, Name)>> {
    let (now, read) = (now.to_string(), |row: &AnyRow| {
        Ok((invite_from_row(row)?, column(row, "organisation_name")?))
    });
    let owner = (address, Some(("expires_at >", now.as_str())));
    page_within(conn, TO_ADDRESS, owner, query, read).await
}

/// The invite with this id, if it is to this address (in lower case) and can be accepted now.
pub async fn invite_fetch_to(
    conn: &mut AnyConnection,
    address: &str,
    now: Moment,
    id: InviteId,
) -> sqlx::Result<Option<Invite>> {
    let row = sqlx::query(
        "SELECT * FROM invite WHERE invite_id = $1 AND name_key = $2 AND accepted_at IS NULL \
         AND expires_at > $3",
    )
    .bind(id.to_string())
    .bind(address)
    .bind(now.to_string())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(invite_from_row).transpose()
}

/// Uses up an invite; false: it is used up, or not there any more.
pub async fn invite_use(
    conn: &mut AnyConnection,
    id: InviteId,
    now: Moment,
    revision: u64,
) -> sqlx::Result<bool> {
    let used = sqlx::query(
        "UPDATE invite SET accepted_at = $1, revision = $2 \
         WHERE invite_id = $3 AND accepted_at IS NULL AND expires_at > $1",
    )
    .bind(now.to_string())
    .bind(number(revision)?)
    .bind(id.to_string())
    .execute(conn)
    .await?;
    Ok(used.rows_affected() == 1)
}

/// Withdraws an invite.
pub async fn invite_delete(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: InviteId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM invite WHERE organisation_id = $1 AND invite_id = $2")
        .bind(organisation.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

fn invite_from_row(row: &AnyRow) -> sqlx::Result<Invite> {
    Ok(Invite {
        id: column(row, "invite_id")?,
        organisation: column(row, "organisation_id")?,
        email: column(row, "email")?,
        roles: roles_from_row(row)?,
        expires_at: column(row, "expires_at")?,
        accepted_at: optional_column(row, "accepted_at")?,
        created_at: column(row, "created_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
    })
}
