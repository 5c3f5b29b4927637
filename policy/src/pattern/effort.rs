//! What the patterns of one call may cost together.

use std::cell::Cell;

/// The rest of what may be spent. Once it does not suffice nothing is decided any more, and whoever
/// asked must take the refusing way.
///
/// The unit is about a nanosecond. Calls of ordinary rules spend some thousands.
#[derive(Debug)]
pub(crate) struct Effort {
    left: Cell<u64>,
    /// What there was at first.
    #[cfg(any(test, feature = "explain"))]
    whole: u64,
    /// Of which nobody was told.
    spent: Cell<u64>,
    is_exhausted: Cell<bool>,
    /// What there is to renew it.
    #[cfg(any(test, feature = "explain"))]
    reserve: Cell<u64>,
}

/// What a worker does in one go: about 48 ms, for all searches in a head and for the longest one in a
/// body, which is looked into in turns.
const IN_ONE_GO: u64 = 48_000_000;
/// For each byte of a body, above that: ten patterns on all of it, each with an automaton that learns.
const OF_A_BODY_BYTE: u64 = 100;
/// The decision of each layer, and ten costly rules.
#[cfg(any(test, feature = "explain"))]
const RENEWALS: u64 = 14;
/// A step of other work takes that long.
const UNITS_A_STEP: u64 = 3;
/// Any search.
const SEARCH: u64 = 16;
/// A byte of a text that is compared.
const BYTES_COMPARED_A_UNIT: u64 = 2;
/// A byte of a text on which an automaton runs.
const BYTE: u64 = 2;
/// A byte that an automaton makes room for before its first search.
const BYTE_MADE: u64 = 1;
/// A byte that it learns: a step on an unseen text makes a state of some hundred bytes.
const BYTE_LEARNT: u64 = 8;
/// The automaton had failed before.
const FAILED_AUTOMATON: u64 = 10_000_000;
/// A byte of a text, for each state of the pattern.
const STEP: u64 = 15;

impl Effort {
    /// For the head of a call, and a body of so many bytes.
    pub(crate) fn of_a_call(body_bytes: usize) -> Self {
        let whole = IN_ONE_GO.saturating_add(units(body_bytes).saturating_mul(OF_A_BODY_BYTE));
        Self {
            left: Cell::new(whole),
            #[cfg(any(test, feature = "explain"))]
            whole,
            spent: Cell::new(0),
            is_exhausted: Cell::new(false),
            #[cfg(any(test, feature = "explain"))]
            reserve: Cell::new(whole.saturating_mul(RENEWALS)),
        }
    }

    /// As if nothing had been spent, to try the same call once more: while there is a reserve,
    /// which a report of many costly rules can use up.
    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn renew(&self) {
        let spent = self.whole.saturating_sub(self.left.get());
        match self.reserve.get().checked_sub(spent) {
            Some(rest) => {
                self.reserve.set(rest);
                self.left.set(self.whole);
                self.is_exhausted.set(false);
            }
            None => self.is_exhausted.set(true),
        }
    }

    /// Whether some search was not made. What was decided since then is worth nothing.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.is_exhausted.get()
    }

    /// What was spent since this was asked last, as steps of other work.
    pub(crate) fn take_steps(&self) -> usize {
        let steps = self.spent.take() / UNITS_A_STEP;
        usize::try_from(steps).unwrap_or(usize::MAX)
    }

    pub(super) fn spend_on_comparison(&self, text_bytes: usize) -> bool {
        self.spend(SEARCH.saturating_add(units(text_bytes) / BYTES_COMPARED_A_UNIT))
    }

    pub(super) fn spend_on_automaton(&self, text_bytes: usize) -> bool {
        self.spend(SEARCH.saturating_add(units(text_bytes).saturating_mul(BYTE)))
    }

    pub(super) fn spend_on_learning(&self, made_bytes: usize, learnt_bytes: usize) -> bool {
        // Paid afterwards, since only then it is known; one automaton's share is small.
        let made = units(made_bytes).saturating_mul(BYTE_MADE);
        self.spend(made.saturating_add(units(learnt_bytes).saturating_mul(BYTE_LEARNT)))
    }

    pub(super) fn spend_on_simulation(&self, text_bytes: usize, states: usize) -> bool {
        let steps = units(text_bytes).saturating_mul(units(states));
        self.spend(FAILED_AUTOMATON.saturating_add(steps.saturating_mul(STEP)))
    }

    fn spend(&self, units: u64) -> bool {
        match self.left.get().checked_sub(units) {
            // One search cannot be split, so none may take longer than a worker works at a time.
            Some(left) if units <= IN_ONE_GO && !self.is_exhausted.get() => {
                self.left.set(left);
                self.spent.set(self.spent.get().saturating_add(units));
                true
            }
            Some(_) | None => {
                self.is_exhausted.set(true);
                false
            }
        }
    }
}

fn units(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_decided_once_the_rest_did_not_suffice() {
        let effort = Effort::of_a_call(0);
        assert!(effort.spend_on_comparison(1 << 20));
        assert!(effort.spend_on_automaton(1 << 20));
        assert!(effort.spend_on_simulation(1_000, 100));
        assert!(!effort.is_exhausted());
        assert!(!effort.spend_on_simulation(60_000, 3_000));
        assert!(effort.is_exhausted());
        // Also what would be cheap enough by itself.
        assert!(!effort.spend_on_comparison(1));
        assert!(!effort.spend_on_automaton(1));
    }

    #[test]
    fn it_is_renewed_while_the_reserve_lasts() {
        let effort = Effort::of_a_call(0);
        let mut calls = 1;
        loop {
            assert!(effort.spend(IN_ONE_GO));
            effort.renew();
            if effort.is_exhausted() {
                break;
            }
            calls += 1;
        }
        assert_eq!(calls, 1 + RENEWALS);
        effort.renew();
        assert!(!effort.spend(1));
        // What was hardly used costs hardly anything to renew.
        let effort = Effort::of_a_call(0);
        for _ in 0..10_000 {
            assert!(effort.spend(1_000));
            effort.renew();
        }
    }

    #[test]
    fn a_body_brings_more_but_no_longer_search() {
        let effort = Effort::of_a_call(1 << 20);
        assert!(effort.spend(IN_ONE_GO) && effort.spend(IN_ONE_GO) && effort.spend(IN_ONE_GO));
        assert!(!effort.spend(IN_ONE_GO));
        let effort = Effort::of_a_call(1 << 20);
        assert!(!effort.spend(IN_ONE_GO + 1));
        assert!(effort.is_exhausted());
    }

    #[test]
    fn sizes_beyond_all_measure_are_too_much() {
        for spend in [
            |effort: &Effort| effort.spend_on_comparison(usize::MAX),
            |effort: &Effort| effort.spend_on_automaton(usize::MAX),
            |effort: &Effort| effort.spend_on_learning(0, usize::MAX),
            |effort: &Effort| effort.spend_on_simulation(usize::MAX, usize::MAX),
        ] {
            let effort = Effort::of_a_call(0);
            assert!(!spend(&effort) && effort.is_exhausted());
        }
    }
}
