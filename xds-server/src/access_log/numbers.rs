//! Which numbered calls of Envoys' workers have no record: exact, but for calls that are not over, and
//! the last ones of a worker that ends.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A call without a record is taken for one that lasts until then.
pub(super) const GRACE_MS: u64 = 60_000;
/// Workers that are remembered; the one that was not heard of for longest makes room.
const WORKERS: usize = 4_096;
/// Runs of missing numbers of one worker that are told apart.
const GAPS: usize = 16_384;

/// Which call of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) worker: [u8; 16],
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Worker {
    /// The highest that came.
    pub(super) highest: u64,
    /// Unix time in milliseconds.
    pub(super) seen_ms: u64,
    pub(super) gaps: BTreeMap<u64, Gap>,
}

/// What came of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers(pub(super) BTreeMap<[u8; 16], Worker>);

/// What is shared between the writer and readers.
pub(super) fn lock(numbers: &Mutex<Numbers>) -> MutexGuard<'_, Numbers> {
    // Nothing that holds the lock can leave it half-changed.
    numbers.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Numbers {
    /// The record of that call is there.
    pub(super) fn see(&mut self, Number { worker, number }: Number, now_ms: u64) {
        if !self.0.contains_key(&worker) && self.0.len() >= WORKERS {
            let oldest = self.0.iter().min_by_key(|(_, worker)| worker.seen_ms);
            let oldest = oldest.map(|(id, _)| *id);
            oldest.map(|id| self.0.remove(&id));
        }
        self.0.entry(worker).or_default().see(number, now_ms);
    }

    /// How many were missed for the first time in that time, and are not there yet.
    pub(super) fn lost(&self, during: Range<u64>, now_ms: u64) -> u64 {
        let gaps = self.0.values().flat_map(|worker| &worker.gaps);
        gaps.filter(|(_, gap)| {
            during.contains(&gap.since_ms) && gap.since_ms.saturating_add(GRACE_MS) <= now_ms
        })
        .map(|(first, gap)| (gap.last + 1).saturating_sub(*first))
        .sum()
    }

    /// Forgets what was missed before then.
    pub(super) fn forget_before(&mut self, moment_ms: u64) {
        for worker in self.0.values_mut() {
            worker.gaps.retain(|_, gap| gap.since_ms >= moment_ms);
        }
    }
}

impl Worker {
    fn see(&mut self, number: u64, now_ms: u64) {
        self.seen_ms = now_ms;
        if number > self.highest {
            let first = self.highest + 1;
            if first < number {
                self.miss(first, number - 1, now_ms);
            }
            self.highest = number;
            return;
        }
        let found = self.gaps.range(..=number).next_back();
        let Some((first, gap)) = found.map(|(first, gap)| (*first, *gap)) else {
            return;
        };
        if gap.last < number {
            return;
        }
        self.gaps.remove(&first);
        if first < number {
            let before = Gap {
                last: number - 1,
                ..gap
            };
            self.gaps.insert(first, before);
        }
        if number < gap.last {
            self.gaps.insert(number + 1, gap);
        }
    }

    /// With too many runs the newest grows over numbers that came: it says too much, never too
    /// little.
    fn miss(&mut self, first: u64, last: u64, since_ms: u64) {
        if self.gaps.len() >= GAPS
            && let Some(mut newest) = self.gaps.last_entry()
        {
            newest.get_mut().last = last;
            return;
        }
        self.gaps.insert(first, Gap { last, since_ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: [u8; 16] = [1; 16];

    fn seen(numbers: &[u64]) -> Numbers {
        let mut all = Numbers::default();
        for number in numbers {
            let number = *number;
            all.see(
                Number {
                    worker: WORKER,
                    number,
                },
                1_000,
            );
        }
        all
    }

    #[test]
    fn what_never_came_is_lost_and_what_comes_late_is_not() {
        let later = 1_000 + GRACE_MS;
        for (numbers, lost) in [
            (&[1, 2, 3][..], 0),
            (&[3, 1, 2], 0),
            (&[1, 5], 3),
            (&[4], 3),
            (&[1, 10, 5, 7], 6),
            (&[1, 10, 2, 9, 5, 5, 5], 5),
            (&[1, 1, 1], 0),
        ] {
            assert_eq!(seen(numbers).lost(0..u64::MAX, later), lost, "{numbers:?}");
        }
    }

    #[test]
    fn a_call_may_last_for_a_while_and_is_missed_when_a_later_one_came() {
        let numbers = seen(&[1, 3]);
        assert_eq!(numbers.lost(0..u64::MAX, 1_000 + GRACE_MS - 1), 0);
        assert_eq!(numbers.lost(0..1_000, u64::MAX), 0);
        assert_eq!(numbers.lost(1_000..1_001, u64::MAX), 1);
        let mut numbers = numbers;
        numbers.forget_before(1_001);
        assert_eq!(numbers.lost(0..u64::MAX, u64::MAX), 0);
    }

    #[test]
    fn each_worker_counts_for_itself_and_only_so_many_are_remembered() {
        let mut numbers = Numbers::default();
        for n in 0..WORKERS + 10 {
            let mut worker = [0; 16];
            worker[..8].copy_from_slice(&u64::try_from(n).unwrap().to_be_bytes());
            numbers.see(Number { worker, number: 2 }, u64::try_from(n).unwrap());
        }
        assert_eq!(numbers.0.len(), WORKERS);
        let lost = numbers.lost(0..u64::MAX, u64::MAX);
        assert_eq!(lost, u64::try_from(WORKERS).unwrap());
    }

    #[test]
    fn gaps_are_bounded_and_none_is_forgotten() {
        let gaps = u64::try_from(GAPS).unwrap();
        let numbers: Vec<u64> = (1..=gaps + 100).map(|n| 2 * n).collect();
        let all = seen(&numbers);
        assert_eq!(all.0[&WORKER].gaps.len(), GAPS);
        assert!(all.lost(0..u64::MAX, u64::MAX) >= gaps + 100);
    }
}
