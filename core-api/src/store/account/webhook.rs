//! Webhooks, and how sending to them goes.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error, Row};

use crate::domain::account::notification::Kind;
use crate::domain::account::webhook::{HookUrl, Webhook, WebhookForm, WebhookHealth};
use crate::domain::id::{OrganisationId, WebhookId};
use crate::domain::listing::{ListQuery, Page};
use crate::domain::moment::Moment;
use crate::store::listing::{Listing, page};
use crate::store::row::{
    column, flag, flag_column, number, optional_column, parsed, unsigned_column,
};

const LISTING: Listing = Listing {
    from: "webhook",
    columns: "*",
    owner: "organisation_id",
    id: "webhook_id",
    kind: "",
    temporary: None,
};

/// A page of the organisation's webhooks.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn webhook_list(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    query: &ListQuery,
) -> sqlx::Result<Page<Webhook>> {
    let owner = organisation.to_string();
    page(conn, LISTING, &owner, query, webhook_from_row).await
}

/// The organisation's webhook with this id.
pub async fn webhook_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: WebhookId,
) -> sqlx::Result<Option<Webhook>> {
    let row = sqlx::query("SELECT * FROM webhook WHERE organisation_id = $1 AND webhook_id = $2")
        .bind(organisation.to_string())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(webhook_from_row).transpose()
}

/// What messages to it are signed with, as it was sealed.
pub async fn webhook_secret(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: WebhookId,
) -> sqlx::Result<Option<String>> {
    let row =
        sqlx::query("SELECT secret FROM webhook WHERE organisation_id = $1 AND webhook_id = $2")
            .bind(organisation.to_string())
            .bind(id.to_string())
            .fetch_optional(conn)
            .await?;
    row.map(|row| row.try_get("secret")).transpose()
}

/// The organisation's webhooks that are sent anything.
pub async fn webhook_active(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
) -> sqlx::Result<Vec<Webhook>> {
    let rows = sqlx::query("SELECT * FROM webhook WHERE organisation_id = $1 AND is_active = 1")
        .bind(organisation.to_string())
        .fetch_all(conn)
        .await?;
    rows.iter().map(webhook_from_row).collect()
}

/// Everybody's webhooks that are sent what everybody is told of that kind.
pub async fn webhook_active_everywhere(
    conn: &mut AnyConnection,
    kind: Kind,
) -> sqlx::Result<Vec<Webhook>> {
    // Kinds are a JSON list of closed words: the quotes keep this one apart from others.
    let rows = sqlx::query("SELECT * FROM webhook WHERE is_active = 1 AND kinds LIKE $1")
        .bind(format!("%\"{}\"%", kind.as_str()))
        .fetch_all(conn)
        .await?;
    rows.iter().map(webhook_from_row).collect()
}

/// Adds a webhook with its secret, sealed.
pub async fn webhook_insert(
    conn: &mut AnyConnection,
    webhook: &Webhook,
    secret: &str,
) -> sqlx::Result<()> {
    let WebhookForm {
        url,
        kinds,
        is_active,
    } = &webhook.form;
    sqlx::query(
        "INSERT INTO webhook (webhook_id, organisation_id, url, name_key, kinds, is_active, \
         secret, created_at, updated_at, created_by, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(webhook.id.to_string())
    .bind(webhook.organisation.to_string())
    .bind(url.as_str())
    .bind(url.as_str().to_lowercase())
    .bind(kinds.as_deref().map(kinds_text))
    .bind(flag(*is_active))
    .bind(secret)
    .bind(webhook.created_at.to_string())
    .bind(webhook.updated_at.to_string())
    .bind(&webhook.created_by)
    .bind(number(webhook.revision)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what may change of a webhook, and forgets how sending goes where that is unknown.
pub async fn webhook_update(conn: &mut AnyConnection, webhook: &Webhook) -> sqlx::Result<()> {
    let WebhookForm {
        url,
        kinds,
        is_active,
    } = &webhook.form;
    if webhook.health.is_unknown() {
        sqlx::query(
            "UPDATE webhook SET delivered_at = NULL, failing_since = NULL, last_error = NULL \
             WHERE webhook_id = $1",
        )
        .bind(webhook.id.to_string())
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query(
        "UPDATE webhook SET url = $1, name_key = $2, kinds = $3, is_active = $4, \
         updated_at = $5, revision = $6 WHERE organisation_id = $7 AND webhook_id = $8",
    )
    .bind(url.as_str())
    .bind(url.as_str().to_lowercase())
    .bind(kinds.as_deref().map(kinds_text))
    .bind(flag(*is_active))
    .bind(webhook.updated_at.to_string())
    .bind(number(webhook.revision)?)
    .bind(webhook.organisation.to_string())
    .bind(webhook.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a webhook with what waits for it.
pub async fn webhook_delete(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: WebhookId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM webhook WHERE organisation_id = $1 AND webhook_id = $2")
        .bind(organisation.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that a message was taken.
pub async fn webhook_delivered(
    conn: &mut AnyConnection,
    id: WebhookId,
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE webhook SET delivered_at = $1, failing_since = NULL, last_error = NULL \
         WHERE webhook_id = $2",
    )
    .bind(now.to_string())
    .bind(id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a message was not taken, and why.
pub async fn webhook_failed(
    conn: &mut AnyConnection,
    id: WebhookId,
    (now, why): (Moment, &str),
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE webhook SET failing_since = COALESCE(failing_since, $1), last_error = $2 \
         WHERE webhook_id = $3",
    )
    .bind(now.to_string())
    .bind(why)
    .bind(id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

fn webhook_from_row(row: &AnyRow) -> sqlx::Result<Webhook> {
    let kinds: Option<String> = row.try_get("kinds")?;
    Ok(Webhook {
        id: column(row, "webhook_id")?,
        organisation: column(row, "organisation_id")?,
        form: WebhookForm {
            url: HookUrl::stored(row.try_get("url")?),
            kinds: kinds.as_deref().map(kinds_of).transpose()?,
            is_active: flag_column(row, "is_active")?,
        },
        health: WebhookHealth {
            delivered_at: optional_column(row, "delivered_at")?,
            failing_since: optional_column(row, "failing_since")?,
            error: row.try_get("last_error")?,
        },
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
    })
}

/// Kinds as they are stored: a JSON list.
fn kinds_text(kinds: &[Kind]) -> String {
    let words: Vec<String> = kinds
        .iter()
        .map(|kind| format!("\"{}\"", kind.as_str()))
        .collect();
    format!("[{}]", words.join(","))
}

fn kinds_of(json: &str) -> sqlx::Result<Vec<Kind>> {
    let words: Vec<String> =
        serde_json::from_str(json).map_err(|error| Error::Decode(Box::new(error)))?;
    words.iter().map(|word| parsed(word)).collect()
}
