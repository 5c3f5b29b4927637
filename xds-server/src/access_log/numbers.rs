//! Which numbered calls of Envoys' workers have no record: exact, but for calls that are not over, and
//! the last ones of a worker that ends.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use requestrocket_policy::run::began_ms;

/// A call without a record is taken for one that lasts until then.
pub(super) const GRACE_MS: u64 = 60_000;
/// Workers that are remembered; the one that was not heard of for longest makes room.
const WORKERS: usize = 4_096;
/// Runs of missing numbers that are told apart, of one worker and of all.
const GAPS: usize = 16_384;
const ALL_GAPS: usize = 262_144;

/// One run of the filter on a worker.
pub(super) type WorkerId = [u8; 16];

/// Which call of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) worker: WorkerId,
    /// From 1.
    pub(super) number: u64,
}

/// Numbers that did not come, from the first (its key) to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) last: u64,
    /// When a later one came; Unix time in milliseconds.
    pub(super) since_ms: u64,
}

/// What came of one worker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Worker {
    /// The highest that came.
    pub(super) highest: u64,
    /// Unix time in milliseconds.
    pub(super) seen_ms: u64,
    pub(super) gaps: BTreeMap<u64, Gap>,
    /// How many numbers these are.
    missing: u64,
}

/// What came of all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    workers: BTreeMap<WorkerId, Worker>,
    /// Of a worker that began until then nothing may be known although it was known before; Unix time
    /// in milliseconds.
    forgotten_ms: u64,
    gaps: usize,
    missing: u64,
}

/// What has to be written of that: first what is forgotten.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) forgotten: BTreeSet<WorkerId>,
    /// None: as it was.
    pub(super) forgotten_ms: Option<u64>,
    pub(super) workers: BTreeMap<WorkerId, Change>,
}

/// Of one worker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) highest: u64,
    pub(super) seen_ms: u64,
    /// None where there is no gap any more.
    pub(super) gaps: BTreeMap<u64, Option<Gap>>,
}

/// What is shared between the writer and readers.
pub(super) fn lock(numbers: &Mutex<Numbers>) -> MutexGuard<'_, Numbers> {
    // Nothing that holds the lock can leave it half-changed.
    numbers.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Numbers {
    /// As they were written.
    pub(super) fn known(workers: BTreeMap<WorkerId, Worker>, forgotten_ms: u64) -> Self {
        let mut known = Self {
            workers,
            forgotten_ms,
            ..Self::default()
        };
        known.add_up();
        known
    }

    /// Calls that have no record, those that are not over included.
    pub(super) fn missing(&self) -> u64 {
        self.missing
    }

    /// The record of that call is there.
    pub(super) fn see(&mut self, call: Number, now_ms: u64, changes: &mut Changes) {
        let Number { worker: id, number } = call;
        if !self.workers.contains_key(&id) {
            self.make_room(changes);
            // What it was told of one that may have been forgotten is known to nobody.
            let is_new = began_ms(&id) > self.forgotten_ms;
            let highest = if is_new { 0 } else { number.saturating_sub(1) };
            let worker = Worker {
                highest,
                ..Worker::default()
            };
            self.workers.insert(id, worker);
        }
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let (gaps, missing) = (worker.gaps.len(), worker.missing);
        let is_full = gaps >= GAPS || self.gaps >= ALL_GAPS;
        worker.see(number, (now_ms, is_full), changes.of(id));
        self.gaps = self.gaps.saturating_sub(gaps) + worker.gaps.len();
        self.missing = self.missing.saturating_sub(missing);
        self.missing = self.missing.saturating_add(worker.missing);
    }

    /// How many were missed for the first time in that time, and are not there yet.
    pub(super) fn lost(&self, during: Range<u64>, now_ms: u64) -> u64 {
        let gaps = self.workers.values().flat_map(|worker| &worker.gaps);
        let missed = gaps.filter(|(_, gap)| {
            during.contains(&gap.since_ms) && gap.since_ms.saturating_add(GRACE_MS) <= now_ms
        });
        missed
            .map(|(first, gap)| gap.length(*first))
            .fold(0, u64::saturating_add)
    }

    /// Forgets what was missed before then, and workers that were not heard of since.
    pub(super) fn forget_before(&mut self, moment_ms: u64, changes: &mut Changes) {
        for (id, worker) in &mut self.workers {
            let old = worker.gaps.iter();
            let old = old.filter(|(_, gap)| gap.since_ms < moment_ms);
            let old: Vec<u64> = old.map(|(first, _)| *first).collect();
            if !old.is_empty() {
                worker.forget(&old, changes.of(*id));
            }
        }
        let silent = self.workers.iter();
        let silent = silent.filter(|(_, worker)| worker.seen_ms < moment_ms);
        let silent: Vec<WorkerId> = silent.map(|(id, _)| *id).collect();
        for id in silent {
            self.forget(id, changes);
        }
        self.add_up();
    }

    fn add_up(&mut self) {
        (self.gaps, self.missing) = (0, 0);
        for worker in self.workers.values_mut() {
            let lengths = worker.gaps.iter().map(|(first, gap)| gap.length(*first));
            worker.missing = lengths.fold(0, u64::saturating_add);
            self.gaps += worker.gaps.len();
            self.missing = self.missing.saturating_add(worker.missing);
        }
    }

    /// Those that miss nothing go first.
    fn make_room(&mut self, changes: &mut Changes) {
        if self.workers.len() < WORKERS {
            return;
        }
        let workers = self.workers.iter();
        let oldest = workers.min_by_key(|(_, worker)| (!worker.gaps.is_empty(), worker.seen_ms));
        if let Some(id) = oldest.map(|(id, _)| *id) {
            self.forget(id, changes);
        }
    }

    fn forget(&mut self, id: WorkerId, changes: &mut Changes) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        self.gaps = self.gaps.saturating_sub(worker.gaps.len());
        self.missing = self.missing.saturating_sub(worker.missing);
        self.forgotten_ms = self.forgotten_ms.max(worker.seen_ms);
        changes.workers.remove(&id);
        changes.forgotten.insert(id);
        changes.forgotten_ms = Some(self.forgotten_ms);
    }
}

