//! Readings of a held document: a parser that keeps one of several members of the same name may
//! keep any, and a filter expression may see the difference. So each way is tried.

use super::{
    Problem,
    doc::{Doc, Key, NodeId},
    lexer::Kind,
};

/// Ways to read one document.
pub const MAX_READINGS: usize = 64;

/// A document as one reader sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'d, 't> {
    pub(crate) doc: &'d Doc<'t>,
    /// Members that this reader drops, in document order.
    hidden: &'d [NodeId],
}

/// The members of one name in one object, more than one.
type Choice = Vec<NodeId>;

/// All ways to read a document.
#[derive(Debug)]
pub(crate) struct Readings {
    /// The dropped members of each way.
    hidden: Vec<Vec<NodeId>>,
}

impl<'d, 't> View<'d, 't> {
    /// Every member is seen.
    pub(crate) fn whole(doc: &'d Doc<'t>) -> Self {
        Self { doc, hidden: &[] }
    }

    /// The values directly in a container.
    pub(crate) fn children(self, node: NodeId) -> impl Iterator<Item = NodeId> + use<'d, 't> {
        let end = self.doc.past(node);
        let mut next = node.saturating_add(1);
        std::iter::from_fn(move || {
            while next < end {
                let child = next;
                next = self.doc.past(child);
                if !self.is_hidden(child) {
                    return Some(child);
                }
            }
            None
        })
    }

    /// A value and all inside it.
    pub(crate) fn subtree(self, node: NodeId) -> impl Iterator<Item = NodeId> + use<'d, 't> {
        let end = self.doc.past(node);
        let mut next = node;
        std::iter::from_fn(move || {
            while next < end {
                let here = next;
                if self.is_hidden(here) {
                    next = self.doc.past(here);
                    continue;
                }
                next = here.saturating_add(1);
                return Some(here);
            }
            None
        })
    }

    fn is_hidden(self, node: NodeId) -> bool {
        !self.hidden.is_empty() && self.hidden.binary_search(&node).is_ok()
    }
}

impl Readings {
    pub(crate) fn of(doc: &Doc<'_>) -> Result<Self, Problem> {
        let mut hidden = vec![Vec::new()];
        for choice in choices(doc) {
            if hidden.len().saturating_mul(choice.len()) > MAX_READINGS {
                return Err(Problem::TooManyReadings);
            }
            let kept = |kept: &NodeId| {
                let others = choice.iter().copied().filter(|other| *other != *kept);
                others.collect::<Vec<_>>()
            };
            let dropped: Vec<_> = choice.iter().map(kept).collect();
            let with = |earlier: &Vec<NodeId>| {
                let all = dropped
                    .iter()
                    .map(|more| [earlier.as_slice(), more].concat());
                all.collect::<Vec<_>>()
            };
            hidden = hidden.iter().flat_map(with).collect();
        }
        for reading in &mut hidden {
            reading.sort_unstable();
        }
        Ok(Self { hidden })
    }

    pub(crate) fn len(&self) -> usize {
        self.hidden.len()
    }

    pub(crate) fn views<'d, 't>(
        &'d self,
        doc: &'d Doc<'t>,
    ) -> impl Iterator<Item = View<'d, 't>> + use<'d, 't> {
        self.hidden.iter().map(move |hidden| View { doc, hidden })
    }
}

/// The repeated names of a document.
fn choices<'d>(doc: &'d Doc<'_>) -> impl Iterator<Item = Choice> + use<'d> {
    let is_object = |node: &NodeId| doc.kind(*node) == Kind::Object;
    let objects = (0..doc.len()).filter(is_object);
    objects.flat_map(|object| {
        let children = View::whole(doc).children(object);
        let mut members: Vec<(Key<'_>, NodeId)> =
            children.map(|child| (doc.key(child), child)).collect();
        members.sort_unstable();
        let groups = members.chunk_by(|(left, _), (right, _)| left == right);
        let repeated = groups.filter(|group| group.len() > 1);
        let nodes = repeated.map(|group| group.iter().map(|(_, node)| *node).collect());
        nodes.collect::<Vec<Choice>>()
    })
}

#[cfg(test)]
mod tests;
