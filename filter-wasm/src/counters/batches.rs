//! What this worker counts by itself, counter by counter, until it gives account.

use std::{cell::RefCell, collections::BTreeMap};

use requestrocket_policy::limit::{Batch, Charge, Counter, Tallies};
use uuid::Uuid;

use super::Bucket;
use crate::host::HostFailure;

/// A batch is so small a part of the calls since the last tick: who calls seldom gets none.
const PARTS: u32 = 8;

/// The counters that this worker was busy with since the last tick.
#[derive(Debug, Default)]
pub(super) struct Batches(RefCell<BTreeMap<Counter, Busy>>);

#[derive(Debug)]
struct Busy {
    /// Calls since the last tick, and half of those before.
    calls: u32,
    open: Option<Open>,
}

/// A batch that is being used up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    bucket: Bucket,
    charge: Charge,
    batch: Batch,
    used: u32,
}

impl Batches {
    /// Counts a call if all its counters have a call left. False: nothing was counted.
    pub(super) fn count(
        &self,
        charges: &[(Uuid, &Charge)],
        now_ms: u64,
    ) -> Result<bool, HostFailure> {
        let mut all = self.0.try_borrow_mut().map_err(|_| HostFailure)?;
        let has_room = |(_, charge): &(Uuid, &Charge)| {
            let open = all.get(&charge.counter).and_then(|busy| busy.open.as_ref());
            open.is_some_and(|open| open.has_room(charge, now_ms))
        };
        if !charges.iter().all(has_room) {
            return Ok(false);
        }
        for (_, charge) in charges {
            if let Some(busy) = all.get_mut(&charge.counter) {
                busy.calls = busy.calls.saturating_add(1);
                if let Some(open) = &mut busy.open {
                    open.used += 1;
                }
            }
        }
        Ok(true)
    }

    /// How many calls like this one are worth a batch.
    pub(super) fn wanted(&self, charges: &[(Uuid, &Charge)]) -> Result<u32, HostFailure> {
        let all = self.0.try_borrow().map_err(|_| HostFailure)?;
        let busy = charges.iter().map(|(_, charge)| all.get(&charge.counter));
        let calls = busy.map(|busy| busy.map_or(0, |busy| busy.calls / PARTS));
        Ok(calls.min().unwrap_or(0))
    }

    /// A call was counted where all see it, and this batch, if any, was set aside with it.
    pub(super) fn counted(
        &self,
        charges: &[(Uuid, &Charge)],
        batch: Option<Batch>,
    ) -> Result<(), HostFailure> {
        let mut all = self.0.try_borrow_mut().map_err(|_| HostFailure)?;
        for &(owner, charge) in charges {
            let busy = all.entry(charge.counter).or_insert(Busy {
                calls: 0,
                open: None,
            });
            busy.calls = busy.calls.saturating_add(1);
            busy.open = batch.map(|batch| Open {
                bucket: Bucket::of(owner),
                charge: *charge,
                batch,
                used: 0,
            });
        }
        Ok(())
    }

    /// The open batches of these counters that lie in a bucket.
    pub(super) fn of(
        &self,
        charges: &[(Uuid, &Charge)],
        bucket: Bucket,
    ) -> Result<Vec<Open>, HostFailure> {
        let all = self.0.try_borrow().map_err(|_| HostFailure)?;
        let open = charges.iter().filter_map(|(_, charge)| {
            let open = all.get(&charge.counter)?.open?;
            (open.bucket == bucket).then_some(open)
        });
        Ok(open.collect())
    }

    /// Account was given of these.
    pub(super) fn close(&self, accounted: &[Open]) -> Result<(), HostFailure> {
        let mut all = self.0.try_borrow_mut().map_err(|_| HostFailure)?;
        for open in accounted {
            if let Some(busy) = all.get_mut(&open.charge.counter) {
                busy.open = None;
            }
        }
        Ok(())
    }

    /// At a tick: all open batches, by bucket.
    pub(super) fn by_bucket(&self) -> Result<BTreeMap<Bucket, Vec<Open>>, HostFailure> {
        let all = self.0.try_borrow().map_err(|_| HostFailure)?;
        let mut buckets: BTreeMap<Bucket, Vec<Open>> = BTreeMap::new();
        for open in all.values().filter_map(|busy| busy.open) {
            buckets.entry(open.bucket).or_default().push(open);
        }
        Ok(buckets)
    }

    /// A tick has passed: counters that nobody calls any more are forgotten.
    pub(super) fn cool(&self) -> Result<(), HostFailure> {
        let mut all = self.0.try_borrow_mut().map_err(|_| HostFailure)?;
        all.retain(|_, busy| {
            busy.calls /= 2;
            busy.calls > 0 || busy.open.is_some()
        });
        Ok(())
    }
}

impl Open {
    fn has_room(&self, charge: &Charge, now_ms: u64) -> bool {
        // A newer policy may have another limit, of which this batch knows nothing.
        self.used < self.batch.calls && self.batch.is_open(now_ms) && self.charge == *charge
    }

    /// Writes into the counts what was used.
    pub(super) fn give_account(&self, tallies: &mut Tallies, now_ms: u64) {
        let tally = tallies.tally_mut(self.charge.counter);
        tally.give_account(&self.charge, &self.batch, self.used, now_ms);
    }
}
