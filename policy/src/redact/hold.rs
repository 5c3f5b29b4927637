//! Bodies that are held because a stage has a path that no stream can decide.

use super::{
    rewrite::Rewriter,
    stage::Stage,
    trie::{PlaceSelection, Places},
};
use crate::json::{
    InvalidJson, Problem,
    doc::Doc,
    eval::Budget,
    select::{Select, Selection},
};

/// Redacts a whole body.
///
/// With repeated names, a filter expression is tried on each way to read the document: what any of
/// them destroys goes, and what not all of them retain goes.
pub fn redact_held(stages: &[Stage], body: &[u8]) -> Result<Vec<u8>, InvalidJson> {
    let mut held = None;
    for stage in stages.iter().filter(|stage| !stage.is_empty()) {
        held = Some(redact_one(stage, held.as_deref().unwrap_or(body))?);
    }
    match held {
        Some(body) => Ok(body),
        None => rewritten(body, Selection::default(), true),
    }
}

fn redact_one(stage: &Stage, body: &[u8]) -> Result<Vec<u8>, InvalidJson> {
    if stage.is_streamable() {
        return rewritten(body, stage.selection(), !stage.has_retain());
    }
    let doc = Doc::parse(body)?;
    redact_at(&places(stage, &doc)?, stage, body)
}

pub(super) fn places(stage: &Stage, doc: &Doc<'_>) -> Result<Places, InvalidJson> {
    Places::of(stage, doc, &mut Budget::new()).map_err(whole_document)
}

pub(super) fn redact_at(
    places: &Places,
    stage: &Stage,
    body: &[u8],
) -> Result<Vec<u8>, InvalidJson> {
    rewritten(body, PlaceSelection::new(places), !stage.has_retain())
}

/// The fault is not at one place.
pub(super) fn whole_document(problem: Problem) -> InvalidJson {
    InvalidJson { offset: 0, problem }
}

fn rewritten(body: &[u8], select: impl Select, is_retained: bool) -> Result<Vec<u8>, InvalidJson> {
    let mut out = Vec::with_capacity(body.len());
    let mut rewriter = Rewriter::new(select, is_retained);
    rewriter.push(body, &mut out)?;
    rewriter.finish()?;
    Ok(out)
}
