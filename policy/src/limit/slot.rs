//! What an Envoy keeps for one counter in one window.

use super::{Bounds, Counter, Grant, Micros, Report, Window};

/// From this share of a limit on a call carries the warning, so each is counted where all workers
/// see it.
pub const NEAR_PERCENT: u32 = 80;

/// Between deciding under a ceiling and counting, another worker may already have read the count
/// for a report; only a report made this much after the ceiling's end holds all that it allowed.
pub const SETTLE_MARGIN_MS: u64 = 50;

/// A worker gives account of its batch at the latest so much after the batch's end (it does at its
/// tick, every 200 ms); then all of it counts. A grant outlasts the batches under it by as much, so whatever is reported after the
/// grant's end holds them.
pub(super) const ACCOUNT_MARGIN_MS: u64 = 250;

/// How long after its end a window is still reported.
const LATE_MS: u64 = 60_000;

/// The count of one window, and how far it may grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// Start of the window.
    pub start_ms: u64,
    /// What this Envoy counted; only grows.
    pub own: Micros,
    /// What all others counted, as far as known; only grows.
    pub others: Micros,
    /// Set aside by workers, who use it up by themselves and give account of it later.
    pub reserved: Micros,
    /// From then on what is still set aside counts as used.
    pub reserved_until_ms: u64,
    /// The limit when it was last looked at; zero for none.
    pub limit: Micros,
    /// `own` may grow up to here while the grant is in force.
    pub ceiling: Micros,
    /// When the grant was asked for.
    pub granted_at_ms: u64,
    /// How long the grant is in force; 0: there is none.
    pub valid_ms: u32,
    /// Whether the region heard of all that was counted under the grant.
    pub is_settled: bool,
    /// `own` as the region last heard it.
    pub answered_own: Micros,
    /// Epoch of the region that heard it.
    pub epoch: u32,
    /// How many Envoys share what is left; 0: never heard.
    pub nodes: u32,
}

impl Slot {
    /// The slot as it is in this window. A window once begun is never left for an earlier one.
    #[must_use]
    pub fn in_window(self, bounds: Bounds) -> Self {
        // A clock that steps back must not give a limit anew.
        if bounds.start_ms <= self.start_ms {
            return self;
        }
        Self {
            start_ms: bounds.start_ms,
            limit: self.limit,
            nodes: self.nodes,
            ..Self::default()
        }
    }

    /// What all Envoys counted, as far as known: the true total is never less.
    pub fn used(&self) -> Micros {
        self.own.plus(self.others)
    }

    /// Whether the ceiling in force leaves room for this much more.
    pub fn has_room(&self, need: Micros, now_ms: u64) -> bool {
        // Before `granted_at_ms` the clock has stepped back, and nobody knows what time it is.
        let is_in_force = self.granted_at_ms <= now_ms && now_ms < self.grant_end_ms();
        is_in_force && self.own.plus(self.reserved).plus(need) <= self.ceiling
    }

    /// What can be set aside without a word to the region, and until when it may be used. None:
    /// the limit is near, or the grant ends too soon.
    pub fn room_to_reserve(&self, limit: Micros, now_ms: u64) -> Option<(Micros, u64)> {
        let until_ms = self.grant_end_ms().saturating_sub(ACCOUNT_MARGIN_MS);
        if now_ms < self.granted_at_ms || until_ms <= now_ms {
            return None;
        }
        // Divided first: the product of a large limit would overflow, which panics.
        let near = Micros::new(limit.get() / 100 * u64::from(NEAR_PERCENT));
        let to_ceiling = self.ceiling.minus(self.own).minus(self.reserved);
        let to_near = near.minus(self.used()).minus(self.reserved);
        Some((to_ceiling.min(to_near), until_ms))
    }

    /// Sets an amount aside for a worker, which uses it before `until_ms`.
    pub fn reserve(&mut self, amount: Micros, until_ms: u64) {
        let until_ms = until_ms.saturating_add(ACCOUNT_MARGIN_MS);
        self.reserved = self.reserved.plus(amount);
        self.reserved_until_ms = self.reserved_until_ms.max(until_ms);
    }

