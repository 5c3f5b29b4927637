//! What paths find in a document: all of it at once, or values as they stream by.

mod stream;

use std::{borrow::Cow, cell::OnceCell};

use crate::effort::{Effort, go_through};

use super::{
    InvalidJson, Problem,
    doc::{Doc, NodeId, Outline},
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
    /// The value as patterns see it: what it says, not how it is written. A string is decoded, with
    /// U+FFFD for lone surrogates; anything else is as it stands.
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
    go_through(async {
        let doc = Doc::parse_in_turns(text, effort).await?;
        let found = find_in(paths, (&doc, &OnceCell::new()), effort).await;
        found.map_err(|problem| InvalidJson { offset: 0, problem })
    })
}

/// What is known of a document, for paths that are looked up time and again: it is read once. The
/// text is not kept, so each call brings the same.
#[derive(Debug)]
pub(crate) struct Known {
    outline: Outline,
    readings: KnownReadings,
}

/// Not tried before a path needs them.
type KnownReadings = OnceCell<Result<Readings, Problem>>;

impl Known {
    /// Reads a document.
    pub(crate) async fn read(text: &str, effort: &mut Effort) -> Result<Self, InvalidJson> {
        Ok(Self {
            outline: Outline::of(text.as_bytes(), effort).await?,
            readings: OnceCell::new(),
        })
    }

    /// As [`find`].
    pub(crate) async fn find<'t>(
        &self,
        paths: &[JsonPath],
        text: &'t str,
        effort: &mut Effort,
    ) -> Result<Vec<Node<'t>>, Problem> {
        let doc = Doc::known(text, &self.outline);
        find_in(paths, (&doc, &self.readings), effort).await
    }
}

async fn find_in<'t>(
    paths: &[JsonPath],
    (doc, readings): (&Doc<'t>, &KnownReadings),
    effort: &mut Effort,
) -> Result<Vec<Node<'t>>, Problem> {
    let mut budget = Budget::within(effort);
    let mut found = Vec::new();
    for (path, compiled) in paths.iter().enumerate() {
        // It depends on no value, so that in the whole document it finds every occurrence.
        let nodes = if compiled.is_streamable() {
            select(compiled, View::whole(doc), &mut budget, effort).await?
        } else {
            if readings.get().is_none() {
                let tried = Readings::of(doc, effort).await;
                readings.get_or_init(|| tried);
            }
            let readings = match readings.get() {
                Some(Ok(readings)) => readings,
                Some(Err(problem)) => return Err(*problem),
                None => return Err(Problem::TooManyReadings),
            };
            in_any_reading(compiled, (doc, readings), &mut budget, effort).await?
        };
        if found.len().saturating_add(nodes.len()) > MAX_FOUND {
            return Err(Problem::TooManyValues);
        }
        found
            .try_reserve(nodes.len())
            .map_err(|_| Problem::NoMemory)?;
        found.extend(nodes.into_iter().map(|node| Node {
            path,
            json: doc.json(node),
        }));
    }
    Ok(found)
}

async fn select(
    path: &JsonPath,
    view: View<'_, '_>,
    budget: &mut Budget,
    effort: &mut Effort,
) -> Result<Vec<NodeId>, Problem> {
    effort.rest().await;
    budget.look(effort, |budget| Evaluator::new(view, budget).select(path))
}

async fn in_any_reading(
    path: &JsonPath,
    (doc, readings): (&Doc<'_>, &Readings),
    budget: &mut Budget,
    effort: &mut Effort,
) -> Result<Vec<NodeId>, Problem> {
    let mut all = Vec::new();
    for view in readings.views(doc) {
        all.append(&mut select(path, view, budget, effort).await?);
        all.sort_unstable();
        all.dedup();
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
