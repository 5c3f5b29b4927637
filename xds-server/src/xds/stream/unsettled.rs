//! What a node has yet to take or refuse, by revision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::xds::resource::ResourceKind;

type Key = (ResourceKind, Arc<str>);

/// Resources whose present state the node has neither acknowledged nor refused.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    since: BTreeMap<Key, u64>,
    by_revision: BTreeSet<(u64, Key)>,
}

impl Unsettled {
    /// The resource changed with `revision`; an older change that is still open counts on.
    pub(super) fn open(&mut self, key: Key, revision: u64) {
        if !self.since.contains_key(&key) {
            self.by_revision.insert((revision, key.clone()));
            self.since.insert(key, revision);
        }
    }

    /// The node has answered for the present state of the resource.
    pub(super) fn settle(&mut self, key: &Key) {
        if let Some(revision) = self.since.remove(key) {
            self.by_revision.remove(&(revision, key.clone()));
        }
    }

    /// The lowest revision that is not settled.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.by_revision.first().map(|(revision, _)| *revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        (ResourceKind::Route, name.into())
    }

    #[test]
    fn the_oldest_open_change_counts() {
        let mut unsettled = Unsettled::default();
        assert_eq!(unsettled.oldest(), None);
        unsettled.open(key("a"), 7);
        unsettled.open(key("b"), 5);
        unsettled.open(key("b"), 9);
        assert_eq!(unsettled.oldest(), Some(5));
        unsettled.settle(&key("b"));
        assert_eq!(unsettled.oldest(), Some(7));
        unsettled.settle(&key("a"));
        unsettled.settle(&key("a"));
        assert_eq!(unsettled.oldest(), None);
    }
}
