//! Browsers with which users signed in before.

use sqlx::{AnyConnection, Row};

use crate::domain::id::UserId;
use crate::domain::moment::Moment;
use crate::store::row::unsigned;

/// Of one user; the one that was seen least lately makes room.
const MOST: i64 = 100;

/// How a browser stands to what is known of its user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquaintance {
    /// It was seen before.
    Known,
    /// It is the first of all.
    First,
    /// Others were seen before, it was not.
    New,
}

/// Notes that a user signs in with the browser of this digest, and says whether it is a new one.
///
/// # Errors
/// The database does not answer.
pub async fn device_see(
    conn: &mut AnyConnection,
    user: UserId,
    digest: &str,
    now: Moment,
) -> sqlx::Result<Acquaintance> {
    let seen = sqlx::query(
        "UPDATE known_device SET seen_at = $1 WHERE user_id = $2 AND device_digest = $3",
    )
    .bind(now.to_string())
    .bind(user.to_string())
    .bind(digest)
    .execute(&mut *conn)
    .await?;
    if seen.rows_affected() > 0 {
        return Ok(Acquaintance::Known);
    }
    let row = sqlx::query("SELECT COUNT(*) AS known FROM known_device WHERE user_id = $1")
        .bind(user.to_string())
        .fetch_one(&mut *conn)
        .await?;
    let known = unsigned(row.try_get("known")?)?;
    sqlx::query(
        "DELETE FROM known_device WHERE user_id = $1 AND device_digest NOT IN \
         (SELECT device_digest FROM known_device WHERE user_id = $1 \
         ORDER BY seen_at DESC, device_digest LIMIT $2)",
    )
    .bind(user.to_string())
    .bind(MOST - 1)
    .execute(&mut *conn)
    .await?;
    sqlx::query("INSERT INTO known_device (user_id, device_digest, seen_at) VALUES ($1, $2, $3)")
        .bind(user.to_string())
        .bind(digest)
        .bind(now.to_string())
        .execute(conn)
        .await?;
    Ok(if known == 0 {
        Acquaintance::First
    } else {
        Acquaintance::New
    })
}
