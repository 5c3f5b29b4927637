//! Users.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::domain::id::UserId;
use crate::domain::people::user::{Profile, User};
use crate::store::row::{column, number, unsigned_column};

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
         updated_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.to_string())
    .bind(profile.email.as_str())
    .bind(profile.first_name.as_str())
    .bind(profile.last_name.as_str())
    .bind(profile.key())
    .bind(created_at.to_string())
    .bind(updated_at.to_string())
    .bind(number(*revision)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what may change of a user.
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
         updated_at = $5, revision = $6 WHERE user_id = $7",
    )
    .bind(profile.email.as_str())
    .bind(profile.first_name.as_str())
    .bind(profile.last_name.as_str())
    .bind(profile.key())
    .bind(updated_at.to_string())
    .bind(number(*revision)?)
    .bind(id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

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
