//! What is told of webhooks.

use super::{Kind, Notice, Owner};
use crate::domain::id::{OrganisationId, WebhookId};
use crate::domain::moment::Moment;

impl Notice {
    /// A webhook at that host is sent nothing more, since then.
    #[must_use]
    pub fn webhook_disabled(
        organisation: OrganisationId,
        (webhook, host): (WebhookId, &str),
        (why, at): (&str, Moment),
    ) -> Self {
        let title = format!("Webhook at {host} is switched off");
        let message = format!(
            "The last message to it was not taken: {why}. Switch it on again by `webhookActive`."
        );
        let owner = Owner::Organisation(organisation);
        let cause = format!("{webhook}:{at}");
        Self::new(owner, Kind::WebhookDisabled, (title, message), &cause)
            .about("webhook", &webhook)
            .for_managers()
    }
}
