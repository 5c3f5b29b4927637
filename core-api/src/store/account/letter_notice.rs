//! Notifications on their way into letters.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::notification::{UNASKED, notification_from_row};
use crate::domain::account::notification::{Audience, Channels, Kind, Notification, Owner};
use crate::domain::id::{NotificationId, UserId};
use crate::domain::people::permission::Permission;
use crate::store::people::roles::roles_from_row;
use crate::store::row::{column, flag, flag_column};

/// Notifications that nobody was written to about, the oldest first.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn notice_unmailed(
    conn: &mut AnyConnection,
    limit: i64,
) -> sqlx::Result<Vec<Notification>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {UNASKED} FROM notification n WHERE n.is_mailed = 0 ORDER BY n.created_at LIMIT $1"
    )))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(notification_from_row).collect()
}

/// Notes that whoever wants it by mail will be written to; false: somebody else did.
pub async fn notice_mailed(conn: &mut AnyConnection, id: NotificationId) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE notification SET is_mailed = 1 WHERE notification_id = $1 AND is_mailed = 0",
    )
    .bind(id.to_string())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Who wants notifications of `kind` to `owner` by mail. What everybody is told goes to those only who
/// have asked for it.
pub async fn notice_readers(
    conn: &mut AnyConnection,
    (owner, audience): (Owner, Audience),
    kind: Kind,
) -> sqlx::Result<Vec<UserId>> {
    let usual = flag(Channels::usual(kind).email);
    match owner {
        Owner::System => {
            let rows = sqlx::query(
                "SELECT user_id FROM notification_preference WHERE kind = $1 AND email = 1",
            )
            .bind(kind.as_str())
            .fetch_all(conn)
            .await?;
            rows.iter().map(|row| column(row, "user_id")).collect()
        }
        Owner::User(user) => {
            let row = sqlx::query(
                "SELECT email FROM notification_preference WHERE user_id = $1 AND kind = $2",
            )
            .bind(user.to_string())
            .bind(kind.as_str())
            .fetch_optional(conn)
            .await?;
            let wants = row.map_or(Ok(usual == 1), |row| flag_column(&row, "email"))?;
            Ok(wants.then_some(user).into_iter().collect())
        }
        Owner::Organisation(organisation) => {
            let rows = sqlx::query(
                "SELECT m.user_id, m.roles FROM member m LEFT JOIN notification_preference p \
                 ON p.user_id = m.user_id AND p.kind = $2 \
                 WHERE m.organisation_id = $1 AND COALESCE(p.email, $3) = 1",
            )
            .bind(organisation.to_string())
            .bind(kind.as_str())
            .bind(usual)
            .fetch_all(conn)
            .await?;
            let mut readers = Vec::new();
            for row in &rows {
                if is_among(audience, row)? {
                    readers.push(column(row, "user_id")?);
                }
            }
            Ok(readers)
        }
    }
}

/// Adds a notification to the next letter to a user.
pub async fn notice_add(
    conn: &mut AnyConnection,
    user: UserId,
    notice: NotificationId,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO letter_notice (user_id, notification_id) VALUES ($1, $2) \
         ON CONFLICT DO NOTHING",
    )
    .bind(user.to_string())
    .bind(notice.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Users for whom something waits, and no letter.
pub async fn notice_waiting(conn: &mut AnyConnection) -> sqlx::Result<Vec<UserId>> {
    let rows = sqlx::query(
        "SELECT DISTINCT n.user_id FROM letter_notice n WHERE NOT EXISTS \
         (SELECT 1 FROM letter l WHERE l.kind = 'notices' AND l.about = n.user_id)",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| column(row, "user_id")).collect()
}

/// What the next letter to a user is to tell, the oldest first.
pub async fn notice_list(
    conn: &mut AnyConnection,
    user: UserId,
) -> sqlx::Result<Vec<Notification>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {UNASKED} FROM letter_notice l JOIN notification n \
         ON n.notification_id = l.notification_id WHERE l.user_id = $1 ORDER BY n.created_at"
    )))
    .bind(user.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(notification_from_row).collect()
}

/// Takes what was told out of the next letter to a user.
pub async fn notice_remove(
    conn: &mut AnyConnection,
    user: UserId,
    told: &[NotificationId],
) -> sqlx::Result<()> {
    for notice in told {
        sqlx::query("DELETE FROM letter_notice WHERE user_id = $1 AND notification_id = $2")
            .bind(user.to_string())
            .bind(notice.to_string())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Whether a member belongs to those who are told.
fn is_among(audience: Audience, member: &AnyRow) -> sqlx::Result<bool> {
    let roles = roles_from_row(member)?;
    Ok(match audience {
        Audience::Members => true,
        Audience::Managers => Permission::ReadMembers.is_granted_to(roles.each()),
    })
}
