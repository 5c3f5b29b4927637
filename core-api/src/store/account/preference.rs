//! Where users want to be told of what.

use sqlx::{AnyConnection, Row};

use crate::domain::account::notification::{Channels, Kind, Preferences};
use crate::domain::id::UserId;
use crate::store::row::{flag, flag_column};

/// What a user wants, of every kind.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn preference_list(conn: &mut AnyConnection, user: UserId) -> sqlx::Result<Preferences> {
    let rows = sqlx::query("SELECT * FROM notification_preference WHERE user_id = $1")
        .bind(user.to_string())
        .fetch_all(conn)
        .await?;
    let usual = Kind::ALL.map(|kind| (kind, Channels::usual(kind)));
    let mut preferences = Preferences::from(usual);
    for row in &rows {
        // A kind of another version of ours is nobody's concern here.
        let Ok(kind) = row.try_get::<String, _>("kind")?.parse::<Kind>() else {
            continue;
        };
        let channels = Channels {
            in_app: flag_column(row, "in_app")?,
            email: flag_column(row, "email")?,
        };
        preferences.insert(kind, channels);
    }
    Ok(preferences)
}

/// Writes what a user wants; what is not named is as usual.
pub async fn preference_replace(
    conn: &mut AnyConnection,
    user: UserId,
    preferences: &Preferences,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM notification_preference WHERE user_id = $1")
        .bind(user.to_string())
        .execute(&mut *conn)
        .await?;
    for (kind, channels) in preferences {
        if *channels == Channels::usual(*kind) {
            continue;
        }
        sqlx::query(
            "INSERT INTO notification_preference (user_id, kind, in_app, email) \
             VALUES ($1, $2, $3, $4)",
        )
        .bind(user.to_string())
        .bind(kind.as_str())
        .bind(flag(channels.in_app))
        .bind(flag(channels.email))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
