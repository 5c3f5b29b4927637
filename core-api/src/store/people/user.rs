//! Users.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::account::notification::Owner;
use crate::domain::id::UserId;
use crate::domain::people::user::{About, Bio, Phone, Profile, User};
use crate::store::account::notification::notification_delete_all;
use crate::store::row::{column, flag, number, optional_column, unsigned_column};

/// Nobody was ever here: the process has not had its first start.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn user_is_none(conn: &mut AnyConnection) -> sqlx::Result<bool> {
    let any = sqlx::query("SELECT user_id FROM user_account LIMIT 1")
        .fetch_optional(conn)
        .await?;
    Ok(any.is_none())
}

/// Who was here first; None: nobody ever was.
pub async fn user_first(conn: &mut AnyConnection) -> sqlx::Result<Option<UserId>> {
    let first = "SELECT user_id FROM user_account ORDER BY created_at, user_id LIMIT 1";
    let row = sqlx::query(first).fetch_optional(conn).await?;
    row.as_ref().map(|row| column(row, "user_id")).transpose()
}

/// The user with this id.
pub async fn user_fetch(conn: &mut AnyConnection, user: UserId) -> sqlx::Result<Option<User>> {
    let row = sqlx::query("SELECT * FROM user_account WHERE user_id = $1")
        .bind(user.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(user_from_row).transpose()
}

/// Adds a user.
pub async fn user_insert(conn: &mut AnyConnection, user: &User) -> sqlx::Result<()> {
    let User {
        id,
        profile,
        created_at,
        updated_at,
        revision,
    } = user;
    sqlx::query(
        "INSERT INTO user_account (user_id, email, first_name, last_name, name_key, created_at, \
         updated_at, revision, phone, bio, visibility) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id.to_string())
    .bind(profile.email.as_str())
    .bind(profile.first_name.as_str())
    .bind(profile.last_name.as_str())
    .bind(profile.key())
    .bind(created_at.to_string())
    .bind(updated_at.to_string())
    .bind(number(*revision)?)
    .bind(profile.about.phone.as_ref().map(Phone::as_str))
    .bind(profile.about.bio.as_ref().map(Bio::as_str))
    .bind(profile.about.visibility.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what may change of a user. Another address is one that they have not shown to be theirs.
pub async fn user_update(conn: &mut AnyConnection, user: &User) -> sqlx::Result<()> {
    let User {
        id,
        profile,
        created_at: _,
        updated_at,
        revision,
    } = user;
    sqlx::query(
        "UPDATE user_account SET email = $1, first_name = $2, last_name = $3, name_key = $4, \
         updated_at = $5, revision = $6, phone = $8, bio = $9, visibility = $10, proved_address = \
         CASE WHEN proved_address = $11 THEN proved_address ELSE NULL END, is_address_sure = \
         CASE WHEN proved_address = $11 THEN is_address_sure ELSE 0 END WHERE user_id = $7",
    )
    .bind(profile.email.as_str())
    .bind(profile.first_name.as_str())
    .bind(profile.last_name.as_str())
    .bind(profile.key())
    .bind(updated_at.to_string())
    .bind(number(*revision)?)
    .bind(id.to_string())
    .bind(profile.about.phone.as_ref().map(Phone::as_str))
    .bind(profile.about.bio.as_ref().map(Bio::as_str))
    .bind(profile.about.visibility.as_str())
    .bind(profile.email.login())
    .execute(conn)
    .await?;
    Ok(())
}

/// How a user has shown an address to be theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressProof {
    /// Somebody trusted them with a token, and may have been wrong.
    Trust,
    /// They got a letter there, or a provider knows it.
    Sure,
}

/// Notes that the user has shown their present address to be theirs.
pub async fn user_prove(
    conn: &mut AnyConnection,
    user: &User,
    proof: AddressProof,
) -> sqlx::Result<()> {
    // What was sure of the same address stays so.
    sqlx::query(
        "UPDATE user_account SET is_address_sure = CASE WHEN $3 = 1 THEN 1 \
         WHEN proved_address = $1 THEN is_address_sure ELSE 0 END, proved_address = $1 \
         WHERE user_id = $2",
    )
    .bind(user.profile.email.login())
    .bind(user.id.to_string())
    .bind(flag(proof == AddressProof::Sure))
    .execute(conn)
    .await?;
    Ok(())
}

/// Users to whom this address, in lower case, belongs for sure.
pub async fn user_by_sure_address(
    conn: &mut AnyConnection,
    address: &str,
) -> sqlx::Result<Vec<UserId>> {
    let rows = sqlx::query(
        "SELECT user_id FROM user_account WHERE proved_address = $1 AND is_address_sure = 1",
    )
    .bind(address)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| column(row, "user_id")).collect()
}

/// The address that the user has shown to be theirs, in lower case.
pub async fn user_proved_address(
    conn: &mut AnyConnection,
    user: UserId,
) -> sqlx::Result<Option<String>> {
    let row = sqlx::query("SELECT proved_address FROM user_account WHERE user_id = $1")
        .bind(user.to_string())
        .fetch_optional(conn)
        .await?;
    row.map_or(Ok(None), |row| row.try_get("proved_address"))
}

/// Users who have shown this address, in lower case, to be theirs.
pub async fn user_by_proved_address(
    conn: &mut AnyConnection,
    address: &str,
) -> sqlx::Result<Vec<UserId>> {
    let rows = sqlx::query("SELECT user_id FROM user_account WHERE proved_address = $1")
        .bind(address)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| column(row, "user_id")).collect()
}

/// Removes a user with what is theirs alone: memberships, tokens, sessions, password.
pub async fn user_delete(conn: &mut AnyConnection, user: UserId) -> sqlx::Result<()> {
    notification_delete_all(conn, Owner::User(user)).await?;
    for table in OWNED {
        sqlx::query(AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE user_id = $1"
        )))
        .bind(user.to_string())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// In an order that foreign keys allow.
const OWNED: [&str; 9] = [
    "notification_read",
    "notification_preference",
    "known_device",
    "browser_session",
    "password_token",
    "user_password",
    "user_token",
    "member",
    "user_account",
];

/// Notes that something shown with the user changed, such as their tokens.
pub async fn user_touch(conn: &mut AnyConnection, user: UserId, revision: u64) -> sqlx::Result<()> {
    sqlx::query("UPDATE user_account SET revision = $1 WHERE user_id = $2")
        .bind(number(revision)?)
        .bind(user.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) fn profile_from_row(row: &AnyRow) -> sqlx::Result<Profile> {
    Ok(Profile {
        email: column(row, "email")?,
        first_name: column(row, "first_name")?,
        last_name: column(row, "last_name")?,
        about: About {
            phone: optional_column(row, "phone")?,
            bio: optional_column(row, "bio")?,
            visibility: column(row, "visibility")?,
        },
    })
}

fn user_from_row(row: &AnyRow) -> sqlx::Result<User> {
    Ok(User {
        id: column(row, "user_id")?,
        profile: profile_from_row(row)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        revision: unsigned_column(row, "revision")?,
    })
}
