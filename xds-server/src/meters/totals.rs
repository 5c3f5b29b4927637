//! All counts of a region, in memory. Pure: time is an argument.

use std::collections::BTreeMap;

use requestrocket_policy::limit::{Counter, Grant, Micros, Report, Window};

use super::count::{Count, Received};
use super::{HEARD_MS, MAX_WAIT_MS, QUIET_MS, SKEW_MS};

pub use super::count::Verdict;
pub use super::incarnation::{Incarnation, InvalidIncarnation};

/// Counters times windows that are kept; more are not judged.
const MAX_COUNTS: usize = 500_000;

/// One counter in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Which counter.
    pub counter: Counter,
    /// Which kind of window.
    pub window: Window,
    /// Its start, Unix time in milliseconds.
    pub start_ms: u64,
}

/// What one incarnation counted, as it is kept in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// In which window of what.
    pub key: Key,
    /// By whom.
    pub incarnation: Incarnation,
    /// How much.
    pub own: Micros,
}

/// A moment by the clocks of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Unix time in milliseconds; may step.
    pub wall_ms: u64,
    /// Milliseconds since some moment; only goes on.
    pub steady_ms: u64,
}

/// A request that was taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whose.
    pub incarnation: Incarnation,
    /// By the clock of the Envoy.
    pub sent_at_ms: u64,
    /// By the steady clock of the region.
    pub received_ms: u64,
    /// What it says and asks.
    pub reports: Vec<Report>,
}

/// What the region knows of all counts.
#[derive(Debug)]
pub struct Totals {
    epoch: u32,
    quiet_until_ms: u64,
    counts: BTreeMap<Key, Count>,
    /// When each incarnation was heard last, by the steady clock.
    heard: BTreeMap<Incarnation, u64>,
}

impl Request {
    /// How long it has waited.
    #[must_use]
    pub fn waited_ms(&self, steady_ms: u64) -> u64 {
        steady_ms.saturating_sub(self.received_ms)
    }

    /// The grants to send, or none to look again a little later.
    #[must_use]
    pub fn answer(&self, verdicts: &[Verdict], steady_ms: u64) -> Option<Vec<Grant>> {
        let is_any = |is: fn(&Verdict) -> bool| verdicts.iter().any(is);
        let is_busy = is_any(|verdict| matches!(verdict, Verdict::Busy(_)));
        // A call that one limit refuses does not wait for others.
        let is_full = is_any(|verdict| matches!(verdict, Verdict::Full(_)));
        if is_busy && !is_full && self.waited_ms(steady_ms) < MAX_WAIT_MS {
            return None;
        }
        Some(verdicts.iter().map(Verdict::grant).collect())
    }
}

impl Key {
    /// What a report is about.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        Self {
            counter: report.counter,
            window: report.window,
            start_ms: report.start_ms,
        }
    }

    /// End of the window.
    #[must_use]
    pub fn end_ms(&self) -> u64 {
        self.window.bounds(self.start_ms).end_ms
    }

    /// Neither over nor ahead by more than clocks may differ.
    #[must_use]
    pub fn is_judged(&self, wall_ms: u64) -> bool {
        wall_ms < self.end_ms().saturating_add(SKEW_MS)
            && self.start_ms <= wall_ms.saturating_add(SKEW_MS)
    }
}

impl Totals {
    /// Nothing is known; `epoch` is another than that of the run before.
    #[must_use]
    pub fn new(epoch: u32, steady_ms: u64) -> Self {
        Self {
            epoch,
            quiet_until_ms: steady_ms.saturating_add(QUIET_MS),
            counts: BTreeMap::new(),
            heard: BTreeMap::new(),
        }
    }

    /// Sent with every answer.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Takes over what an earlier run kept.
    pub fn restore(&mut self, row: &Row) {
        let count = self.counts.entry(row.key).or_default();
        count.restore(row.incarnation, row.own);
    }

    /// Takes a request in; the grants to send, or none to look again a little later.
    pub fn sync(&mut self, request: &Request, at: At) -> Option<Vec<Grant>> {
        self.hear(request.incarnation, at.steady_ms);
        let verdicts: Vec<Verdict> = request
            .reports
            .iter()
            .map(|report| self.judge(request, report, at))
            .collect();
        request.answer(&verdicts, at.steady_ms)
    }

    /// What all Envoys counted.
    #[must_use]
    pub fn used(&self, key: &Key) -> Micros {
        self.counts.get(key).map_or(Micros::ZERO, Count::used)
    }

    /// Counts that changed since they were taken last.
    pub fn take_dirty(&mut self) -> Vec<Row> {
        let rows = self.counts.iter_mut().flat_map(|(key, count)| {
            count.take_dirty().map(|(incarnation, own)| Row {
                key: *key,
                incarnation,
                own,
            })
        });
        rows.collect()
    }

    /// These could not be kept: they are to be taken again.
    pub fn mark_dirty(&mut self, rows: &[Row]) {
        for row in rows {
            if let Some(count) = self.counts.get_mut(&row.key) {
                count.mark_dirty(row.incarnation);
            }
        }
    }

    /// Forgets windows that nobody reports any more.
    pub fn drop_finished(&mut self, wall_ms: u64) {
        let is_open = |key: &Key| wall_ms < key.end_ms().saturating_add(2 * SKEW_MS);
        self.counts.retain(|key, _| is_open(key));
    }

    /// Counts that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Envoys that count now.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        u32::try_from(self.heard.len()).unwrap_or(u32::MAX)
    }

    fn hear(&mut self, incarnation: Incarnation, steady_ms: u64) {
        self.heard.insert(incarnation, steady_ms);
        self.heard
            .retain(|_, heard_ms| steady_ms < heard_ms.saturating_add(HEARD_MS));
    }

    fn judge(&mut self, request: &Request, report: &Report, at: At) -> Verdict {
        let key = Key::of(report);
        if !key.is_judged(at.wall_ms) || !self.has_place(&key, request.incarnation) {
            return Verdict::Settled(unjudged(self.epoch));
        }
        let asked = Received {
            incarnation: request.incarnation,
            sent_at_ms: request.sent_at_ms,
            report: *report,
            waited_ms: u32::try_from(request.waited_ms(at.steady_ms)).unwrap_or(u32::MAX),
            is_quiet: at.steady_ms < self.quiet_until_ms,
            nodes: self.nodes(),
            epoch: self.epoch,
            steady_ms: at.steady_ms,
        };
        self.counts.entry(key).or_default().sync(&asked)
    }

    fn has_place(&self, key: &Key, incarnation: Incarnation) -> bool {
        match self.counts.get(key) {
            Some(count) => count.has_place(incarnation),
            None => self.counts.len() < MAX_COUNTS,
        }
    }
}

/// The region has no opinion.
#[must_use]
pub fn unjudged(epoch: u32) -> Grant {
    Grant {
        others: Micros::ZERO,
        ceiling: Micros::ZERO,
        valid_ms: 0,
        nodes: 0,
        epoch,
    }
}

#[cfg(test)]
mod tests;
