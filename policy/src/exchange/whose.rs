//! Whose call it is.

use super::{Exchange, Phase};
use crate::{id::OrganisationId, shares::Holder};

impl Exchange {
    /// Whose proxy it is about, if there is one.
    pub fn organisation(&self) -> Option<OrganisationId> {
        self.admission().map(|admission| admission.organisation)
    }

    /// Who takes what the call takes, once it is known who calls.
    pub fn holder(&self) -> Option<Holder> {
        let used = match &self.phase {
            Phase::Undecided(used) => Some((*used)?),
            Phase::Forwarded(grant) | Phase::Answered(grant, _) => {
                grant.credential.map(|(credential, _)| credential)
            }
            Phase::Refused(_) => None,
        };
        Some(self.admission()?.holder(used))
    }
}
