//! One request from head to record: the order of the checks.
//!
//! Total: every event has an answer in every phase, and what nobody foresaw is refused. A request
//! that waits, for its body or for the region server, is judged anew from its head when that has
//! come: there is one order of checks, and nothing half decided is kept but what was found in its body.

mod body;
mod call;
mod claims;
mod echo;
mod grant;
mod identify;
mod note;
mod outcome;
mod passage;
mod ports;
mod renewed;
mod request;
mod request_body;
mod response;
mod response_edit;
mod values;
mod weighed;
mod weighing;
mod whose;

use std::{rc::Rc, sync::Arc};

use self::{
    body::BodyPipe,
    echo::Echoed,
    grant::{Grant, Refused},
    outcome::Outcome,
    request::Verdict,
    weighing::Weighing,
};
pub use self::{
    body::ChunkDecision,
    echo::{BodySearch, PartSearched},
    note::CallNumber,
    ports::{Charging, Ports, Question},
    request_body::RequestBody,
    response_edit::ResponseEdit,
};
pub use crate::swap::{Edit, Renewed};
use crate::{
    admission::Admission,
    denial::{Denial, Refusal},
    effort::Turn,
    http::{RequestHead, ResponseHead},
    id::CredentialId,
    policy::Policy,
    record::RequestRecord,
};

/// Warns of a secret that the target repeated: in the head, as long as that can be said.
const ECHO_WARNING: &str = "secret-echo";

/// What the route says about the proxy of a request.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// A compiled policy.
    Proxy(Arc<Policy>),
    /// Who is let in; the rest of the policy is needed only for them.
    Admission(Arc<Admission>),
    /// No route: no such proxy.
    UnknownProxy,
    /// A route whose policy is of no use: it does not compile, or there are no keys.
    Fault,
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestDecision<'e> {
    /// Answer the caller; the target is not contacted.
    Refuse(Refusal),
    /// Hold the request until the rest of its policy is there, and ask an exchange that has it.
    NeedPolicy,
    /// Hold the head until the body is there, and ask again with it.
    NeedBody,
    /// Hold the request until the region server has answered, and ask again.
    Ask(Question),
    /// Make these changes, in order, and forward.
    Forward(Vec<Edit<'e>>),
    /// Make these, and hand it to the region server, whose answer passes as it is.
    HandOver(Vec<Edit<'e>>),
}

/// What to do with a response's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseDecision {
    /// Answer the caller in its place.
    Refuse(Refusal),
    /// Make these changes and pass it on; the body is used so.
    Forward(Vec<ResponseEdit>, BodyUse),
}

/// What the exchange does with a response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyUse {
    /// Nothing: it need not see it.
    Unused,
    /// It watches its length.
    Size,
    /// It reads it; every chunk passes as it is, or the response is cut.
    Bytes,
    /// It changes it. The head is held until the first chunk that is passed on.
    Rewrite,
}

/// One request. Feed it events, obey its decisions, and `finish` it for the record.
#[derive(Debug)]
pub struct Exchange {
    resolved: Resolved,
    phase: Phase,
    /// Of the request's body, once that is looked into in turns.
    weighing: Option<Weighing>,
    /// Once a response is searched.
    echoed: Option<Box<Echoed>>,
    outcome: Outcome,
}

/// How far the exchange is, with what exists then.
#[derive(Debug)]
enum Phase {
    /// With the credential that was presented, once the body is waited for.
    Undecided(Option<CredentialId>),
    /// The target was asked.
    Forwarded(Grant),
    /// The target's head was judged; none: nothing is done with its body.
    Answered(Grant, Option<Box<BodyPipe>>),
    /// The caller gets, or got, our answer.
    Refused(Refused),
}

impl Resolved {
    fn admission(&self) -> Option<&Arc<Admission>> {
        match self {
            Self::Proxy(policy) => Some(policy.admission()),
            Self::Admission(admission) => Some(admission),
            Self::UnknownProxy | Self::Fault => None,
        }
    }
}

impl Exchange {
    /// Starts with what the route says.
    pub fn new(resolved: Resolved) -> Self {
        Self {
            resolved,
            phase: Phase::Undecided(None),
            weighing: None,
            echoed: None,
            outcome: Outcome::default(),
        }
    }

    /// Who is let in, when that is known.
    pub fn admission(&self) -> Option<&Arc<Admission>> {
        self.resolved.admission()
    }

    /// Of a call that was forwarded and forgotten because it did not
    /// [await its response](Self::awaits_response). None: calls of this proxy are not forgotten.
    pub fn forgotten(resolved: Resolved) -> Option<Self> {
        let is_forgotten = !resolved.admission()?.inspects_responses;
        is_forgotten.then(|| Self {
            resolved,
            phase: Phase::Forwarded(Grant::forgotten()),
            weighing: None,
            echoed: None,
            outcome: Outcome::default(),
        })
    }

