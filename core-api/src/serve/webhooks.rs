//! Sends messages to webhooks, so that their receivers have them within seconds.
//!
//! Invariant: a receiver that does not answer holds few places, and none of other organisations.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::task::JoinSet;

use super::rounds::Rounds;
use crate::domain::account::webhook::Delivery;
use crate::domain::id::{DeliveryId, OrganisationId, WebhookId};
use crate::error::ApiResult;
use crate::service::account::deliveries::{collect, due, send};
use crate::state::AppState;

const EVERY: Duration = Duration::from_secs(1);
/// Messages that are sent at the same time: to all, of an organisation, to a webhook.
const ALL: usize = 256;
const OF_ONE: usize = 8;
const TO_ONE: usize = 2;

/// Whose messages are being sent.
#[derive(Debug, Default)]
struct Crowd {
    messages: HashSet<DeliveryId>,
    organisations: HashMap<OrganisationId, usize>,
    webhooks: HashMap<WebhookId, usize>,
}

/// A message that has a place, to which webhook of whom.
type Place = (DeliveryId, OrganisationId, WebhookId);

/// Runs until the process is to stop, which cuts what is being sent: it is sent again. A store that does
/// not answer is asked again the next time.
pub(super) async fn run(state: AppState) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(EVERY, state.tasks.stopping());
    let (mut sending, mut crowd) = (JoinSet::new(), Crowd::default());
    loop {
        tokio::select! {
            goes_on = rounds.next() => {
                if !goes_on {
                    return Ok(());
                }
                if let Err(error) = collect(&state).await {
                    tracing::warn!(?error, "messages to webhooks wait");
                }
            }
            Some(ended) = sending.join_next() => {
                // A task ends with a panic only by a defect of ours, which ends the process as elsewhere.
                crowd.leave(ended?);
            }
        }
        if let Err(error) = begin(&state, &mut sending, &mut crowd).await {
            tracing::warn!(?error, "messages to webhooks wait");
        }
    }
}

/// Begins to send what is due and has a place.
async fn begin(state: &AppState, sending: &mut JoinSet<Place>, crowd: &mut Crowd) -> ApiResult<()> {
    let each = i64::try_from(TO_ONE).unwrap_or(1);
    for delivery in due(state, each).await? {
        let place = (delivery.id, delivery.organisation, delivery.webhook);
        if crowd.enter(place) {
            sending.spawn(send_one(state.clone(), delivery, place));
        }
    }
    Ok(())
}

async fn send_one(state: AppState, delivery: Delivery, place: Place) -> Place {
    let id = delivery.id;
    if let Err(error) = send(&state, delivery).await {
        tracing::error!(?error, delivery = %id, "a message to a webhook waits");
    }
    place
}

impl Crowd {
    /// Takes a place; false: there is none, or the message has one.
    fn enter(&mut self, (message, organisation, webhook): Place) -> bool {
        let of = self.organisations.entry(organisation).or_default();
        let to = self.webhooks.entry(webhook).or_default();
        let is_full = self.messages.len() >= ALL || *of >= OF_ONE || *to >= TO_ONE;
        if is_full || !self.messages.insert(message) {
            return false;
        }
        (*of, *to) = (of.saturating_add(1), to.saturating_add(1));
        true
    }

    /// Gives a place back.
    fn leave(&mut self, (message, organisation, webhook): Place) {
        self.messages.remove(&message);
        if let Some(of) = self.organisations.get_mut(&organisation) {
            *of = of.saturating_sub(1);
        }
        if let Some(to) = self.webhooks.get_mut(&webhook) {
            *to = to.saturating_sub(1);
        }
        self.organisations.retain(|_, count| *count > 0);
        self.webhooks.retain(|_, count| *count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_places() {
        let mut crowd = Crowd::default();
        let (one, other) = (OrganisationId::random(), OrganisationId::random());
        let (slow, message) = (WebhookId::random(), DeliveryId::random);
        let held = (message(), one, slow);
        assert!(crowd.enter(held));
        assert!(!crowd.enter(held), "it has a place");
        let taken = (0..9).filter(|_| crowd.enter((message(), one, slow)));
        assert_eq!(taken.count(), TO_ONE - 1);
        let others = |_: &i32| crowd.enter((message(), one, WebhookId::random()));
        assert_eq!((0..99).filter(others).count(), OF_ONE - TO_ONE);
        assert!(crowd.enter((message(), other, WebhookId::random())));
        crowd.leave(held);
        let next = (message(), one, slow);
        assert!(crowd.enter(next));
        let before = (crowd.messages.len(), crowd.webhooks.len());
        crowd.leave(next);
        assert_eq!(crowd.messages.len(), before.0 - 1);
        let all = (0..999).filter(|_| {
            let place = (message(), OrganisationId::random(), WebhookId::random());
            crowd.enter(place)
        });
        assert_eq!(all.count(), ALL - before.0 + 1);
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let mut crowd = Crowd::default();
        let place = (
            DeliveryId::random(),
            OrganisationId::random(),
            WebhookId::random(),
        );
        crowd.enter(place);
        crowd.leave(place);
        assert!(crowd.messages.is_empty());
        assert!(crowd.organisations.is_empty() && crowd.webhooks.is_empty());
    }
}
