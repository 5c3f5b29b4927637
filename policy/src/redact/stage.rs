//! Filters and stages, and what a stage makes of a node.

use std::sync::Arc;

use crate::json::{
    path::JsonPath,
    select::{Answer, Groups, Selection},
};

/// What a filter does with what its paths select.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It stays, and what no retain filter selects goes.
    Retain,
    /// It goes.
    Destroy,
}

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What the user knows it by.
    pub id: Arc<str>,
    /// What it does.
    pub operation: Operation,
    /// To which nodes.
    pub paths: Vec<JsonPath>,
}

/// The filters of one layer that apply to a call.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// In any order.
    pub filters: Vec<Arc<Filter>>,
}

pub(super) const RETAINED: Groups = Groups::FIRST;
pub(super) const DESTROYED: Groups = Groups::SECOND;

impl Operation {
    pub(super) fn group(self) -> Groups {
        match self {
            Self::Retain => RETAINED,
            Self::Destroy => DESTROYED,
        }
    }
}

impl Stage {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Whether all its paths can be decided on a stream.
    pub fn is_streamable(&self) -> bool {
        self.paths().all(|(_, path)| path.is_streamable())
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = (&Arc<Filter>, &JsonPath)> {
        let filters = self.filters.iter();
        filters.flat_map(|filter| filter.paths.iter().map(move |path| (filter, path)))
    }

    pub(super) fn has_retain(&self) -> bool {
        let is_retain = |filter: &Arc<Filter>| filter.operation == Operation::Retain;
        self.filters.iter().any(is_retain)
    }

    pub(super) fn selection(&self) -> Selection {
        let mut selection = Selection::default();
        for (filter, path) in self.paths() {
            selection.add(path, filter.operation.group());
        }
        selection
    }
}

/// What becomes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays with all that is in it.
    Stays,
    /// It goes with all that is in it.
    Goes,
    /// The container stays; each of its children has a fate of its own.
    Opens {
        /// Whether children stay unless they are destroyed.
        is_retained: bool,
    },
}

/// The fate of a node in a container whose children stay unless destroyed (`is_retained`) or go
/// unless retained.
#[inline]
pub(super) fn fate(answer: Answer, is_retained: bool, is_container: bool) -> Fate {
    // A destroy path has the last word, also over a retain path of the same node.
    if answer.selected.has(DESTROYED) {
        return Fate::Goes;
    }
    if is_retained || answer.selected.has(RETAINED) {
        if is_container && answer.alive.has(DESTROYED) {
            return Fate::Opens { is_retained: true };
        }
        return Fate::Stays;
    }
    if is_container && answer.alive.has(RETAINED) {
        return Fate::Opens { is_retained: false };
    }
    Fate::Goes
}

#[cfg(test)]
mod tests;