    /// Takes a worker's account: of `amount`, which was set aside to be used before `until_ms`, it
    /// used `used`.
    pub fn give_account(&mut self, used: Micros, (amount, until_ms): (Micros, u64), now_ms: u64) {
        self.own = self.own.plus(used);
        // One that comes too late counts twice: all was counted, and what is left may be another's.
        if now_ms < until_ms.saturating_add(ACCOUNT_MARGIN_MS) {
            self.reserved = self.reserved.minus(amount);
        }
    }

    /// The slot at this moment: what nobody gave account of in time counts.
    #[must_use]
    pub fn at(self, bounds: Bounds, now_ms: u64) -> Self {
        self.in_window(bounds).accounted(now_ms)
    }

    /// The same without a look at the window.
    #[must_use]
    pub fn accounted(self, now_ms: u64) -> Self {
        if self.reserved == Micros::ZERO || now_ms < self.reserved_until_ms {
            return self;
        }
        Self {
            own: self.own.plus(self.reserved),
            reserved: Micros::ZERO,
            ..self
        }
    }

    /// Whether this Envoy's share of what was left when the region last answered has room.
    pub fn has_share(&self, limit: Micros) -> bool {
        let left = limit.minus(self.others).minus(self.answered_own);
        let share = left.divided_by(self.nodes.into());
        self.own.plus(self.reserved).minus(self.answered_own) < share
    }

    /// Whether the region should hear of it: it grew, the region forgot it, or a grant ended
    /// whose rest others may wait for.
    pub fn is_due(&self, epoch: Option<u32>, now_ms: u64) -> bool {
        let is_forgotten = epoch.is_some_and(|epoch| epoch != self.epoch);
        (self.own > Micros::ZERO && (self.own > self.answered_own || is_forgotten))
            || (!self.is_settled && self.valid_ms > 0 && self.settles_at(now_ms))
    }

    /// Whether the region heard of all that was counted, and of the end of every grant.
    pub fn is_at_rest(&self) -> bool {
        self.own <= self.answered_own
            && self.reserved == Micros::ZERO
            && (self.is_settled || self.valid_ms == 0)
    }

    /// A tick's report of it.
    pub fn report(&self, counter: Counter, window: Window) -> Report {
        Report {
            counter,
            window,
            start_ms: self.start_ms,
            own: self.own,
            limit: self.limit,
            wanted: Micros::ZERO,
            queued: Micros::ZERO,
        }
    }

    /// Takes over what the region said to `report`, sent at `sent_at_ms`.
    pub fn apply(&mut self, report: &Report, grant: &Grant, sent_at_ms: u64, now_ms: u64) {
        if report.start_ms != self.start_ms || !grant.is_judged() {
            return;
        }
        // An answer that was overtaken knows less, and counts only grow.
        self.others = self.others.max(grant.others);
        // What another run of the region was told, this one does not know: it may have heard
        // only a report that was late.
        let known = if self.epoch == grant.epoch {
            self.answered_own
        } else {
            Micros::ZERO
        };
        self.answered_own = known.max(report.own);
        self.epoch = grant.epoch;
        self.nodes = grant.nodes;
        self.is_settled |= self.settles_at(sent_at_ms);
        let end_ms = sent_at_ms.saturating_add(grant.valid_ms.into());
        // Answers overtake each other; after a step back of the clock the older grant never ends.
        let is_newer = end_ms >= self.grant_end_ms() || self.granted_at_ms > now_ms;
        if grant.valid_ms > 0 && is_newer {
            self.ceiling = grant.ceiling;
            self.granted_at_ms = sent_at_ms;
            self.valid_ms = grant.valid_ms;
            self.is_settled = false;
        }
    }

    fn grant_end_ms(&self) -> u64 {
        self.granted_at_ms.saturating_add(self.valid_ms.into())
    }

    fn settles_at(&self, moment_ms: u64) -> bool {
        moment_ms >= self.grant_end_ms().saturating_add(SETTLE_MARGIN_MS)
    }

    /// Whether a report of this window still changes anything.
    pub(super) fn is_reportable(&self, window: Window, now_ms: u64) -> bool {
        now_ms < window.bounds(self.start_ms).end_ms.saturating_add(LATE_MS)
    }
}

#[cfg(test)]
mod tests;
