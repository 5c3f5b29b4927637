//! What was let through, told to the region server at every tick.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use requestrocket_policy::{
    id::{OrganisationId, ProxyId},
    limit::Micros,
    usage::{Amounts, Ledger, Of, Outcome, Share, Told, is_answer, request},
};
use uuid::Uuid;

use crate::host::{HostFailure, Shared};

/// The region server answers when what it heard is durable.
const TIMEOUT_MS: u32 = 3_000;
/// With nothing to tell, the region server hears from us this often, and so knows who ended.
const HEARTBEAT_MS: u64 = 1_000;
/// Messages on their way.
const MOST_PENDING: usize = 32;
/// Proxies whose owners are known.
const MOST_OWNERS: usize = 100_000;

/// What meters counted, by proxy and meter.
type Metered = BTreeMap<(Uuid, Uuid), Micros>;

/// The usage of one run of the filter on one worker.
#[derive(Debug)]
pub struct Usage {
    /// None: nothing tells this run from others, so nothing can be told.
    worker: Option<[u8; 16]>,
    ledger: RefCell<Ledger>,
    /// Messages that are not answered; none of what only says that we are there.
    pending: RefCell<BTreeMap<u32, Option<Told>>>,
    told_at_ms: Cell<u64>,
    /// Whose a proxy is whose call was decided here.
    owners: RefCell<BTreeMap<ProxyId, OrganisationId>>,
}

impl Usage {
    /// Of a run that begins.
    pub fn start(host: &impl Shared) -> Self {
        let mut ledger = Ledger::default();
        ledger.set_time(host.now_ms().unwrap_or(0));
        Self {
            worker: host.random().ok(),
            ledger: RefCell::new(ledger),
            pending: RefCell::default(),
            told_at_ms: Cell::new(0),
            owners: RefCell::default(),
        }
    }

    /// Counts a call.
    pub fn add_call(&self, share: Share, outcome: Outcome) {
        self.add_owner(share);
        if let Ok(mut ledger) = self.ledger.try_borrow_mut() {
            // To the hour of the last tick, which costs no look at the clock.
            ledger.add(share, Amounts::of_call(outcome));
        }
    }

    /// Of whose calls meters may count something here.
    pub fn add_owner(&self, share: Share) {
        if let Ok(mut owners) = self.owners.try_borrow_mut()
            && (owners.len() < MOST_OWNERS || owners.contains_key(&share.proxy))
        {
            owners.insert(share.proxy, share.organisation);
        }
    }

    /// Counts what meters counted, by proxy and meter: of calls that were let through here.
    fn add_metered(&self, ledger: &mut Ledger, metered: Metered) -> Result<(), HostFailure> {
        let owners = self.owners.try_borrow().map_err(|_| HostFailure)?;
        for ((proxy, meter), value) in metered {
            let proxy = ProxyId::from(proxy);
            if let Some(organisation) = owners.get(&proxy) {
                let share = Share {
                    organisation: *organisation,
                    proxy,
                    of: Of::Meter(meter),
                };
                ledger.add(share, Amounts::of_value(value));
            }
        }
        Ok(())
    }

    /// Tells the region server what it may not know.
    pub fn tick(&self, host: &impl Shared, metered: Metered) -> Result<(), HostFailure> {
        let Some(worker) = self.worker else {
            return Ok(());
        };
        let mut ledger = self.ledger.try_borrow_mut().map_err(|_| HostFailure)?;
        self.add_metered(&mut ledger, metered)?;
        let mut pending = self.pending.try_borrow_mut().map_err(|_| HostFailure)?;
        let now_ms = host.now_ms()?;
        if pending.len() >= MOST_PENDING {
            return Ok(());
        }
        // What was let through since the last tick is of the hour that it was counted for.
        let told = ledger.tell();
        ledger.set_time(now_ms);
        let is_heartbeat = now_ms >= self.told_at_ms.get().saturating_add(HEARTBEAT_MS);
        if told.is_none() && !is_heartbeat {
            return Ok(());
        }
        match host.tell_usage(&request(worker, told.as_ref()), TIMEOUT_MS) {
            Ok(token) => {
                self.told_at_ms.set(now_ms);
                pending.insert(token, told);
                Ok(())
            }
            Err(failure) => {
                if let Some(told) = &told {
                    ledger.is_lost(told);
                }
                Err(failure)
            }
        }
    }

    /// An answer has come, or will not. Says whether it was to one of these messages.
    pub fn on_answer(&self, token: u32, bytes: Option<&[u8]>) -> bool {
        let told = match self.pending.try_borrow_mut() {
            Ok(mut pending) => pending.remove(&token),
            Err(_) => None,
        };
        let (Some(told), Ok(mut ledger)) = (told, self.ledger.try_borrow_mut()) else {
            return false;
        };
        match (&told, bytes.is_some_and(is_answer)) {
            (Some(told), true) => ledger.is_known(told),
            (Some(told), false) => ledger.is_lost(told),
            (None, _) => {}
        }
        true
    }
}

#[cfg(test)]
mod tests;
