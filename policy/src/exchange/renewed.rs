//! A token that the target of a call does not take: the region may have obtained another, and the
//! call is then sent once more, with that.

use std::sync::Arc;

use super::{Exchange, Phase, Resolved};
use crate::{
    compile::upstream::compile_injections,
    echo::Guard,
    policy::Policy,
    renewal::{self, Obtained, Renewable},
    swap::Renewed,
};

impl Exchange {
    /// The token that the call carries, as long as its target has not answered, if the region may
    /// obtain another one for it.
    pub fn renewable(&self) -> Option<Obtained> {
        let Phase::Forwarded(grant) = &self.phase else {
            return None;
        };
        // What responses are not searched for is not put on requests a second time.
        grant.guard.as_ref()?;
        Some(self.carried()?.token)
    }

    /// The token that the call carries, if the head of the response says that it was not taken.
    pub fn refused_token(&self) -> Option<Obtained> {
        let status = self.echoed.as_deref()?.status?;
        let carried = self.carried()?;
        let is_refused = carried.statuses.contains(&status);
        is_refused.then_some(carried.token)
    }

    /// Takes the region's answer: what goes on the request, which has this `:path`, in the place of
    /// the token that was refused. None: nothing does.
    pub fn renew(&mut self, answer: &[u8], path: &[u8]) -> Option<Renewed> {
        let injections = renewal::injections(answer)?;
        let Obtained {
            credential,
            version,
            serves_until_ms: _,
        } = self.renewable()?;
        let admission = self.policy()?.admission();
        // Envelopes are bound to credential and version: no other's value opens here.
        let opened = compile_injections(injections, (credential, version), admission).ok()?;
        let Phase::Forwarded(grant) = &mut self.phase else {
            return None;
        };
        // The response is to the second token, but it may repeat the first.
        let searched = grant.guard.as_deref().map(Guard::values);
        let searched = [searched.unwrap_or_default(), &opened.echoed].concat();
        grant.guard = Guard::of(searched).map(Arc::new);
        Some(Renewed::new(path, opened.headers, &opened.query))
    }

    fn carried(&self) -> Option<&Renewable> {
        self.policy()?.upstream.as_ref()?.renewable.as_ref()
    }

    fn policy(&self) -> Option<&Policy> {
        match &self.resolved {
            Resolved::Proxy(policy) => Some(policy),
            Resolved::Admission(_) | Resolved::UnknownProxy | Resolved::Fault => None,
        }
    }
}
