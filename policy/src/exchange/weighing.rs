//! Weighing a request with its whole body, in turns.

use std::{rc::Rc, sync::Arc};

use super::{
    RequestBody, Resolved,
    call::Call,
    ports::Ports,
    request::{Begun, begin},
    weighed::{Weighed, weigh},
};
use crate::{
    denial::Denial,
    effort::{InTurns, TURN_STEPS, Turn},
    http::{HeaderLine, RequestHead},
    memory::{self, TURN_BYTES},
};

/// How far a request with its whole body is.
#[derive(Debug)]
pub(super) enum Weighing {
    InTurns(InTurns<Weighed>),
    Done(Weighed),
}

impl Weighing {
    /// Nothing is done yet. None: rules and meters are not asked.
    pub(super) fn new(
        resolved: &Resolved,
        request: (&RequestHead<'_>, Rc<Vec<u8>>),
        ports: &dyn Ports,
    ) -> Option<Self> {
        let work = weigh_in_turns(resolved, request, ports)?;
        Some(Self::InTurns(InTurns::new(work)))
    }

    /// Goes on as far as the turn goes. Says whether it is done: so it is, too, when there is no
    /// memory for it.
    pub(super) fn go_on(&mut self, turn: &mut Turn) -> bool {
        // An allocation that fails would end the module, and with it every call of its worker.
        if memory::ask(TURN_BYTES).is_err() {
            *self = Self::Done(Err(Denial::Overloaded.into()));
        }
        if let Self::InTurns(work) = self
            && let Some(weighed) = work.go_on(turn)
        {
            *self = Self::Done(weighed);
        }
        self.weighed().is_some()
    }

    pub(super) fn weighed(&self) -> Option<&Weighed> {
        match self {
            Self::InTurns(_) => None,
            Self::Done(weighed) => Some(weighed),
        }
    }
}

fn weigh_in_turns(
    resolved: &Resolved,
    (head, body): (&RequestHead<'_>, Rc<Vec<u8>>),
    ports: &dyn Ports,
) -> Option<impl Future<Output = (Weighed, u64)> + use<>> {
    let Begun { policy, used, call } = begin(resolved, head, ports).ok()?;
    let claims = call.claims((policy, used), head, ports);
    let policy = Arc::clone(policy);
    let holder = policy.admission.holder(Some(used.0));
    // Copies: the host's head ends with the callback, and the work goes on in later ones.
    let lines: Vec<(Vec<u8>, Vec<u8>)> = head
        .lines
        .iter()
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect();
    Some(async move {
        let lines: Vec<HeaderLine<'_>> = lines
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
            .collect();
        let head = RequestHead::new(&lines);
        let call = match Call::parse(&head) {
            Ok(call) => call,
            Err(denial) => return (Err(denial.into()), 0),
        };
        let judged = call.judged(&head, RequestBody::Whole(&body), claims.as_deref());
        let judged = judged.in_turns_of(TURN_STEPS).held_by(holder);
        let mut weighed = weigh(&policy, used.0, &judged, &head).await;
        // To rules a body that lacked memory is one that cannot be read: their word is no good.
        if judged.lacks_memory() {
            weighed = Err(Denial::Overloaded.into());
        }
        (weighed, judged.spent_in_turn())
    })
}
