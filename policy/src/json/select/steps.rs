//! The automaton's states: the segments of all paths.

use std::sync::Arc;

use super::{Answer, Groups};
use crate::json::path::{JsonPath, Segment, Selector};

/// The segments of a set of paths.
#[derive(Debug, Default)]
pub(super) struct Steps {
    all: Vec<Step>,
    /// The first step of each path that has one.
    starts: Vec<usize>,
    /// Paths that are `$`: number and group.
    roots: Vec<(usize, Groups)>,
    /// All names in selectors, by length, then bytes.
    names: Vec<Box<[u8]>>,
    /// The lengths of names, a bit for each; most names of a document have another.
    lengths: u64,
    /// For each state, the last node that got it.
    stamps: Vec<u64>,
    stamp: u64,
    /// Selectors tried, of which nobody was told.
    tried: usize,
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

impl Steps {
    pub(super) fn add(&mut self, path: &JsonPath, group: Groups) {
        let number = self.starts.len().saturating_add(self.roots.len());
        let last = path.segments().len();
        if last == 0 {
            self.roots.push((number, group));
            return;
        }
        self.starts.push(self.all.len());
        for (at, segment) in path.segments().iter().enumerate() {
            self.add_names(segment);
            self.all.push(Step {
                segment: Arc::clone(segment),
                is_last: at.saturating_add(1) == last,
                group,
                path: number,
            });
            self.stamps.push(0);
        }
    }

    fn add_names(&mut self, segment: &Segment) {
        for selector in &segment.selectors {
            if let Selector::Name(name) = selector
                && let Err(at) = self.find_name(name.as_bytes())
            {
                self.names.insert(at, name.as_bytes().into());
                self.lengths |= length_bit(name.len());
            }
        }
    }

    fn find_name(&self, name: &[u8]) -> Result<usize, usize> {
        let order = |known: &[u8]| known.len().cmp(&name.len()).then_with(|| known.cmp(name));
        self.names.binary_search_by(|known| order(known))
    }

    /// How many names there are.
    pub(super) fn names(&self) -> usize {
        self.names.len()
    }

    /// The number of a name that some path has.
    #[inline]
    pub(super) fn number_of(&self, name: &[u8]) -> Option<usize> {
        if self.lengths & length_bit(name.len()) == 0 {
            return None;
        }
        self.find_name(name).ok()
    }

    /// Whether none of the states looks at an element's index.
    pub(super) fn are_index_blind(&self, states: &[usize]) -> bool {
        let is_blind = |one: &Selector| !matches!(one, Selector::Index(_) | Selector::Slice { .. });
        let mut steps = states.iter().filter_map(|state| self.all.get(*state));
        steps.all(|step| step.segment.selectors.iter().all(is_blind))
    }

    /// What is said of the root.
    pub(super) fn start(&self, states: &mut Vec<usize>, selected: &mut Vec<usize>) -> Answer {
        let mut answer = Answer::default();
        for (path, group) in &self.roots {
            answer.selected.add(*group);
            selected.push(*path);
        }
        for start in &self.starts {
            states.push(*start);
            if let Some(step) = self.all.get(*start) {
                answer.alive.add(step.group);
            }
        }
        answer
    }

    /// What is said of a child of a container with these states; adds the child's own states, and
    /// the numbers of the paths that select it.
    pub(super) fn pass(
        &mut self,
        states: &[usize],
        key: Key<'_>,
        passed: &mut Vec<usize>,
        selected: &mut Vec<usize>,
    ) -> Answer {
        // A stamp of its own for each node, so that no list of who has a state is cleared.
        self.stamp = self.stamp.wrapping_add(1);
        let mut answer = Answer::default();
        for state in states {
            let Some(step) = self.all.get(*state) else {
                continue;
            };
            self.tried = self.tried.saturating_add(step.segment.selectors.len());
            let (group, is_last, path) = (step.group, step.is_last, step.path);
            let is_match = step
                .segment
                .selectors
                .iter()
                .any(|one| key.is_selected(one));
            if step.segment.is_descendant {
                self.put(*state, passed);
                answer.alive.add(group);
            }
            if !is_match {
                continue;
            }
            if is_last {
                answer.selected.add(group);
                selected.push(path);
            } else {
                // The steps of one path follow each other.
                self.put(state.wrapping_add(1), passed);
                answer.alive.add(group);
            }
        }
        answer
    }

    /// How many selectors were tried since this was asked last.
    pub(super) fn take_tried(&mut self) -> usize {
        std::mem::take(&mut self.tried)
    }

    /// Gives a node a state, once.
    fn put(&mut self, state: usize, passed: &mut Vec<usize>) {
        let Some(stamp) = self.stamps.get_mut(state) else {
            return;
        };
        if *stamp != self.stamp {
            *stamp = self.stamp;
            passed.push(state);
        }
    }
}

/// The last bit stands for all lengths from there on.
#[inline]
fn length_bit(length: usize) -> u64 {
    let shift = u32::try_from(length.min(63)).unwrap_or(63);
    1_u64.wrapping_shl(shift)
}

/// How a node is found in its container.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'k> {
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
    // A step of 0, of which there is no remainder, selects nothing (RFC 9535 §2.3.4.2.2).
    index < end && behind.is_some_and(|behind| behind.checked_rem(step) == Some(0))
}