impl Gap {
    fn length(self, first: u64) -> u64 {
        self.last.saturating_sub(first).saturating_add(1)
    }
}

impl Changes {
    fn of(&mut self, id: WorkerId) -> &mut Change {
        self.workers.entry(id).or_default()
    }
}

impl Worker {
    /// Where no more runs can be told apart it says too much, never too little.
    fn see(&mut self, number: u64, (now_ms, is_full): (u64, bool), change: &mut Change) {
        self.seen_ms = now_ms;
        let next = self.highest.saturating_add(1);
        self.highest = self.highest.max(number);
        (change.seen_ms, change.highest) = (now_ms, self.highest);
        if number > next {
            let gap = Gap {
                last: number - 1,
                since_ms: now_ms,
            };
            self.miss(next, gap, is_full, change);
        } else if number < next {
            self.find(number, is_full, change);
        }
    }

    /// With too many runs the newest grows over numbers that came.
    fn miss(&mut self, first: u64, gap: Gap, is_full: bool, change: &mut Change) {
        let newest = self.gaps.last_key_value();
        match newest.map(|(first, newest)| (*first, *newest)) {
            Some((first, newest)) if is_full => self.put(
                first,
                Gap {
                    last: gap.last,
                    ..newest
                },
                change,
            ),
            Some(_) | None => self.put(first, gap, change),
        }
    }

    /// One that came late.
    fn find(&mut self, number: u64, is_full: bool, change: &mut Change) {
        let found = self.gaps.range(..=number).next_back();
        let found = found.map(|(first, gap)| (*first, *gap));
        let Some((first, gap)) = found.filter(|(_, gap)| gap.last >= number) else {
            return;
        };
        let is_inside = first < number && number < gap.last;
        if is_inside && is_full {
            return;
        }
        self.remove(first, change);
        if first < number {
            let before = Gap {
                last: number - 1,
                ..gap
            };
            self.put(first, before, change);
        }
        if number < gap.last {
            self.put(number + 1, gap, change);
        }
    }

    fn forget(&mut self, gaps: &[u64], change: &mut Change) {
        (change.seen_ms, change.highest) = (self.seen_ms, self.highest);
        for first in gaps {
            self.remove(*first, change);
        }
    }

    fn put(&mut self, first: u64, gap: Gap, change: &mut Change) {
        self.remove(first, change);
        self.gaps.insert(first, gap);
        self.missing = self.missing.saturating_add(gap.length(first));
        change.gaps.insert(first, Some(gap));
    }

    fn remove(&mut self, first: u64, change: &mut Change) {
        if let Some(gap) = self.gaps.remove(&first) {
            self.missing = self.missing.saturating_sub(gap.length(first));
        }
        change.gaps.insert(first, None);
    }
}

#[cfg(test)]
mod tests;
