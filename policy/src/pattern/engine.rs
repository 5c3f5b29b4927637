//! Searching with a bound on the work: a lazy automaton, and where that fails a simulation.
//!
//! Both are linear in the text, but the simulation also in the size of the pattern. Long texts that
//! drive a large pattern into it would hold a worker for seconds, so what a call may cost is counted.

use regex_automata::{
    Input,
    hybrid::dfa::{self, DFA},
    nfa::thompson::{self, WhichCaptures, pikevm::PikeVM},
};
use regex_syntax::hir::Hir;

use super::{
    edges::Edges,
    effort::Effort,
    learnt::{AUTOMATON_BYTES, Learnt},
};

/// A compiled regular expression.
pub(super) struct Engine {
    edges: Edges,
    automaton: DFA,
    learnt: Learnt,
    simulation: PikeVM,
    states: usize,
}

/// The pattern is too large.
pub(super) struct TooLarge;

/// Largest compiled form.
const COMPILED_BYTES: usize = 256 << 10;
/// An automaton has failed when it forgot everything this often, and then
const FORGOTTEN: usize = 3;
/// advances by fewer bytes for each thing it learns.
const BYTES_A_STATE: usize = 64;

impl Engine {
    pub(super) fn compile(hir: &Hir) -> Result<Self, TooLarge> {
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .which_captures(WhichCaptures::None)
                    // Checked as it grows: `((a{100}){100}){100}` is a million states.
                    .nfa_size_limit(Some(COMPILED_BYTES)),
            )
            .build_from_hir(hir)
            .map_err(|_| TooLarge)?;
        let config = dfa::Config::new()
            // ASCII texts keep the automaton; it gives up at the first other byte.
            .unicode_word_boundary(true)
            .cache_capacity(AUTOMATON_BYTES)
            // A pattern that needs more than that gets the least that it needs, not an error.
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(FORGOTTEN))
            .minimum_bytes_per_state(Some(BYTES_A_STATE));
        Ok(Self {
            edges: Edges::of(hir),
            automaton: dfa::Builder::new()
                .configure(config)
                .build_from_nfa(nfa.clone())
                .map_err(|_| TooLarge)?,
            learnt: Learnt::nothing(),
            states: nfa.states().len(),
            simulation: PikeVM::new_from_nfa(nfa).map_err(|_| TooLarge)?,
        })
    }

    /// Whether there is a match anywhere; false when the effort does not suffice to tell.
    pub(super) fn is_match(&self, text: &str, effort: &Effort) -> bool {
        if !self.edges.allow(text) {
            // Whether or not that was too much, it does not match.
            effort.spend_on_comparison(text.len());
            return false;
        }
        if !effort.spend_on_automaton(text.len()) {
            return false;
        }
        // That there is a match is asked, not where it ends.
        let input = Input::new(text).earliest(true);
        let searched = self.learnt.search(&self.automaton, &input);
        if !effort.spend_on_learning(searched.made_bytes, searched.learnt_bytes) {
            return false;
        }
        // It also fails on Unicode word boundaries.
        searched.found.unwrap_or_else(|_| {
            effort.spend_on_simulation(text.len(), self.states)
                && self
                    .simulation
                    .is_match(&mut self.simulation.create_cache(), input)
        })
    }

    /// Without what the automaton learns, which is bounded by itself.
    pub(super) fn memory_bytes(&self) -> usize {
        self.edges.memory_bytes()
            + self.automaton.memory_usage()
            + self.simulation.get_nfa().memory_usage()
    }
}

#[cfg(test)]
mod tests;
