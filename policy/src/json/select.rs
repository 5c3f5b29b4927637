//! Which nodes a set of paths selects, told level by level while a document goes by.
//!
//! An automaton: a state is a segment still to be passed, a level holds the states of one
//! container's children. What a level makes of a name is worked out once and remembered, so that a
//! list of many like objects costs a look-up per member, however many paths there are.

mod steps;

use std::{collections::BTreeMap, mem};

use self::steps::{Key, Steps};
use super::path::JsonPath;

/// What is said of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Groups with a path that selects the node.
    pub(crate) selected: Groups,
    /// Groups with a path that may select something below.
    pub(crate) alive: Groups,
}

/// A set of groups of paths; what a group means is the user's matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups(u8);

impl Groups {
    pub(crate) const FIRST: Self = Self(1);
    pub(crate) const SECOND: Self = Self(2);

    pub(crate) fn has(self, group: Self) -> bool {
        self.0 & group.0 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn add(&mut self, group: Self) {
        self.0 |= group.0;
    }
}

/// Tells of each node in document order whether it is selected.
pub(crate) trait Select {
    /// The root.
    fn root(&mut self) -> Answer;
    /// A member of the container entered last, by its decoded name.
    fn member(&mut self, name: &[u8]) -> Answer;
    /// An element of the container entered last.
    fn element(&mut self, index: u64) -> Answer;
    /// Goes into the node asked for last.
    fn enter(&mut self);
    /// Goes back to where the container's own siblings are.
    fn leave(&mut self);
    /// Forgets where it is, for another document.
    fn reset(&mut self);
    /// What was worked out and not looked up since this was asked last, in steps.
    fn take_work(&mut self) -> usize;
}

/// States that are remembered, in all levels together, unless more are open.
const ROOM: usize = 1 << 16;

/// Runs a set of paths over one document.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    steps: Steps,
    levels: Vec<Level>,
    /// Each level by its states.
    known: BTreeMap<Box<[usize]>, LevelId>,
    /// The first is of what is not remembered.
    outcomes: Vec<Outcome>,
    /// The levels of the open containers.
    open: Vec<LevelId>,
    /// What is said of the node asked for last.
    last: OutcomeId,
    /// States and slots that are remembered.
    used: usize,
    /// How many of them may be.
    room: usize,
    /// Of every document's root, once it is known.
    root: Option<OutcomeId>,
    /// Selectors tried and states moved, of which nobody was told.
    work: usize,
}

type LevelId = usize;
type OutcomeId = usize;

/// The outcome of a node that is not remembered.
const FLEETING: OutcomeId = 0;

/// What may be selected among the children of a container.
#[derive(Debug)]
struct Level {
    states: Box<[usize]>,
    /// By the number of the name.
    named: Box<[Option<OutcomeId>]>,
    /// Of all names that no path has.
    unnamed: Option<OutcomeId>,
    /// Of elements, when their index says nothing.
    element: Option<OutcomeId>,
    is_index_blind: bool,
}

/// What is said of a node, and what its children may be.
#[derive(Clone, Debug, Default)]
struct Outcome {
    answer: Answer,
    /// The numbers of the paths that select it.
    selected: Vec<usize>,
    states: Vec<usize>,
    /// The level of these states, once it is needed.
    level: Option<LevelId>,
}

impl Selection {
    /// Adds a path; its number is how many there were before.
    pub(crate) fn add(&mut self, path: &JsonPath, group: Groups) {
        self.steps.add(path, group);
    }

    /// The numbers of the paths that select the node asked for last. A path may be named twice.
    pub(crate) fn selected(&self) -> &[usize] {
        let last = self.outcomes.get(self.last);
        last.map(|last| last.selected.as_slice())
            .unwrap_or_default()
    }

    #[inline]
    fn say(&mut self, outcome: OutcomeId) -> Answer {
        self.last = outcome;
        let outcome = self.outcomes.get(outcome);
        outcome.map(|outcome| outcome.answer).unwrap_or_default()
    }

    /// Works an outcome out for the level that is open.
    fn work_out(&mut self, key: Key<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        if let Some(level) = self.open.last().and_then(|level| self.levels.get(*level)) {
            let (states, selected) = (&mut outcome.states, &mut outcome.selected);
            outcome.answer = self.steps.pass(&level.states, key, states, selected);
        }
        // Measured: to try one takes about as long as to read two bytes.
        let tried = self.steps.take_tried().saturating_mul(2);
        self.work = self.work.saturating_add(tried);
        outcome
    }

    fn say_fleeting(&mut self, outcome: Outcome) -> Answer {
        if let Some(fleeting) = self.outcomes.get_mut(FLEETING) {
            *fleeting = outcome;
        } else {
            self.outcomes.push(outcome);
        }
        self.say(FLEETING)
    }

