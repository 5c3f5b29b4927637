//! A call whose whole body is there, and is looked into in turns: at once as far as its organisation
//! has something to spend, and then from the queue. Envoy holds the call meanwhile.

use std::rc::Rc;

use requestrocket_policy::{
    denial::Denial, effort::Turn, exchange::Exchange, http::RequestHead, id::OrganisationId,
};

use super::{Call, CallPorts, Flow, Progress, Shared, response::Turned, waiting::Waiting};
use crate::host::{Host, HostFailure};

impl Call {
    pub(super) fn judge_with_body(
        &mut self,
        host: &impl Host,
        shared: &Shared,
        mut waiting: Waiting,
    ) -> Flow {
        match waiting.look(host, shared) {
            Ok(Looked::All) => self.judge(host, shared, waiting),
            Ok(Looked::Some(organisation)) => {
                // Of a request no valve holds anything back: Envoy holds the call itself.
                shared.turns.queue(organisation, self.stream, self.stream);
                self.wait(waiting, Flow::AwaitAnswer)
            }
            Err(denial) => self.refuse_judged(host, shared, &waiting, &denial.into()),
        }
    }

    /// It is this call's turn to have its request looked into. None: that is done, or was never to
    /// be.
    pub(super) fn on_request_turn(
        &mut self,
        host: &impl Host,
        shared: &Shared,
        turn: &mut Turn,
    ) -> Option<Turned> {
        let Progress::Waiting(waiting) = &mut self.progress else {
            return None;
        };
        if !waiting.exchange.as_mut()?.look_on(turn) {
            return Some(Turned::Waits);
        }
        let waiting = self.take_waiting()?;
        match self.judge(host, shared, waiting) {
            Flow::Continue => Some(Turned::Forwarded),
            Flow::AwaitBody
            | Flow::AwaitAnswer
            | Flow::Held
            | Flow::HeldBack
            | Flow::Dropped
            | Flow::Ended => Some(Turned::Over),
        }
    }
}

/// How far a body was looked into.
enum Looked {
    /// To its end.
    All,
    /// The rest is for the turns of that organisation.
    Some(OrganisationId),
}

impl Waiting {
    /// Reads the body and looks into it as far as the call's organisation may now.
    fn look(&mut self, host: &impl Host, shared: &Shared) -> Result<Looked, Denial> {
        let organisation = self.exchange.as_ref().and_then(Exchange::organisation);
        let organisation = organisation.ok_or(Denial::GatewayFault)?;
        self.read_body(host)?;
        // All of it is there: what it waits for now is us, which does not make it late.
        self.body_since_ms = None;
        let is_done = self.look_at_once(host, shared, organisation);
        if is_done.map_err(|HostFailure| Denial::GatewayFault)? {
            Ok(Looked::All)
        } else {
            Ok(Looked::Some(organisation))
        }
    }

    /// Says whether that is done.
    fn look_at_once(
        &mut self,
        host: &impl Host,
        shared: &Shared,
        organisation: OrganisationId,
    ) -> Result<bool, HostFailure> {
        let lines = self.headers.lines()?;
        let (Some(exchange), Some(body)) = (&mut self.exchange, &self.body) else {
            return Err(HostFailure);
        };
        let ports = CallPorts::new(host, &shared.counters, self.inquiry)
            .knowing(&shared.tokens, &shared.opaque);
        let head = RequestHead::new(&lines).delivering(self.delivery.as_ref());
        Ok(shared.turns.at_once(organisation, host, |turn| {
            exchange.look_into(&head, Rc::clone(body), (turn, &ports))
        }))
    }
}
