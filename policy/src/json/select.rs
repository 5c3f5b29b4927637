//! Which nodes a set of paths selects, told level by level while a document goes by.
//!
//! An automaton: a state is a segment still to be passed, a level holds the states of one
//! container's children. Work per node is bounded by the number of segments.

use std::sync::Arc;

use super::path::{JsonPath, Segment, Selector};

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
}

/// One segment of one path.
#[derive(Debug)]
struct Step {
    segment: Arc<Segment>,
    is_last: bool,
    group: Groups,
    /// The path's number.
    path: usize,
}

/// Runs a set of paths over one document.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    steps: Vec<Step>,
    /// The first step of each path.
    starts: Vec<usize>,
    /// Paths that are `$`: number and group.
    roots: Vec<(usize, Groups)>,
    /// States of all open levels, then those of the node asked for last.
    states: Vec<usize>,
    /// Where each open level starts.
    levels: Vec<usize>,
    /// Where the states of the node asked for last start.
    level_end: usize,
    /// For each state, the last node that got it.
    stamps: Vec<u64>,
    stamp: u64,
    /// Numbers of the paths that selected the node asked for last.
    selected: Vec<usize>,
}

impl Selection {
    /// Adds a path; its number is how many there were before.
    pub(crate) fn add(&mut self, path: &JsonPath, group: Groups) {
        let number = self.starts.len().saturating_add(self.roots.len());
        let last = path.segments().len();
        if last == 0 {
            self.roots.push((number, group));
            return;
        }
        self.starts.push(self.steps.len());
        for (at, segment) in path.segments().iter().enumerate() {
            self.steps.push(Step {
                segment: Arc::clone(segment),
                is_last: at.saturating_add(1) == last,
                group,
                path: number,
            });
            self.stamps.push(0);
        }
    }

    /// The numbers of the paths that select the node asked for last. A path may be named twice.
    pub(crate) fn selected(&self) -> &[usize] {
        &self.selected
    }

    #[inline]
    fn child(&mut self, key: Key<'_>) -> Answer {
        let start = self.levels.last().copied().unwrap_or_default();
        self.states.truncate(self.level_end);
        self.selected.clear();
        self.stamp = self.stamp.wrapping_add(1);
        let mut answer = Answer::default();
        for at in start..self.level_end {
            let Some(&state) = self.states.get(at) else {
                break;
            };
            let Some(step) = self.steps.get(state) else {
                break;
            };
            let (group, is_last, path) = (step.group, step.is_last, step.path);
            let is_match = step
                .segment
                .selectors
                .iter()
                .any(|one| key.is_selected(one));
            if step.segment.is_descendant {
                self.put(state);
                answer.alive.add(group);
            }
            if !is_match {
                continue;
            }
            if is_last {
                answer.selected.add(group);
                self.selected.push(path);
            } else {
                self.put(state.wrapping_add(1));
                answer.alive.add(group);
            }
        }
        answer
    }

    /// Gives the node asked for last a state, once.
    #[inline]
    fn put(&mut self, state: usize) {
        let Some(stamp) = self.stamps.get_mut(state) else {
            return;
        };
        if *stamp != self.stamp {
            *stamp = self.stamp;
            self.states.push(state);
        }
    }
}

impl Select for Selection {
    fn root(&mut self) -> Answer {
        let mut answer = Answer::default();
        for (path, group) in &self.roots {
            answer.selected.add(*group);
            self.selected.push(*path);
        }
        self.states.extend_from_slice(&self.starts);
        for start in &self.starts {
            if let Some(step) = self.steps.get(*start) {
                answer.alive.add(step.group);
            }
        }
        answer
    }

    #[inline]
    fn member(&mut self, name: &[u8]) -> Answer {
        self.child(Key::Name(name))
    }

    #[inline]
    fn element(&mut self, index: u64) -> Answer {
        self.child(Key::Index(index))
    }

    #[inline]
    fn enter(&mut self) {
        self.levels.push(self.level_end);
        self.level_end = self.states.len();
    }

    #[inline]
    fn leave(&mut self) {
        let start = self.levels.pop().unwrap_or_default();
        self.states.truncate(start);
        self.level_end = start;
    }
}

/// How a node is found in its container.
#[derive(Clone, Copy, Debug)]
enum Key<'k> {
    Name(&'k [u8]),
    Index(u64),
}

impl Key<'_> {
    /// Selectors that a stream cannot decide select nothing here.
    #[inline]
    fn is_selected(self, selector: &Selector) -> bool {
        match (self, selector) {
            (_, Selector::Any) => true,
            (Self::Name(name), Selector::Name(wanted)) => wanted.as_bytes() == name,
            (Self::Index(index), Selector::Index(wanted)) => u64::try_from(*wanted) == Ok(index),
            (Self::Index(index), Selector::Slice { start, end, step }) => {
                is_in_slice(index, *start, *end, *step)
            }
            _ => false,
        }
    }
}

fn is_in_slice(index: u64, start: Option<i64>, end: Option<i64>, step: i64) -> bool {
    let bound = |bound: Option<i64>, open: u64| match bound {
        Some(at) => u64::try_from(at).ok(),
        None => Some(open),
    };
    let (Some(start), Some(end)) = (bound(start, 0), bound(end, u64::MAX)) else {
        return false;
    };
    let Ok(step) = u64::try_from(step) else {
        return false;
    };
    let behind = index.checked_sub(start);
    index < end && behind.is_some_and(|behind| behind.checked_rem(step) == Some(0))
}

#[cfg(test)]
mod tests;
