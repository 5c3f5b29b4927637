//! What paths find in a document: all of it at once, or values as they stream by.

mod stream;

use std::borrow::Cow;

use crate::effort::Effort;

use super::{
    InvalidJson, Problem,
    doc::{Doc, NodeId},
    eval::{Budget, Evaluator},
    path::JsonPath,
    text::value_text,
    view::{Readings, View},
};

pub use self::stream::{Finder, Found, MAX_FOUND_BYTES};

/// Nodes that may be found in one document.
pub const MAX_FOUND: usize = 1 << 16;

/// A value that a path selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node<'t> {
    /// Which of the paths.
    pub path: usize,
    /// The value as it stands in the document.
    pub json: &'t str,
}

impl<'t> Node<'t> {
    /// The value as patterns see it (details 44): a string decoded, with U+FFFD for lone
    /// surrogates; anything else as it stands.
    pub fn text(&self) -> Cow<'t, str> {
        value_text(self.json)
    }
}

/// The nodes that each path selects in a complete document, by path, then in document order.
///
/// Of repeated names every occurrence is found. A filter expression is tried on each way to read the
/// document, and what any of them selects is found. A document that is no JSON, or has more
/// repeated names than are tried, or in which more than [`MAX_FOUND`] nodes are selected, is an
/// error: who denies by what is found must deny it.
pub fn find<'t>(paths: &[JsonPath], text: &'t [u8]) -> Result<Vec<Node<'t>>, InvalidJson> {
    find_within(paths, text, &mut Effort::unbounded())
}

/// As [`find`], as far as the effort goes.
pub(crate) fn find_within<'t>(
    paths: &[JsonPath],
    text: &'t [u8],
    effort: &mut Effort,
) -> Result<Vec<Node<'t>>, InvalidJson> {
    let doc = Doc::parse_within(text, effort)?;
    let found = Budget::paid_by(effort, |budget| find_in(paths, &doc, budget));
    found.map_err(|problem| InvalidJson { offset: 0, problem })
}

fn find_in<'t>(
    paths: &[JsonPath],
    doc: &Doc<'t>,
    budget: &mut Budget,
) -> Result<Vec<Node<'t>>, Problem> {
    let mut readings = None;
    let mut found = Vec::new();
    for (path, compiled) in paths.iter().enumerate() {
        let nodes = if compiled.is_streamable() {
            Evaluator::new(View::whole(doc), budget).select(compiled)?
        } else {
            let readings = match &readings {
                Some(readings) => readings,
                None => readings.insert(Readings::of(doc)?),
            };
            in_any_reading(compiled, doc, readings, budget)?
        };
        if found.len().saturating_add(nodes.len()) > MAX_FOUND {
            return Err(Problem::TooManyValues);
        }
        found.extend(nodes.into_iter().map(|node| Node {
            path,
            json: doc.json(node),
        }));
    }
    Ok(found)
}

fn in_any_reading(
    path: &JsonPath,
    doc: &Doc<'_>,
    readings: &Readings,
    budget: &mut Budget,
) -> Result<Vec<NodeId>, Problem> {
    let mut all = Vec::new();
    for view in readings.views(doc) {
        all.append(&mut Evaluator::new(view, budget).select(path)?);
        all.sort_unstable();
        all.dedup();
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
