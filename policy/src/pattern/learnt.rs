//! What automata remember of the texts they have seen, within one bound for all of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use regex_automata::{
    Input, MatchError,
    hybrid::dfa::{Cache, DFA},
};

/// What one automaton may remember.
pub(super) const AUTOMATON_BYTES: usize = 256 << 10;
/// What all automata of the process may remember together. Beyond it all of them begin anew, so
/// that no number of patterns, policies and texts fills the memory of a worker.
const ALL_BYTES: usize = 64 << 20;

/// What one automaton remembers; nothing before its first search.
pub(super) struct Learnt {
    memory: Arc<Mutex<Option<Memory>>>,
    all: &'static Mutex<All>,
}

struct Memory {
    cache: Cache,
    bytes: usize,
}

/// What came of a search.
pub(super) struct Searched {
    /// An error when the automaton failed.
    pub(super) found: Result<bool, MatchError>,
    /// Bytes that it made room for, because this was its first search.
    pub(super) made_bytes: usize,
    /// Bytes that it learnt, each of them at the cost of several steps.
    pub(super) learnt_bytes: usize,
}

/// Who remembers something, and how much all of them may.
struct All {
    holders: Vec<Weak<Mutex<Option<Memory>>>>,
    bytes: usize,
    max_bytes: usize,
}

static ALL: Mutex<All> = Mutex::new(All::up_to(ALL_BYTES));

impl Learnt {
    pub(super) fn nothing() -> Self {
        Self::nothing_of(&ALL)
    }

    fn nothing_of(all: &'static Mutex<All>) -> Self {
        Self {
            memory: Arc::default(),
            all,
        }
    }

    pub(super) fn search(&self, automaton: &DFA, input: &Input<'_>) -> Searched {
        let mut held = lock(&self.memory);
        let mut made_bytes = 0;
        let memory = held.get_or_insert_with(|| {
            let memory = Memory::new(automaton);
            made_bytes = memory.bytes;
            memory
        });
        let found = automaton.try_search_fwd(&mut memory.cache, input);
        let learnt_bytes = memory.grow();
        // All are locked one after the other below.
        drop(held);
        if made_bytes > 0 || learnt_bytes > 0 {
            self.account(made_bytes, learnt_bytes);
        }
        Searched {
            found: found.map(|end| end.is_some()),
            made_bytes,
            learnt_bytes,
        }
    }

    fn account(&self, made_bytes: usize, learnt_bytes: usize) {
        let mut all = lock(self.all);
        if made_bytes > 0 {
            all.holders.push(Arc::downgrade(&self.memory));
        }
        all.bytes = all
            .bytes
            .saturating_add(made_bytes.saturating_add(learnt_bytes));
        if all.bytes <= all.max_bytes {
            return;
        }
        all.bytes = 0;
        let holders = std::mem::take(&mut all.holders);
        // Not held while searches of others are waited for.
        drop(all);
        for holder in holders.iter().filter_map(Weak::upgrade) {
            *lock(&holder) = None;
        }
    }
}

impl All {
    const fn up_to(max_bytes: usize) -> Self {
        Self {
            holders: Vec::new(),
            bytes: 0,
            max_bytes,
        }
    }
}

impl Memory {
    fn new(automaton: &DFA) -> Self {
        let cache = automaton.create_cache();
        let bytes = cache.memory_usage();
        Self { cache, bytes }
    }

    /// Bytes learnt since it was asked last.
    fn grow(&mut self) -> usize {
        let before = self.bytes;
        self.bytes = self.cache.memory_usage();
        // Less than before: it was full, forgot everything and began again.
        self.bytes.checked_sub(before).unwrap_or(AUTOMATON_BYTES)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(super) mod tests {
    use regex_automata::hybrid::dfa;

    use super::*;

    /// Random `a` and `b`, always the same.
    pub(in crate::pattern) fn unseen_text(length: usize) -> String {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let letters = (0..length).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state & 1 == 0 { 'a' } else { 'b' }
        });
        letters.collect()
    }

    fn automaton() -> DFA {
        let automaton = dfa::Builder::new()
            .configure(dfa::Config::new().cache_capacity(AUTOMATON_BYTES))
            .build("a[ab]{9}cN");
        automaton.unwrap()
    }

    #[test]
    fn the_first_search_learns_and_the_same_search_again_does_not() {
        let (automaton, learnt) = (automaton(), Learnt::nothing());
        let text = unseen_text(64);
        let input = Input::new(&text);
        let first = learnt.search(&automaton, &input);
        assert!(first.made_bytes > 0);
        assert!(first.learnt_bytes > text.len() * 16);
        assert!(!first.found.unwrap());
        let second = learnt.search(&automaton, &input);
        assert_eq!((second.made_bytes, second.learnt_bytes), (0, 0));
    }

    #[test]
    fn all_together_remember_no_more_than_the_bound() {
        const MAX_BYTES: usize = 1 << 20;
        static FEW: Mutex<All> = Mutex::new(All::up_to(MAX_BYTES));
        let automaton = automaton();
        let text = unseen_text(300);
        let learnt: Vec<Learnt> = (0..100).map(|_| Learnt::nothing_of(&FEW)).collect();
        let mut taken = 0_usize;
        for one in &learnt {
            let searched = one.search(&automaton, &Input::new(&text));
            taken += searched.made_bytes + searched.learnt_bytes;
        }
        let memories = learnt.iter().map(|one| lock(&one.memory));
        let held: usize = memories
            .filter_map(|memory| memory.as_ref().map(|memory| memory.bytes))
            .sum();
        assert!(taken > 2 * MAX_BYTES, "the test is too small: {taken}");
        assert!(held <= MAX_BYTES, "{held}");
        // Whoever forgot learns again.
        let again = learnt[0].search(&automaton, &Input::new(&text));
        assert!(again.made_bytes > 0);
    }
}
