//! Webhooks: URLs at which an organisation is told of what people are told of.

mod message;
mod secret;
mod url;

use std::time::Duration;

use super::notification::{Kind, Told};
use crate::domain::id::{DeliveryId, OrganisationId, WebhookId};
use crate::domain::moment::Moment;

pub use self::message::{Message, Signed};
pub use self::secret::{HookSecret, InvalidHookSecret};
pub use self::url::HookUrl;

/// A message is sent no more often.
pub const ATTEMPTS: u64 = 8;
/// Waits between attempts: all of them within a day.
const WAITS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(8),
    Duration::from_hours(8),
];
/// A webhook that has taken nothing for so long is sent nothing more.
const PATIENCE: Duration = Duration::from_hours(5 * 24);

/// What may be changed of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookForm {
    /// Where messages are sent.
    pub url: HookUrl,
    /// Of what it is told; none: of all that its organisation is told of.
    pub kinds: Option<Vec<Kind>>,
    /// Whether anything is sent.
    pub is_active: bool,
}

/// How sending goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookHealth {
    /// When a message was taken last.
    pub delivered_at: Option<Moment>,
    /// Since when none was.
    pub failing_since: Option<Moment>,
    /// Why the last one was not.
    pub error: Option<String>,
}

/// A URL at which an organisation is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// What paths name it by.
    pub id: WebhookId,
    /// Whose.
    pub organisation: OrganisationId,
    /// What may be changed.
    pub form: WebhookForm,
    /// How sending goes.
    pub health: WebhookHealth,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
    /// Who made it.
    pub created_by: String,
    /// Its version.
    pub revision: u64,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What its receiver knows it by, each time.
    pub id: DeliveryId,
    /// To which webhook.
    pub webhook: WebhookId,
    /// Of whom.
    pub organisation: OrganisationId,
    /// JSON.
    pub body: String,
    /// When it may be sent.
    pub due_at: Moment,
    /// How often it was.
    pub attempts: u64,
}

impl WebhookForm {
    /// Whether a notification of `kind` is sent, to an organisation or to everybody.
    #[must_use]
    pub fn wants(&self, kind: Kind) -> bool {
        match &self.kinds {
            Some(kinds) => kinds.contains(&kind),
            None => kind.told() == Told::Organisations,
        }
    }

    /// Whether what is known of how sending goes holds for the changed one.
    #[must_use]
    pub fn is_sent_alike(&self, changed: &Self) -> bool {
        self.url == changed.url && (self.is_active || !changed.is_active)
    }
}

impl WebhookHealth {
    /// Nothing was sent yet.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it has taken nothing for too long.
    #[must_use]
    pub fn is_hopeless(&self, now: Moment) -> bool {
        let since = self.failing_since;
        since.is_some_and(|since| since.plus(PATIENCE) <= now)
    }
}

impl Delivery {
    /// When it is sent again if this attempt, begun now, comes to nothing; none: never.
    #[must_use]
    pub fn next_try(&self, now: Moment) -> Option<Moment> {
        let place = usize::try_from(self.attempts).ok()?;
        WAITS.get(place).map(|wait| now.plus(*wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_sent_eight_times_within_a_day() {
        let mut now: Moment = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut delivery = Delivery {
            id: DeliveryId::random(),
            webhook: WebhookId::random(),
            organisation: OrganisationId::random(),
            body: String::new(),
            due_at: now,
            attempts: 0,
        };
        let begin = now;
        let mut attempts = 1;
        while let Some(next) = delivery.next_try(now) {
            assert!(next > now);
            now = next;
            delivery.attempts += 1;
            attempts += 1;
        }
        assert_eq!(attempts, ATTEMPTS);
        let hours = (now.get() - begin.get()).whole_hours();
        assert_eq!(hours, 23);
    }

    #[test]
    fn without_kinds_all_is_sent_that_the_organisation_is_told_of() {
        let form = |kinds| WebhookForm {
            url: HookUrl::stored("https://a.example".to_owned()),
            kinds,
            is_active: true,
        };
        let (all, some) = (form(None), form(Some(vec![Kind::Announcement])));
        for (kind, by_all, by_some) in [
            (Kind::MeterExceeded, true, false),
            (Kind::Announcement, false, true),
            (Kind::SignInNewDevice, false, false),
        ] {
            assert_eq!(
                (all.wants(kind), some.wants(kind)),
                (by_all, by_some),
                "{kind:?}"
            );
        }
    }
}
