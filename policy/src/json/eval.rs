//! Evaluation of paths over a held document, in a bounded number of steps.

mod filter;
mod value;

use std::sync::Arc;

use self::filter::BYTES_PER_STEP;

use crate::{
    effort::{Effort, LOOK},
    memory,
};

use super::{
    Problem,
    doc::{Doc, MAX_VALUES, NodeId, ROOT},
    lexer::Kind,
    path::{JsonPath, Query, Segment, Selector},
    view::View,
};

/// Values looked at in one document, by one path of a filter or by all paths of a rule or meter.
pub const MAX_STEPS: usize = 1 << 21;

/// What may still be done.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    /// With less than this left, memory has to be asked for.
    ask_below: usize,
}

/// What a search may do without asking for memory, and how long a text it may do that in: what it
/// allocates then is some hundred KiB.
const FREE_STEPS: usize = 4 << 10;
const FREE_BYTES: usize = 16 << 10;

/// What one search allocates at most: its steps are as many nodes in lists, and so are the children
/// and what is below of the last node; a list that grows is there twice, and half of it once more.
/// Beside them are texts of values, which are a document's.
const LOOK_BYTES: usize =
    3 * (2 * MAX_STEPS + 2 * MAX_VALUES) * size_of::<NodeId>() + memory::TURN_BYTES;

/// Evaluates paths over one view of a document.
#[derive(Debug)]
pub(crate) struct Evaluator<'d, 't, 'b> {
    view: View<'d, 't>,
    budget: &'b mut Budget,
}

/// Whether a node that is found twice counts twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    Merged,
    /// What RFC 9535 calls a nodelist.
    Kept,
}

impl Budget {
    fn of(steps: usize) -> Self {
        Self {
            left: steps,
            ask_below: steps.saturating_sub(FREE_STEPS),
        }
    }

    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::of(MAX_STEPS)
    }

    /// Whether the effort bounds what may be done for a document.
    pub(crate) fn is_bounded_by(effort: &Effort) -> bool {
        looks(effort) < MAX_STEPS
    }

    /// What the effort is good for.
    pub(crate) fn within(effort: &Effort) -> Self {
        Self::of(MAX_STEPS.min(looks(effort)))
    }

    /// Looks at values as far as the effort goes, which pays for it.
    pub(crate) fn paid_by<T>(
        effort: &mut Effort,
        look: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        Self::within(effort).look(effort, look)
    }

    /// Looks at values as far as there is something left, and has the effort pay for it.
    pub(crate) fn look<T>(
        &mut self,
        effort: &mut Effort,
        look: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let before = self.left;
        self.ask_below = before.saturating_sub(FREE_STEPS);
        let seen = look(self);
        let looks = before.saturating_sub(self.left);
        effort.spend(looks.saturating_mul(LOOK))?;
        seen
    }

    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Problem> {
        self.left = self.left.checked_sub(steps).ok_or(Problem::TooMuchWork)?;
        if self.left < self.ask_below {
            self.ask()?;
        }
        Ok(())
    }

    fn ask(&mut self) -> Result<(), Problem> {
        self.ask_below = 0;
        Ok(memory::ask(LOOK_BYTES)?)
    }
}

/// How many an effort is good for.
fn looks(effort: &Effort) -> usize {
    usize::try_from(effort.left()).unwrap_or(usize::MAX) / LOOK
}

impl<'d, 't, 'b> Evaluator<'d, 't, 'b> {
    pub(crate) fn new(view: View<'d, 't>, budget: &'b mut Budget) -> Self {
        Self { view, budget }
    }

    /// The selected nodes, in document order.
    pub(crate) fn select(&mut self, path: &JsonPath) -> Result<Vec<NodeId>, Problem> {
        self.ask()?;
        self.run(path.segments(), ROOT, Repeats::Merged)
    }

    /// The containers in which the rest of the path, behind a proper prefix, may match.
    pub(crate) fn on_the_way(&mut self, path: &JsonPath) -> Result<Vec<NodeId>, Problem> {
        self.ask()?;
        let mut all = Vec::new();
        let mut nodes = vec![ROOT];
        for segment in path.segments() {
            if segment.is_descendant {
                all.append(&mut self.with_descendants(&nodes, Repeats::Merged)?);
            } else {
                let is_container = |node: &NodeId| self.doc().kind(*node) != Kind::Scalar;
                all.extend(nodes.iter().copied().filter(is_container));
            }
            nodes = self.step(segment, &nodes, Repeats::Merged)?;
        }
        Ok(all)
    }

    /// Of a long text one value may be more than may be taken without asking.
    fn ask(&mut self) -> Result<(), Problem> {
        if self.doc().json(ROOT).len() > FREE_BYTES {
            self.budget.ask()?;
        }
        Ok(())
    }

    fn query(
        &mut self,
        query: &Query,
        current: NodeId,
        repeats: Repeats,
    ) -> Result<Vec<NodeId>, Problem> {
        let start = if query.is_absolute { ROOT } else { current };
        self.run(&query.segments, start, repeats)
    }

