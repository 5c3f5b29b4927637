//! Passwords of users, and the tokens that let somebody choose one; only hashes are here.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::domain::id::UserId;
use crate::domain::moment::Moment;
use crate::store::row::column;

/// A user who has a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub user: UserId,
    /// The address that they sign in with, in lower case.
    pub login: String,
    /// Argon2id, in the PHC format.
    pub hash: String,
}

/// What a token lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Choose address and password.
    Setup,
    /// Choose another password.
    Reset,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Reset => "reset",
        }
    }
}

/// Who signs in with this address (in lower case).
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn password_by_login(
    conn: &mut AnyConnection,
    login: &str,
) -> sqlx::Result<Option<Holder>> {
    let row = sqlx::query("SELECT * FROM user_password WHERE login_key = $1")
        .bind(login)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(holder_from_row).transpose()
}

/// What the user signs in with.
pub async fn password_fetch(
    conn: &mut AnyConnection,
    user: UserId,
) -> sqlx::Result<Option<Holder>> {
    let row = sqlx::query("SELECT * FROM user_password WHERE user_id = $1")
        .bind(user.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(holder_from_row).transpose()
}

/// Gives a user a password, in the place of the one before. Nobody else may sign in with the address:
/// look first.
pub async fn password_upsert(
    conn: &mut AnyConnection,
    holder: &Holder,
    now: Moment,
) -> sqlx::Result<()> {
    let Holder { user, login, hash } = holder;
    sqlx::query(
        "INSERT INTO user_password (user_id, login_key, password_hash, updated_at) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET \
         login_key = excluded.login_key, password_hash = excluded.password_hash, \
         updated_at = excluded.updated_at",
    )
    .bind(user.to_string())
    .bind(login)
    .bind(hash)
    .bind(now.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds a token by its digest, and forgets those that have ended.
pub async fn password_token_insert(
    conn: &mut AnyConnection,
    digest: &str,
    (user, purpose): (UserId, Purpose),
    (now, expires_at): (Moment, Moment),
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM password_token WHERE expires_at <= $1")
        .bind(now.to_string())
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO password_token (token_digest, user_id, purpose, expires_at) \
         VALUES ($1, $2, $3, $4)",
    )
    .bind(digest)
    .bind(user.to_string())
    .bind(purpose.as_str())
    .bind(expires_at.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whose token has this digest and has not ended.
pub async fn password_token_fetch(
    conn: &mut AnyConnection,
    digest: &str,
    purpose: Purpose,
    now: Moment,
) -> sqlx::Result<Option<UserId>> {
    let row = sqlx::query(
        "SELECT user_id FROM password_token \
         WHERE token_digest = $1 AND purpose = $2 AND expires_at > $3",
    )
    .bind(digest)
    .bind(purpose.as_str())
    .bind(now.to_string())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(|row| column(row, "user_id")).transpose()
}

/// Ends all of the user's tokens: whoever still holds one is not to choose the next password.
pub async fn password_token_delete_all(conn: &mut AnyConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM password_token WHERE user_id = $1")
        .bind(user.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

fn holder_from_row(row: &AnyRow) -> sqlx::Result<Holder> {
    Ok(Holder {
        user: column(row, "user_id")?,
        login: row.try_get("login_key")?,
        hash: row.try_get("password_hash")?,
    })
}
