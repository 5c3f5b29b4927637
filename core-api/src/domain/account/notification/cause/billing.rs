//! What is told of balances.

use super::{Kind, Notice, Owner};
use crate::domain::id::OrganisationId;
use crate::domain::moment::Moment;

impl Notice {
    /// Little is left of what an organisation paid, since then.
    #[must_use]
    pub fn billing_low(organisation: OrganisationId, since: Moment) -> Self {
        let title = "The balance is low".to_owned();
        let message =
            "Calls end with 402 when nothing is left. Pay in advance for more.".to_owned();
        Self::of_billing(organisation, Kind::BillingLow, (title, message), since)
    }

    /// Nothing is left of what an organisation paid, since then.
    #[must_use]
    pub fn billing_suspended(organisation: OrganisationId, since: Moment) -> Self {
        let title = "Calls are suspended".to_owned();
        let message = "Nothing is left of what was paid. Callers get 402 until more is.".to_owned();
        Self::of_billing(
            organisation,
            Kind::BillingSuspended,
            (title, message),
            since,
        )
    }

    fn of_billing(
        organisation: OrganisationId,
        kind: Kind,
        words: (String, String),
        since: Moment,
    ) -> Self {
        let owner = Owner::Organisation(organisation);
        Self::new(owner, kind, words, &format!("{organisation}:{since}")).for_managers()
    }
}