    fn run(
        &mut self,
        segments: &[Arc<Segment>],
        start: NodeId,
        repeats: Repeats,
    ) -> Result<Vec<NodeId>, Problem> {
        let mut nodes = vec![start];
        for segment in segments {
            if nodes.is_empty() {
                break;
            }
            nodes = self.step(segment, &nodes, repeats)?;
        }
        Ok(nodes)
    }

    fn step(
        &mut self,
        segment: &Segment,
        nodes: &[NodeId],
        repeats: Repeats,
    ) -> Result<Vec<NodeId>, Problem> {
        let mut found = Vec::new();
        let from = if segment.is_descendant {
            &self.with_descendants(nodes, repeats)?
        } else {
            nodes
        };
        for node in from {
            for selector in &segment.selectors {
                self.children(selector, *node, &mut found)?;
            }
        }
        if repeats == Repeats::Merged {
            found.sort_unstable();
            found.dedup();
        }
        Ok(found)
    }

    /// The containers among the nodes and below them.
    fn with_descendants(
        &mut self,
        nodes: &[NodeId],
        repeats: Repeats,
    ) -> Result<Vec<NodeId>, Problem> {
        let mut all = Vec::new();
        let mut seen = 0;
        for node in nodes {
            // Merged nodes are in document order: what lies inside an earlier one is seen.
            if repeats == Repeats::Merged && *node < seen {
                continue;
            }
            seen = self.doc().past(*node);
            self.budget.spend(seen.saturating_sub(*node))?;
            let inside = self.view.subtree(*node);
            all.extend(inside.filter(|node| self.doc().kind(*node) != Kind::Scalar));
        }
        Ok(all)
    }

    fn children(
        &mut self,
        selector: &Selector,
        node: NodeId,
        found: &mut Vec<NodeId>,
    ) -> Result<(), Problem> {
        self.budget.spend(1)?;
        let (kind, view) = (self.doc().kind(node), self.view);
        let start = found.len();
        match (selector, kind) {
            (Selector::Name(name), Kind::Object) => {
                for child in view.children(node) {
                    self.budget.spend(1)?;
                    // To decode each escaped name at each visit could take minutes.
                    if !view.doc.may_be_named(child, name) {
                        continue;
                    }
                    let bytes = view.doc.name_bytes(child);
                    self.budget.spend(bytes / BYTES_PER_STEP)?;
                    if view.doc.is_named(child, name) {
                        found.push(child);
                    }
                }
            }
            (Selector::Any, Kind::Object | Kind::Array) => found.extend(view.children(node)),
            (Selector::Filter(filter), Kind::Object | Kind::Array) => {
                for child in view.children(node) {
                    if self.is_true(filter, child)? {
                        found.push(child);
                    }
                }
            }
            (Selector::Index(index), Kind::Array) => {
                let elements = self.elements(node)?;
                found.extend(at(&elements, *index));
            }
            (Selector::Slice { start, end, step }, Kind::Array) => {
                let elements = self.elements(node)?;
                slice(&elements, *start, *end, *step, found);
            }
            (_, Kind::Scalar)
            | (Selector::Name(_), Kind::Array)
            | (Selector::Index(_) | Selector::Slice { .. }, Kind::Object) => {}
        }
        self.budget.spend(found.len().saturating_sub(start))
    }

    fn elements(&mut self, array: NodeId) -> Result<Vec<NodeId>, Problem> {
        let elements: Vec<_> = self.view.children(array).collect();
        self.budget.spend(elements.len())?;
        Ok(elements)
    }

    fn doc(&self) -> &'d Doc<'t> {
        self.view.doc
    }
}

/// Counted from the end when negative.
fn at(elements: &[NodeId], index: i64) -> Option<NodeId> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let at = if index < 0 {
        elements.len().checked_sub(distance)?
    } else {
        distance
    };
    elements.get(at).copied()
}

/// RFC 9535 §2.3.4.2.2.
fn slice(
    elements: &[NodeId],
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
    found: &mut Vec<NodeId>,
) {
    let length = i64::try_from(elements.len()).unwrap_or(i64::MAX);
    let normal = |bound: i64| {
        if bound < 0 {
            length.saturating_add(bound)
        } else {
            bound
        }
    };
    let Ok(stride) = usize::try_from(step.unsigned_abs()) else {
        return;
    };
    if step > 0 {
        let lower = normal(start.unwrap_or(0)).clamp(0, length);
        let upper = normal(end.unwrap_or(length)).clamp(0, length);
        found.extend(range(elements, lower, upper).iter().step_by(stride));
    } else if step < 0 {
        let last = length.saturating_sub(1);
        let upper = start.map_or(last, normal).clamp(-1, last);
        let lower = end.map_or(-1, normal).clamp(-1, last);
        let inside = range(elements, lower.saturating_add(1), upper.saturating_add(1));
        found.extend(inside.iter().rev().step_by(stride));
    }
}

fn range(elements: &[NodeId], from: i64, to: i64) -> &[NodeId] {
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) => elements.get(from..to).unwrap_or_default(),
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
