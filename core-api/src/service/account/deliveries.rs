//! Messages to webhooks: made of what people are told, and sent until they are taken.
//!
//! Invariant: a message is stored with the mark on what it tells, and leaves the store only once it was
//! taken, was tried often enough, or nobody wants it any more. Whoever sends one has taken it before, so
//! that no other process does meanwhile; one that dies with it is a repetition, under the same id.

use std::time::Duration;

use super::webhooks::{NotTaken, open, taken};
use crate::domain::account::audit::{Actor, Entry, Subject as _};
use crate::domain::account::notification::{Notice, Notification, Owner};
use crate::domain::account::webhook::{Delivery, Message, Signed, Webhook};
use crate::error::ApiResult;
use crate::outbound::HOOK_PATIENCE;
use crate::state::AppState;
use crate::store::account::notification::notification_insert;
use crate::store::account::webhook::{
    webhook_active, webhook_active_everywhere, webhook_delivered, webhook_failed, webhook_fetch,
    webhook_secret, webhook_update,
};
use crate::store::account::webhook_delivery::{
    delivery_delete, delivery_delete_all, delivery_due, delivery_insert, delivery_put_off,
    delivery_take, notice_posted, notice_unposted,
};
use crate::store::log::write::Over;

/// Notifications that are looked at together.
const AT_ONCE: i64 = 100;
/// Messages of one look.
const LOOK: i64 = 1_000;
/// Who has not said within this what became of a message has died with it.
const LEASE: Duration = HOOK_PATIENCE.saturating_mul(2);
/// Of an answer (RFC 9110 §15.5.11).
const GONE: u16 = 410;
/// Messages by what became of an attempt.
pub const DELIVERIES: &str = "rr_core_webhook_messages_total";

