//! Messages on their way to webhooks.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::notification::{UNASKED, notification_from_row};
use crate::domain::account::notification::Notification;
use crate::domain::account::webhook::{Delivery, Webhook};
use crate::domain::id::{DeliveryId, NotificationId, WebhookId};
use crate::domain::moment::Moment;
use crate::store::row::{column, unsigned_column};

/// For one webhook no more wait.
const MOST: i64 = 1_000;

/// Notifications that no webhook was looked for, the oldest first.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn notice_unposted(
    conn: &mut AnyConnection,
    limit: i64,
) -> sqlx::Result<Vec<Notification>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {UNASKED} FROM notification n WHERE n.is_posted = 0 \
         ORDER BY n.created_at, n.notification_id LIMIT $1"
    )))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(notification_from_row).collect()
}

/// Notes that webhooks which want it will be sent it; false: somebody else did.
pub async fn notice_posted(conn: &mut AnyConnection, id: NotificationId) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE notification SET is_posted = 1 WHERE notification_id = $1 AND is_posted = 0",
    )
    .bind(id.to_string())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds a message to a webhook, unless it has it or too many wait; false: too many do.
pub async fn delivery_insert(
    conn: &mut AnyConnection,
    webhook: &Webhook,
    (notice, body): (NotificationId, &str),
    now: Moment,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO webhook_delivery \
         (delivery_id, webhook_id, organisation_id, notification_id, body, created_at, due_at) \
         SELECT $1, $2, $3, $4, $5, $6, $6 \
         WHERE (SELECT COUNT(*) FROM webhook_delivery WHERE webhook_id = $2) < $7 \
         ON CONFLICT DO NOTHING",
    )
    .bind(DeliveryId::random().to_string())
    .bind(webhook.id.to_string())
    .bind(webhook.organisation.to_string())
    .bind(notice.to_string())
    .bind(body)
    .bind(now.to_string())
    .bind(MOST)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those that are due, of each webhook the `each` longest, and first what is each webhook's first: who
/// has many keeps nobody else's from being among them.
pub async fn delivery_due(
    conn: &mut AnyConnection,
    now: Moment,
    (each, limit): (i64, i64),
) -> sqlx::Result<Vec<Delivery>> {
    let rows = sqlx::query(
        "SELECT * FROM (SELECT d.*, ROW_NUMBER() OVER \
         (PARTITION BY d.webhook_id ORDER BY d.due_at, d.delivery_id) AS place \
         FROM webhook_delivery d WHERE d.due_at <= $1) AS due \
         WHERE place <= $2 ORDER BY place, due_at LIMIT $3",
    )
    .bind(now.to_string())
    .bind(each)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(delivery_from_row).collect()
}

/// Takes a message to send it, until when somebody else may; false: somebody else took it.
pub async fn delivery_take(
    conn: &mut AnyConnection,
    delivery: &Delivery,
    until: Moment,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE webhook_delivery SET due_at = $1, attempts = attempts + 1 \
         WHERE delivery_id = $2 AND due_at = $3",
    )
    .bind(until.to_string())
    .bind(delivery.id.to_string())
    .bind(delivery.due_at.to_string())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Has a message that was not taken sent again then.
pub async fn delivery_put_off(
    conn: &mut AnyConnection,
    id: DeliveryId,
    due_at: Moment,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE webhook_delivery SET due_at = $1 WHERE delivery_id = $2")
        .bind(due_at.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes a message.
pub async fn delivery_delete(conn: &mut AnyConnection, id: DeliveryId) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM webhook_delivery WHERE delivery_id = $1")
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes all that waits for a webhook.
pub async fn delivery_delete_all(conn: &mut AnyConnection, webhook: WebhookId) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM webhook_delivery WHERE webhook_id = $1")
        .bind(webhook.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

fn delivery_from_row(row: &AnyRow) -> sqlx::Result<Delivery> {
    Ok(Delivery {
        id: column(row, "delivery_id")?,
        webhook: column(row, "webhook_id")?,
        organisation: column(row, "organisation_id")?,
        body: row.try_get("body")?,
        due_at: column(row, "due_at")?,
        attempts: unsigned_column(row, "attempts")?,
    })
}