    /// Works an outcome out that is not yet in its slot, and puts it there.
    #[cold]
    fn learn(&mut self, key: Key<'_>, slot: Slot) -> Answer {
        let outcome = self.work_out(key);
        let id = self.outcomes.len();
        let level = self
            .open
            .last()
            .and_then(|level| self.levels.get_mut(*level));
        let Some(place) = level.and_then(|level| level.slot(slot)) else {
            return self.say_fleeting(outcome);
        };
        *place = Some(id);
        self.used = self
            .used
            .saturating_add(outcome.states.len())
            .saturating_add(1);
        self.outcomes.push(outcome);
        self.say(id)
    }

    /// The level of the node asked for last.
    #[cold]
    fn level(&mut self) -> LevelId {
        if self.used > self.room {
            self.forget();
        }
        let states = match self.outcomes.get_mut(self.last) {
            Some(outcome) => outcome.states.clone(),
            None => Vec::new(),
        };
        let level = self.level_of(states);
        if self.last != FLEETING
            && let Some(outcome) = self.outcomes.get_mut(self.last)
        {
            outcome.level = Some(level);
        }
        level
    }

    fn level_of(&mut self, mut states: Vec<usize>) -> LevelId {
        // The same states are the same level, whatever order they came in.
        states.sort_unstable();
        let states: Box<[usize]> = states.into();
        self.work = self.work.saturating_add(states.len());
        if let Some(level) = self.known.get(&states) {
            return *level;
        }
        let level = self.levels.len();
        let named = vec![None; self.steps.names()].into_boxed_slice();
        let size = states.len().saturating_add(named.len());
        self.work = self.work.saturating_add(size);
        self.used = self.used.saturating_add(size);
        self.levels.push(Level {
            is_index_blind: self.steps.are_index_blind(&states),
            states: states.clone(),
            named,
            unnamed: None,
            element: None,
        });
        self.known.insert(states, level);
        level
    }

    /// Starts to remember anew, with what is open.
    fn forget(&mut self) {
        let last = self.outcomes.get(self.last).cloned().unwrap_or_default();
        let levels = mem::take(&mut self.levels);
        self.known.clear();
        self.outcomes.clear();
        self.root = None;
        self.used = 0;
        let open = mem::take(&mut self.open);
        self.open = open
            .into_iter()
            .map(|level| {
                let states = levels.get(level).map(|level| level.states.to_vec());
                self.level_of(states.unwrap_or_default())
            })
            .collect();
        // It grows with what is open, so that the work is bounded by what was learnt.
        self.room = ROOM.max(self.used.saturating_mul(2));
        self.say_fleeting(Outcome {
            level: None,
            ..last
        });
    }
}

/// A place for an outcome in a level.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Named(usize),
    Unnamed,
    Element,
}

impl Level {
    fn slot(&mut self, slot: Slot) -> Option<&mut Option<OutcomeId>> {
        match slot {
            Slot::Named(name) => self.named.get_mut(name),
            Slot::Unnamed => Some(&mut self.unnamed),
            Slot::Element => Some(&mut self.element),
        }
    }
}

impl Select for Selection {
    fn root(&mut self) -> Answer {
        // A deep document before may have made it larger.
        self.room = ROOM;
        if let Some(root) = self.root {
            return self.say(root);
        }
        let mut outcome = Outcome::default();
        outcome.answer = self.steps.start(&mut outcome.states, &mut outcome.selected);
        if self.outcomes.is_empty() {
            self.outcomes.push(Outcome::default());
        }
        let size = outcome.states.len().saturating_add(1);
        self.work = self.work.saturating_add(size);
        self.used = self.used.saturating_add(size);
        let root = self.outcomes.len();
        self.root = Some(root);
        self.outcomes.push(outcome);
        self.say(root)
    }

    #[inline]
    fn member(&mut self, name: &[u8]) -> Answer {
        let number = self.steps.number_of(name);
        let level = self.open.last().and_then(|level| self.levels.get(*level));
        let (known, slot) = match number {
            Some(number) => (
                level.and_then(|level| level.named.get(number).copied().flatten()),
                Slot::Named(number),
            ),
            None => (level.and_then(|level| level.unnamed), Slot::Unnamed),
        };
        match known {
            Some(outcome) => self.say(outcome),
            None => self.learn(Key::Name(name), slot),
        }
    }

    #[inline]
    fn element(&mut self, index: u64) -> Answer {
        let level = self.open.last().and_then(|level| self.levels.get(*level));
        match level {
            Some(level) if level.is_index_blind => match level.element {
                Some(outcome) => self.say(outcome),
                None => self.learn(Key::Index(index), Slot::Element),
            },
            Some(_) | None => {
                let outcome = self.work_out(Key::Index(index));
                self.say_fleeting(outcome)
            }
        }
    }

    #[inline]
    fn enter(&mut self) {
        let known = self.outcomes.get(self.last).and_then(|last| last.level);
        let level = known.unwrap_or_else(|| self.level());
        self.open.push(level);
    }

    #[inline]
    fn leave(&mut self) {
        self.open.pop();
    }

    fn reset(&mut self) {
        self.open.clear();
    }

    #[inline]
    fn take_work(&mut self) -> usize {
        mem::take(&mut self.work)
    }
}

#[cfg(test)]
mod tests;
