//! What an exchange tells of its call for the usage.

use super::super::{Exchange, Phase};
use crate::{
    denial::Denial,
    usage::{Of, Outcome, Share},
};

impl Exchange {
    /// Whose call was decided, and how; none where no caller is known, or something else than rules
    /// and limits refused it.
    pub fn usage(&self) -> Option<(Share, Outcome)> {
        let admission = self.admission()?;
        let (used, outcome) = match &self.phase {
            Phase::Undecided(_) => return None,
            Phase::Forwarded(grant) if grant.is_question => return None,
            Phase::Forwarded(grant) | Phase::Answered(grant, _) => {
                (grant.credential?, Outcome::Admitted)
            }
            Phase::Refused(refused) => match refused.refusal.denial {
                Denial::RuleDenied | Denial::RateLimited => (refused.credential?, Outcome::Refused),
                Denial::PathAmbiguous
                | Denial::BadRequest
                | Denial::RequestTimeout
                | Denial::HeadersTooLarge
                | Denial::MethodNotAllowed
                | Denial::CredentialMissing
                | Denial::CredentialInvalid
                | Denial::OriginNotAllowed
                | Denial::ProxyInactive
                | Denial::BillingSuspended
                | Denial::ProxyIncomplete
                | Denial::TargetCredentialUnavailable
                | Denial::RequestTooLarge
                | Denial::ResponseTooLarge
                | Denial::ResponseNotFilterable
                | Denial::TargetUnreachable
                | Denial::AddressNotAllowed
                | Denial::TargetTimeout
                | Denial::CredentialCheckUnavailable
                | Denial::Overloaded
                | Denial::Asynchronous(_)
                | Denial::GatewayFault => return None,
            },
        };
        let share = Share {
            organisation: admission.organisation,
            proxy: admission.names.id,
            of: Of::Credential(used.0),
        };
        Some((share, outcome))
    }
}