    /// Whether more of the response than its length may matter.
    pub fn inspects_responses(&self) -> bool {
        self.admission().is_some_and(|it| it.inspects_responses)
    }

    /// Whether the exchange has to be there when the response comes. If not,
    /// [`forgotten`](Self::forgotten) makes one that decides as well as this.
    pub fn awaits_response(&self) -> bool {
        match (&self.phase, &self.resolved) {
            (Phase::Forwarded(grant), Resolved::Proxy(policy)) => {
                // Who takes it up again does not know that it is HEAD, with a length of no body.
                policy.admission.inspects_responses || grant.guard.is_some() || grant.is_head
            }
            _ => true,
        }
    }

    /// Decides a request by its head and, once that is there, its body. Asked again after
    /// [`RequestDecision::NeedBody`] and [`RequestDecision::Ask`], with the same head.
    pub fn on_request<'e>(
        &'e mut self,
        head: &RequestHead<'_>,
        body: RequestBody<'_>,
        ports: &dyn Ports,
    ) -> RequestDecision<'e> {
        let weighed = self.weighing.as_ref().and_then(Weighing::weighed);
        let verdict = match &self.phase {
            Phase::Undecided(_) => request::judge(&self.resolved, (head, body), weighed, ports),
            Phase::Forwarded(grant) | Phase::Answered(grant, _) => {
                Verdict::Refuse(Refused::granted(grant, Denial::GatewayFault))
            }
            Phase::Refused(refused) => Verdict::Refuse(refused.clone()),
        };
        match verdict {
            Verdict::Forward(grant, edits) => {
                self.phase = Phase::Forwarded(grant);
                RequestDecision::Forward(edits)
            }
            Verdict::HandOver(grant, edits) => {
                self.phase = Phase::Forwarded(grant);
                RequestDecision::HandOver(edits)
            }
            Verdict::NeedPolicy => RequestDecision::NeedPolicy,
            Verdict::NeedBody(used) => {
                self.phase = Phase::Undecided(Some(used));
                RequestDecision::NeedBody
            }
            Verdict::Ask(question) => RequestDecision::Ask(question),
            Verdict::Refuse(refused) => {
                let refusal = refused.refusal.clone();
                self.phase = Phase::Refused(refused);
                RequestDecision::Refuse(refusal)
            }
        }
    }

    /// Looks into a request with its whole body as far as the turn goes. Says whether that is done:
    /// then [`on_request`](Self::on_request) decides by what was found.
    pub fn look_into(
        &mut self,
        head: &RequestHead<'_>,
        body: Rc<Vec<u8>>,
        (turn, ports): (&mut Turn, &dyn Ports),
    ) -> bool {
        self.weighing = Weighing::new(&self.resolved, (head, body), ports);
        self.look_on(turn)
    }

    /// Goes on with that.
    pub fn look_on(&mut self, turn: &mut Turn) -> bool {
        let weighing = self.weighing.as_mut();
        weighing.is_none_or(|weighing| weighing.go_on(turn))
    }

    /// Says whether a request's body of so many bytes, or more to come, can still be looked into.
    pub fn on_request_body_size(&mut self, bytes: usize) -> Result<(), Refusal> {
        let limit = match &self.resolved {
            Resolved::Proxy(policy) => policy.max_inspected_bytes.get(),
            Resolved::Admission(_) | Resolved::UnknownProxy | Resolved::Fault => 0,
        };
        if u64::try_from(bytes).is_ok_and(|bytes| bytes <= limit) {
            return Ok(());
        }
        let refused = Refused::unknown(Denial::RequestTooLarge);
        let refusal = refused.refusal.clone();
        self.phase = Phase::Refused(refused);
        Err(refusal)
    }

    /// Decides a response's head; `is_end` when no body follows. Refusals may come by here as
    /// well, ours and those that Envoy makes before it shows us a request, and pass.
    pub fn on_response_head(
        &mut self,
        head: &dyn ResponseHead,
        is_end: bool,
        ports: &dyn Ports,
    ) -> ResponseDecision {
        let pass = || ResponseDecision::Forward(Vec::new(), BodyUse::Unused);
        let refused = match (&self.phase, &self.resolved) {
            (Phase::Forwarded(grant), Resolved::Proxy(policy)) => {
                let counting = (ports, &mut self.outcome);
                match echo::judge(policy, grant, (head, is_end), counting) {
                    Ok((edits, pipe, echoed)) => {
                        let grant = grant.clone();
                        self.echoed = echoed;
                        return self.pass_head(grant, edits, pipe);
                    }
                    Err(denial) => Refused::granted(grant, denial),
                }
            }
            (Phase::Forwarded(grant), Resolved::Admission(admission)) => {
                let max = admission.max_response_bytes.get();
                let holder = grant.holder(admission);
                match response::judge_length((max, holder), (head, is_end)) {
                    Ok(pipe) => return self.pass_head(grant.clone(), Vec::new(), pipe),
                    Err(denial) => Refused::granted(grant, denial),
                }
            }
            (Phase::Refused(_), _) => return pass(),
            (Phase::Forwarded(grant) | Phase::Answered(grant, _), _) => {
                Refused::granted(grant, Denial::GatewayFault)
            }
            (Phase::Undecided(_), _) if response::is_envoys_refusal(head) => {
                // Envoy's own 400, 408 and 431 come to the response side without a request.
                self.phase = Phase::Refused(Refused::unknown(Denial::BadRequest));
                return pass();
            }
            (Phase::Undecided(_), _) => Refused::unknown(Denial::GatewayFault),
        };
        let refusal = refused.refusal.clone();
        self.phase = Phase::Refused(refused);
        ResponseDecision::Refuse(refusal)
    }

    fn pass_head(
        &mut self,
        grant: Grant,
        edits: Vec<ResponseEdit>,
        pipe: Option<BodyPipe>,
    ) -> ResponseDecision {
        let body_use = pipe.as_ref().map_or(BodyUse::Unused, BodyPipe::body_use);
        self.phase = Phase::Answered(grant, pipe.map(Box::new));
        ResponseDecision::Forward(edits, body_use)
    }

    /// Decides a chunk of which only the length is known.
    pub fn on_response_size(&mut self, bytes: usize) -> ChunkDecision {
        match &mut self.phase {
            Phase::Answered(_, Some(pipe)) => pipe.on_size(bytes),
            Phase::Undecided(_)
            | Phase::Forwarded(_)
            | Phase::Answered(_, None)
            | Phase::Refused(_) => ChunkDecision::Cut,
        }
    }

    /// Decides a chunk of the body as far as the turn goes; `is_end` when it is the last.
    pub fn on_response_chunk(
        &mut self,
        chunk: (&[u8], bool),
        turn: &mut Turn,
        ports: &dyn Ports,
    ) -> ChunkDecision {
        self.on_response(|pipe| pipe.on_chunk(chunk, turn), ports)
    }

    /// Goes on after [`ChunkDecision::Later`].
    pub fn on_turn(&mut self, turn: &mut Turn, ports: &dyn Ports) -> ChunkDecision {
        self.on_response(|pipe| pipe.on_turn(turn), ports)
    }

    fn on_response(
        &mut self,
        work: impl FnOnce(&mut BodyPipe) -> ChunkDecision,
        ports: &dyn Ports,
    ) -> ChunkDecision {
        let (Phase::Answered(grant, Some(pipe)), Resolved::Proxy(policy)) =
            (&mut self.phase, &self.resolved)
        else {
            return ChunkDecision::Cut;
        };
        let decision = work(pipe);
        let is_over = match decision {
            ChunkDecision::Refuse(_) | ChunkDecision::Cut => true,
            ChunkDecision::Later => false,
            ChunkDecision::Pass | ChunkDecision::Replace(..) | ChunkDecision::Wait => pipe.is_end(),
        };
        // Not left to the end of the call, of which nobody tells the filter.
        if is_over {
            pipe.settle(policy, (ports, &mut self.outcome));
        }
        let is_refused = matches!(decision, ChunkDecision::Refuse(_));
        // Of what is replaced nothing passed.
        if is_over && !is_refused {
            self.outcome.redacted(grant.layers, &pipe.removed());
        }
        if let ChunkDecision::Refuse(refusal) = &decision {
            self.phase = Phase::Refused(Refused::granted(grant, refusal.clone()));
        }
        decision
    }

    /// Ends the exchange, however far it came: a response that was cut short is counted for what
    /// passed. An exchange has exactly one record.
    pub fn finish(mut self, ports: &dyn Ports) -> RequestRecord {
        let admission = self.resolved.admission();
        let proxy = admission.map(|admission| (admission.organisation, admission.names.id));
        if let (Phase::Answered(_, Some(pipe)), Resolved::Proxy(policy)) =
            (&mut self.phase, &self.resolved)
        {
            pipe.settle(policy, (ports, &mut self.outcome));
        }
        let (credential, denial) = match self.phase {
            Phase::Undecided(_) => (None, None),
            Phase::Forwarded(grant) | Phase::Answered(grant, _) => (grant.credential, None),
            Phase::Refused(refused) => (refused.credential, Some(refused.refusal.denial)),
        };
        RequestRecord {
            proxy,
            credential,
            denial,
        }
    }
}

#[cfg(test)]
mod tests;
