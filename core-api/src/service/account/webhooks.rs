//! Making, changing and trying webhooks.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::domain::account::audit::{Entry, Subject as _};
use crate::domain::account::webhook::{
    HookSecret, Message, Signed, Webhook, WebhookForm, WebhookHealth,
};
use crate::domain::id::{DeliveryId, WebhookId};
use crate::error::{ApiError, ApiResult, id};
use crate::identity::caller::Scope;
use crate::outbound::Unreached;
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::account::webhook::{
    webhook_delete, webhook_fetch, webhook_insert, webhook_secret, webhook_update,
};
use crate::store::account::webhook_delivery::delivery_delete_all;
use crate::store::log::write::{Done, Over};
use requestrocket_policy::form::problem::Problems;

/// A message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// There was no answer.
    #[error(transparent)]
    Unreached(#[from] Unreached),
    /// The answer has a status that says no.
    #[error("answered {0}")]
    Refused(u16),
    /// Its secret does not open.
    #[error("cannot be signed, because the key of the store is another")]
    Unsigned,
}

/// A receiver takes a message by an answer of success alone; one that leads elsewhere is none.
///
/// # Errors
/// There is no such answer.
pub(super) fn taken(answer: Result<u16, Unreached>) -> Result<u16, NotTaken> {
    let status = answer?;
    if (200..300).contains(&status) {
        return Ok(status);
    }
    Err(NotTaken::Refused(status))
}

/// Adds a webhook; its secret, as it is shown, is only in the answer.
///
/// # Errors
/// The organisation has too many, or the machine gives no randomness.
pub async fn create(
    change: &Change,
    scope: &Scope,
    form: WebhookForm,
) -> ApiResult<(Webhook, Zeroizing<String>, Done)> {
    let secret = HookSecret::generate().map_err(ApiError::internal)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let counted = Counted::Webhooks(scope.id());
    ceiling::check(&change.state, &mut write, counted).await?;
    let webhook = Webhook {
        id: WebhookId::random(),
        organisation: scope.id(),
        form,
        health: WebhookHealth::default(),
        created_at: write.now(),
        updated_at: write.now(),
        created_by: scope.actor.clone(),
        revision: write.version_after(0),
    };
    let sealed = change
        .state
        .store_key()?
        .seal(&purpose(webhook.id), secret.expose());
    let sealed = sealed.map_err(ApiError::internal)?;
    webhook_insert(write.conn(), &webhook, &sealed).await?;
    let done = change.commit(write, Entry::created(&webhook)).await?;
    Ok((webhook, secret.shown(), done))
}

/// Changes a webhook to what `read` makes of its present state. One that is switched off loses what
/// waits for it.
///
/// # Errors
/// There is no such webhook, `If-Match` names another version, or `read` found problems.
pub async fn update(
    change: &Change,
    scope: &Scope,
    webhook: &str,
    read: impl FnOnce(&Webhook) -> Result<WebhookForm, Problems>,
) -> ApiResult<(Webhook, Done)> {
    let webhook: WebhookId = id(webhook)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = webhook_fetch(write.conn(), scope.id(), webhook).await?;
    let mut webhook = found.ok_or_else(ApiError::not_found)?;
    change.expects(webhook.revision)?;
    let form = read(&webhook)?;
    let before = webhook.members();
    if !webhook.form.is_sent_alike(&form) {
        webhook.health = WebhookHealth::default();
    }
    webhook.form = form;
    webhook.updated_at = write.now();
    webhook.revision = write.version_after(webhook.revision);
    webhook_update(write.conn(), &webhook).await?;
    if !webhook.form.is_active {
        delivery_delete_all(write.conn(), webhook.id).await?;
    }
    let entry = Entry::updated(before, &webhook);
    let done = change.commit(write, entry).await?;
    Ok((webhook, done))
}

/// Deletes a webhook with what waits for it.
///
/// # Errors
/// There is no such webhook, or it is another version.
pub async fn delete(change: &Change, scope: &Scope, webhook: &str) -> ApiResult<Done> {
    let webhook: WebhookId = id(webhook)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = webhook_fetch(write.conn(), scope.id(), webhook).await?;
    let webhook = found.ok_or_else(ApiError::not_found)?;
    change.expects(webhook.revision)?;
    webhook_delete(write.conn(), scope.id(), webhook.id).await?;
    Ok(change.commit(write, Entry::deleted(&webhook)).await?)
}

/// Sends a webhook a message that tells nothing, once; says whether it was taken, and how long that
/// took.
///
/// # Errors
/// It is gone, its secret does not open, or too many are tried at once.
pub async fn test(
    state: &AppState,
    webhook: Webhook,
) -> ApiResult<(Result<u16, NotTaken>, Duration)> {
    let organisation = webhook.organisation;
    let sealed = webhook_secret(&mut *state.connect().await?, organisation, webhook.id).await?;
    let secret = open(state, webhook.id, &sealed.ok_or_else(ApiError::not_found)?)?;
    let body = Message::trial(webhook.id, state.now()).into_body();
    let signed = Signed::new(DeliveryId::random().to_string(), body, state.now(), &secret);
    let held = state.hook_trials.hold(&organisation.to_string()).await?;
    let began = tokio::time::Instant::now();
    let answer = state.outbound.post(&webhook.form.url, signed).await;
    drop(held);
    Ok((taken(answer), began.elapsed()))
}

/// Opens what messages to a webhook are signed with.
///
/// # Errors
/// It was sealed under another key than `pki/store.key`.
pub(super) fn open(state: &AppState, webhook: WebhookId, sealed: &str) -> ApiResult<HookSecret> {
    let opened = state.store_key()?.open(&purpose(webhook), sealed);
    HookSecret::parse(opened.map_err(ApiError::internal)?).map_err(ApiError::internal)
}

/// What a secret is sealed for.
fn purpose(webhook: WebhookId) -> String {
    format!("webhook:{webhook}")
}
