//! What Envoy keeps with each decided call for its record: one host call, and none that decides.

use std::cell::Cell;

use requestrocket_policy::{
    authn::AuthPorts,
    exchange::{CallNumber, Exchange},
    http::RequestHead,
    run,
};

use crate::host::{Host, HostFailure, Shared};

/// Numbers the calls of one run of the filter on one worker, so that records that never come are
/// missed.
#[derive(Debug)]
pub struct Notes {
    /// None: nothing tells this run from others, so its calls have no numbers.
    worker: Option<[u8; 16]>,
    last: Cell<u64>,
}

impl Notes {
    /// Of a run that begins.
    pub fn start(host: &impl Shared) -> Self {
        let name = || Ok::<_, HostFailure>(run::named(host.now_ms()?, host.random()?));
        Self {
            worker: name().ok(),
            last: Cell::new(0),
        }
    }

    /// Keeps a note of a call with that head that was decided. A call goes on without one: its record then says
    /// what Envoy knows.
    pub(super) fn keep(
        &self,
        host: &impl Host,
        (exchange, head): (&Exchange, &RequestHead<'_>),
        ports: &dyn AuthPorts,
    ) {
        let Some(worker) = self.worker else {
            return;
        };
        // Of an unknown proxy there is no record.
        if exchange.admission().is_none() {
            return;
        }
        let number = self.last.get().saturating_add(1);
        let note = exchange.note(head, CallNumber { worker, number }, ports);
        // The region counts numbers that never come as lost calls.
        if host.keep_note(&note).is_ok() {
            self.last.set(number);
        }
    }
}

/// Keeps why a response was cut, where the engine knows.
pub(super) fn keep_end(host: &impl Host, exchange: &Exchange) {
    if let Some(denial) = exchange.cut_by()
        && host.keep_end(denial.code()).is_err()
    {
        host.warn("the record of a cut response will not say why");
    }
}

/// Keeps what the response came to, where there is more to say of it than before: a host call for
/// those only that were looked into.
pub(super) fn keep_outcome(host: &impl Host, exchange: &mut Exchange) {
    if let Some(outcome) = exchange.outcome()
        && host.keep_outcome(&outcome).is_err()
    {
        host.warn("the record of a call will not say what filters and meters did");
    }
}
