//! One request from head to record: the order of the checks.
//!
//! Total: every event has an answer in every phase, and what nobody foresaw is refused.

mod request;
mod response;

use std::sync::Arc;

use self::request::{Refused, UsedCredential};
pub use crate::swap::Edit;
use crate::{
    denial::Denial,
    http::{RequestHead, ResponseHead},
    policy::Policy,
    record::RequestRecord,
};

/// What the route says about the proxy of a request.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// A compiled policy.
    Proxy(Arc<Policy>),
    /// No route: no such proxy.
    UnknownProxy,
    /// A route whose policy is of no use: it does not compile, or there are no keys.
    Fault,
}

/// What to do with a request's head.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestDecision<'e> {
    /// Answer the caller; the target is not contacted.
    Refuse(Denial),
    /// Make these changes, in order, and forward.
    Forward(Vec<Edit<'e>>),
}

/// What to do with a response's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseDecision {
    /// Pass it on as it is.
    PassThrough,
    /// Answer the caller in its place.
    Refuse(Denial),
}

/// One request. Feed it events, obey its decisions, and `finish` it for the record.
#[derive(Debug)]
pub struct Exchange {
    resolved: Resolved,
    phase: Phase,
}

/// How far the exchange is, with what exists then.
#[derive(Debug)]
enum Phase {
    AwaitingHead,
    /// The target was asked.
    Forwarded(Grant),
    /// The target's head went to the caller.
    Answered(Grant),
    /// The caller gets, or got, our answer.
    Refused(Refused),
}

/// A call that was let through.
#[derive(Clone, Copy, Debug)]
struct Grant {
    credential: UsedCredential,
    /// The answer has no body, whatever its length says.
    is_head: bool,
}

impl Exchange {
    /// Starts with what the route says.
    pub fn new(resolved: Resolved) -> Self {
        Self {
            resolved,
            phase: Phase::AwaitingHead,
        }
    }

    /// Decides a request's head.
    ///
    /// `now_ms` (Unix time) is asked for at most once, and only when the presented credential is
    /// one that expires.
    pub fn on_request_head<'e>(
        &'e mut self,
        head: &RequestHead<'_>,
        now_ms: &dyn Fn() -> u64,
    ) -> RequestDecision<'e> {
        let verdict = match &self.phase {
            Phase::AwaitingHead => request::judge(&self.resolved, head, now_ms),
            Phase::Forwarded(grant) | Phase::Answered(grant) => {
                Err(Refused::granted(*grant, Denial::GatewayFault))
            }
            Phase::Refused(refused) => Err(*refused),
        };
        match verdict {
            Ok((grant, edits)) => {
                self.phase = Phase::Forwarded(grant);
                RequestDecision::Forward(edits)
            }
            Err(refused) => {
                self.phase = Phase::Refused(refused);
                RequestDecision::Refuse(refused.denial)
            }
        }
    }

    /// Decides a response's head. Refusals may come by here as well, ours and those that Envoy
    /// makes before it shows us a request, and pass.
    pub fn on_response_head(&mut self, head: &dyn ResponseHead) -> ResponseDecision {
        let (phase, decision) = match (&self.phase, &self.resolved) {
            (Phase::Forwarded(grant), Resolved::Proxy(policy)) => {
                match response::judge(policy, grant.is_head, head) {
                    Ok(()) => (Phase::Answered(*grant), ResponseDecision::PassThrough),
                    Err(denial) => refuse(Refused::granted(*grant, denial)),
                }
            }
            (Phase::Refused(_), _) => return ResponseDecision::PassThrough,
            (Phase::Forwarded(grant) | Phase::Answered(grant), _) => {
                refuse(Refused::granted(*grant, Denial::GatewayFault))
            }
            (Phase::AwaitingHead, _) if response::is_envoys_refusal(head) => {
                let refused = Refused::unknown(Denial::BadRequest);
                (Phase::Refused(refused), ResponseDecision::PassThrough)
            }
            (Phase::AwaitingHead, _) => refuse(Refused::unknown(Denial::GatewayFault)),
        };
        self.phase = phase;
        decision
    }

    /// Ends the exchange, however far it came. An exchange has exactly one record.
    pub fn finish(self) -> RequestRecord {
        let proxy = match &self.resolved {
            Resolved::Proxy(policy) => Some((policy.organisation, policy.names.id)),
            Resolved::UnknownProxy | Resolved::Fault => None,
        };
        let (credential, denial) = match self.phase {
            Phase::AwaitingHead => (None, None),
            Phase::Forwarded(grant) | Phase::Answered(grant) => (Some(grant.credential), None),
            Phase::Refused(refused) => (refused.credential, Some(refused.denial)),
        };
        RequestRecord {
            proxy,
            credential,
            denial,
        }
    }
}

fn refuse(refused: Refused) -> (Phase, ResponseDecision) {
    (
        Phase::Refused(refused),
        ResponseDecision::Refuse(refused.denial),
    )
}

#[cfg(test)]
mod tests;
