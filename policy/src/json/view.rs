//! Readings of a held document: a parser that keeps one of several members of the same name may
//! keep any, and a filter expression may see the difference. So each way is tried.

use crate::{effort::Effort, memory};

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
    /// All of them, unless they are too many.
    pub(crate) async fn of(doc: &Doc<'_>, effort: &mut Effort) -> Result<Self, Problem> {
        let mut readings = Self {
            hidden: vec![Vec::new()],
        };
        for object in (0..doc.len()).filter(|node| doc.kind(*node) == Kind::Object) {
            for choice in choices(doc, object, effort).await? {
                readings.multiply(&choice)?;
            }
        }
        for reading in &mut readings.hidden {
            reading.sort_unstable();
        }
        Ok(readings)
    }

    /// One of the members is kept.
    fn multiply(&mut self, choice: &[NodeId]) -> Result<(), Problem> {
        // Before they are made, because each choice multiplies them.
        if self.hidden.len().saturating_mul(choice.len()) > MAX_READINGS {
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
        self.hidden = self.hidden.iter().flat_map(with).collect();
        Ok(())
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

/// The repeated names of an object.
async fn choices(
    doc: &Doc<'_>,
    object: NodeId,
    effort: &mut Effort,
) -> Result<Vec<Choice>, Problem> {
    let is_long = doc.json(object).len() > FREE_BYTES;
    let mut sorted: Vec<Vec<Member<'_>>> = Vec::new();
    let mut children = View::whole(doc).children(object).peekable();
    while children.peek().is_some() {
        if is_long {
            memory::ask(SORTED_BYTES)?;
        }
        // In parts, because a sort cannot rest.
        let some = children.by_ref().take(MEMBERS_AT_ONCE);
        let mut members: Vec<Member<'_>> = some.map(|child| (doc.key(child), child)).collect();
        members.sort_unstable();
        let bytes = members.iter().map(|(_, child)| doc.name_bytes(*child));
        let values = members.len().saturating_mul(SORTED);
        effort.tire(bytes.sum::<usize>().saturating_add(values));
        sorted.push(members);
        effort.rest().await;
    }
    let members = merged(sorted, effort).await?;
    if is_long {
        // All repeated names together are no more than they.
        memory::ask(members.len().saturating_mul(2 * size_of::<Member<'_>>()))?;
    }
    let groups = members.chunk_by(|(left, _), (right, _)| left == right);
    let repeated = groups.filter(|group| group.len() > 1);
    let nodes = repeated.map(|group| group.iter().map(|(_, node)| *node).collect());
    Ok(nodes.collect())
}

/// Of an object, with its name.
type Member<'t> = (Key<'t>, NodeId);

/// Members that are sorted without a rest.
const MEMBERS_AT_ONCE: usize = 1 << 12;
/// Of a shorter object they are too few to be asked for.
const FREE_BYTES: usize = 16 << 10;
/// What they allocate: a list that grows, and names that are decoded, all of one document.
const SORTED_BYTES: usize = MEMBERS_AT_ONCE * 4 * size_of::<Member<'_>>() + memory::TURN_BYTES;
/// What it costs to find the place of one, in steps.
const SORTED: usize = 64;

/// All of some sorted lists, in order.
async fn merged<'t>(
    mut lists: Vec<Vec<Member<'t>>>,
    effort: &mut Effort,
) -> Result<Vec<Member<'t>>, Problem> {
    while lists.len() > 1 {
        let mut pairs = std::mem::take(&mut lists).into_iter();
        while let Some(left) = pairs.next() {
            let merged = match pairs.next() {
                Some(right) => merge(left, right, effort).await?,
                None => left,
            };
            lists.push(merged);
        }
    }
    Ok(lists.pop().unwrap_or_default())
}

async fn merge<'t>(
    left: Vec<Member<'t>>,
    right: Vec<Member<'t>>,
    effort: &mut Effort,
) -> Result<Vec<Member<'t>>, Problem> {
    let mut both = Vec::new();
    both.try_reserve_exact(left.len().saturating_add(right.len()))
        .map_err(|_| Problem::NoMemory)?;
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let Some(next) = match (left.peek(), right.peek()) {
        (Some(one), Some(other)) if other < one => right.next(),
        (Some(_), _) => left.next(),
        (None, _) => right.next(),
    } {
        both.push(next);
        effort.tire(MERGED);
        effort.rest().await;
    }
    Ok(both)
}

/// What it costs to compare two names and move one, in steps.
const MERGED: usize = 8;

#[cfg(test)]
mod tests;