/// Has messages made of what was told since the last time, for the webhooks that want it.
///
/// # Errors
/// The store does not answer.
pub async fn collect(state: &AppState) -> ApiResult<()> {
    // Mostly there is nothing, which need not keep others from writing.
    while !notice_unposted(&mut *state.connect().await?, 1)
        .await?
        .is_empty()
    {
        let mut tx = state.db.begin().await?;
        let found = notice_unposted(&mut tx, AT_ONCE).await?;
        for told in &found {
            if !notice_posted(&mut tx, told.id).await? {
                continue;
            }
            for webhook in wanting(&mut tx, told).await? {
                let body = Message::of(told).into_body();
                let message = (told.id, body.as_str());
                if !delivery_insert(&mut tx, &webhook, message, state.now()).await? {
                    tracing::warn!(webhook = %webhook.id, "too much waits for a webhook");
                    count("left_out");
                }
            }
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Messages that are due, at most `each` of a webhook.
///
/// # Errors
/// The store does not answer.
pub async fn due(state: &AppState, each: i64) -> ApiResult<Vec<Delivery>> {
    let mut conn = state.connect().await?;
    Ok(delivery_due(&mut conn, state.now(), (each, LOOK)).await?)
}

/// Sends a message, unless somebody else does.
///
/// # Errors
/// The store does not answer, or the webhook's secret does not open; the message waits.
pub async fn send(state: &AppState, delivery: Delivery) -> ApiResult<()> {
    let begun = state.now();
    let whose = (delivery.organisation, delivery.webhook);
    let (webhook, sealed) = {
        let mut conn = state.connect().await?;
        if !delivery_take(&mut conn, &delivery, begun.plus(LEASE)).await? {
            return Ok(());
        }
        let webhook = webhook_fetch(&mut conn, whose.0, whose.1).await?;
        let sealed = webhook_secret(&mut conn, whose.0, whose.1).await?;
        (webhook.filter(|webhook| webhook.form.is_active), sealed)
    };
    let (Some(webhook), Some(sealed)) = (webhook, sealed) else {
        // It was switched off, or is gone, since this was looked for.
        return Ok(delivery_delete(&mut *state.connect().await?, delivery.id).await?);
    };
    let secret = match open(state, webhook.id, &sealed) {
        Ok(secret) => secret,
        Err(error) => {
            tracing::error!(?error, webhook = %webhook.id, "a message cannot be signed");
            return failed(state, &webhook, &delivery, NotTaken::Unsigned).await;
        }
    };
    let body = delivery.body.clone();
    let signed = Signed::new(delivery.id.to_string(), body, begun, &secret);
    match taken(state.outbound.post(&webhook.form.url, signed).await) {
        Ok(_) => {
            count("taken");
            let mut tx = state.db.begin().await?;
            // In this order, as whoever changes a webhook goes.
            webhook_delivered(&mut tx, webhook.id, state.now()).await?;
            delivery_delete(&mut tx, delivery.id).await?;
            Ok(tx.commit().await?)
        }
        Err(why) => failed(state, &webhook, &delivery, why).await,
    }
}

async fn failed(
    state: &AppState,
    webhook: &Webhook,
    delivery: &Delivery,
    why: NotTaken,
) -> ApiResult<()> {
    let now = state.now();
    let next = delivery.next_try(now);
    count(if next.is_some() { "later" } else { "never" });
    tracing::info!(%why, webhook = %webhook.id, delivery = %delivery.id, "a message was not taken");
    let known = {
        let mut tx = state.db.begin().await?;
        let text = why.to_string();
        webhook_failed(&mut tx, webhook.id, (now, text.as_str())).await?;
        match next {
            Some(next) => delivery_put_off(&mut tx, delivery.id, next).await?,
            None => delivery_delete(&mut tx, delivery.id).await?,
        }
        let known = webhook_fetch(&mut tx, webhook.organisation, webhook.id).await?;
        tx.commit().await?;
        known
    };
    // Who says that it is gone wants no more.
    let is_gone = why == NotTaken::Refused(GONE);
    match known {
        // Of the webhook that was called, and not of one that was changed meanwhile.
        Some(known)
            if known.revision == webhook.revision && (is_gone || known.health.is_hopeless(now)) =>
        {
            disable(state, &known, why).await
        }
        Some(_) | None => Ok(()),
    }
}

/// Switches a webhook off, of which its organisation is told.
async fn disable(state: &AppState, known: &Webhook, why: NotTaken) -> ApiResult<()> {
    let mut write = state.begin().await?;
    write
        .alone_over(Over::Organisation(known.organisation))
        .await?;
    let found = webhook_fetch(write.conn(), known.organisation, known.id).await?;
    // Somebody may have changed it at this moment.
    let Some(mut webhook) = found.filter(|found| found.revision == known.revision) else {
        return Ok(());
    };
    let before = webhook.members();
    let now = write.now();
    webhook.form.is_active = false;
    webhook.updated_at = now;
    webhook.revision = write.version_after(webhook.revision);
    webhook_update(write.conn(), &webhook).await?;
    delivery_delete_all(write.conn(), webhook.id).await?;
    let (host, why) = (webhook.form.url.host(), why.to_string());
    let named = (webhook.id, host.as_str());
    let notice = Notice::webhook_disabled(webhook.organisation, named, (&why, now));
    notification_insert(write.conn(), &notice, now).await?;
    let entry = Entry::updated(before, &webhook);
    write
        .commit(&state.fleets, &Actor::System.into(), entry)
        .await?;
    Ok(())
}

/// The webhooks that are sent a notification.
async fn wanting(
    conn: &mut sqlx::AnyConnection,
    told: &Notification,
) -> sqlx::Result<Vec<Webhook>> {
    let kind = told.notice.kind;
    let mut found = match told.notice.owner {
        Owner::Organisation(organisation) => webhook_active(conn, organisation).await?,
        Owner::System => webhook_active_everywhere(conn, kind).await?,
        Owner::User(_) => Vec::new(),
    };
    found.retain(|webhook| webhook.form.wants(kind));
    Ok(found)
}

fn count(outcome: &'static str) {
    metrics::counter!(DELIVERIES, "outcome" => outcome).increment(1);
}
