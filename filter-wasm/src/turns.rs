//! Who works when. A worker serves many calls, so a body that is much work is worked on in turns:
//! at once as far as its organisation has something to spend, and then from a queue, from which each
//! turn serves another organisation. Between two turns Envoy looks after everything else.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
};

use requestrocket_policy::{
    effort::{TURN_STEPS, Turn},
    id::OrganisationId,
};

use crate::host::Shared;

/// What an organisation may spend at once, above its turns: about half of a worker's time.
const STEPS_PER_MS: u64 = 128 << 10;
/// Organisations that are remembered without work that waits.
const MAX_IDLE: usize = 1_024;

/// The work of one VM on bodies.
#[derive(Debug, Default)]
pub struct Turns(RefCell<Queue>);

#[derive(Debug, Default)]
struct Queue {
    shares: BTreeMap<OrganisationId, Share>,
    /// Those with work that waits, the next first.
    round: VecDeque<OrganisationId>,
    /// Streams with work that waits, each with the one that holds back what came.
    waiting: BTreeMap<u32, u32>,
}

/// An organisation's.
#[derive(Debug)]
struct Share {
    /// What it may spend at once, in steps, as of a time.
    steps: u64,
    at_ms: u64,
    /// Its streams with work that waits. The first is worked on until that is done, so that what it
    /// needs in memory is needed once.
    streams: VecDeque<u32>,
}

impl Share {
    fn new(now_ms: u64) -> Self {
        Self {
            steps: TURN_STEPS,
            at_ms: now_ms,
            streams: VecDeque::new(),
        }
    }

    fn refill(&mut self, now_ms: u64) {
        let earned = now_ms
            .saturating_sub(self.at_ms)
            .saturating_mul(STEPS_PER_MS);
        self.steps = self.steps.saturating_add(earned).min(TURN_STEPS);
        self.at_ms = now_ms;
    }

    fn is_idle(&mut self, now_ms: u64) -> bool {
        self.refill(now_ms);
        self.steps == TURN_STEPS && self.streams.is_empty()
    }
}

impl Turns {
    /// Does work that has just come, as far as its organisation may now.
    pub fn at_once<T>(
        &self,
        organisation: OrganisationId,
        host: &impl Shared,
        work: impl FnOnce(&mut Turn) -> T,
    ) -> T {
        // Without a clock nobody earns more than what there is.
        let now_ms = host.now_ms().unwrap_or_default();
        let mut turn = self.begin(organisation, now_ms);
        let done = work(&mut turn);
        self.end(organisation, &turn);
        done
    }

    /// What the organisation may spend at once.
    fn begin(&self, organisation: OrganisationId, now_ms: u64) -> Turn {
        let mut queue = self.0.borrow_mut();
        if queue.shares.len() > MAX_IDLE {
            // Who has all that it may have is as good as new.
            queue.shares.retain(|_, share| !share.is_idle(now_ms));
        }
        let share = queue.share(organisation, now_ms);
        share.refill(now_ms);
        Turn::of(share.steps)
    }

    /// Takes back what was not spent of it.
    fn end(&self, organisation: OrganisationId, turn: &Turn) {
        if let Some(share) = self.0.borrow_mut().shares.get_mut(&organisation) {
            share.steps = turn.left();
        }
    }

    /// The stream's work is to be gone on with; what came of it is held back by `valve`.
    pub fn queue(&self, organisation: OrganisationId, stream: u32, valve: u32) {
        let mut queue = self.0.borrow_mut();
        // It is in the queue, and keeps its place.
        if queue.waiting.insert(stream, valve).is_some() {
            return;
        }
        let streams = &mut queue.share(organisation, 0).streams;
        streams.push_back(stream);
        if streams.len() == 1 {
            queue.round.push_back(organisation);
        }
    }

    /// The stream to go on with.
    pub fn next(&self) -> Option<u32> {
        let queue = self.0.borrow();
        let organisation = queue.round.front()?;
        queue.shares.get(organisation)?.streams.front().copied()
    }

    /// Its organisation has had its turn; `is_done` when the stream has no more work. Answers who
    /// holds back what came of it.
    pub fn took(&self, is_done: bool) -> Option<u32> {
        let mut queue = self.0.borrow_mut();
        let organisation = queue.round.pop_front()?;
        let share = queue.shares.get_mut(&organisation)?;
        let done = if is_done {
            share.streams.pop_front()
        } else {
            None
        };
        if !share.streams.is_empty() {
            queue.round.push_back(organisation);
        }
        queue.waiting.remove(&done?)
    }

    /// Whether no work waits.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().round.is_empty()
    }
}

impl Queue {
    fn share(&mut self, organisation: OrganisationId, now_ms: u64) -> &mut Share {
        self.shares
            .entry(organisation)
            .or_insert_with(|| Share::new(now_ms))
    }
}

#[cfg(test)]
mod tests;
