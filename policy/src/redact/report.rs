//! Which filter did what to which node, for previews.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    hold::{places, redact_at, redact_held, whole_document},
    stage::{DESTROYED, Fate, Operation, RETAINED, Stage, fate},
    stream::exhausted,
    trie::{PlaceId, Places},
};
use crate::{
    effort::{Effort, RECORD, go_through},
    json::{
        InvalidJson, Problem,
        doc::{Doc, NodeId, ROOT},
        eval::Budget,
        lexer::Kind,
        location::normalized,
    },
};

/// How much may be reported, and what finding it may cost, of all documents together.
#[derive(Debug)]
pub struct Room {
    /// Bytes of changes; none when there were more.
    bytes: Option<usize>,
    effort: Effort,
    is_exhausted: bool,
}

/// Bytes of all changes in a report.
const MAX_REPORT_BYTES: usize = 4 * 1024 * 1024;
/// Some four times what all paths of four stages may cost over one document, so that only streams
/// of many records are ever too much.
const REPORT_STEPS: u64 = 256 << 20;

impl Room {
    /// For a report that begins.
    pub fn of_a_report() -> Self {
        Self {
            bytes: Some(MAX_REPORT_BYTES),
            effort: Effort::of(REPORT_STEPS),
            is_exhausted: false,
        }
    }

    /// Whether there was more to report.
    pub fn is_exceeded(&self) -> bool {
        self.bytes.is_none()
    }

    /// Whether finding it was too much work.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    fn take(&mut self, path: &str) -> Result<(), Problem> {
        let bytes = path.len().saturating_add(size_of::<Change>());
        self.bytes = self.bytes.and_then(|left| left.checked_sub(bytes));
        self.bytes.map(drop).ok_or(Problem::TooMuchWork)
    }

    /// Does a part of the work.
    fn work<T>(
        &mut self,
        part: impl FnOnce(&mut Effort) -> Result<T, InvalidJson>,
    ) -> Result<T, InvalidJson> {
        let is_short = Budget::is_bounded_by(&self.effort);
        let done = part(&mut self.effort);
        let is_too_much = matches!(&done, Err(invalid) if invalid.problem == Problem::TooMuchWork);
        // Else it is too much for any one document, as a real response could be.
        self.is_exhausted |= is_too_much && is_short;
        done
    }
}

/// Something that a stage did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where, in the stage's input: a normalized path (RFC 9535 §2.7).
    pub path: String,
    /// Which of the stages.
    pub stage: usize,
    /// The first filter that says so; none where the stage's retain filters left the node out.
    pub filter: Option<Arc<str>>,
    /// [`Operation::Retain`] with a filter: it stays. Else it went.
    pub operation: Operation,
}

/// Redacts a whole body like [`redact_held`], and reports the top-most nodes that went and the
/// nodes that a retain path kept. Members of the same name are reported once. An error also when
/// the room does not suffice.
pub fn redact_reporting(
    stages: &[Stage],
    body: &[u8],
    room: &mut Room,
) -> Result<(Vec<u8>, Vec<Change>), InvalidJson> {
    room.work(|effort| effort.spend(body.len()).map_err(exhausted))?;
    // Without a stage: that it is JSON is asked even where no filter applies.
    let mut body = redact_held(&[], body)?;
    let mut changes = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        if stage.is_empty() {
            continue;
        }
        let (doc, places) = room.work(|effort| {
            let paths = stage.paths().count().saturating_add(1);
            let steps = paths.saturating_mul(RECORD);
            effort.spend(steps).map_err(exhausted)?;
            let doc = Doc::parse_within(&body, effort)?;
            let places = go_through(places(stage, &doc, effort))?;
            Ok((doc, places))
        })?;
        let walk = Walk {
            number,
            stage,
            doc: &doc,
            places: &places,
        };
        walk.report(room, &mut changes).map_err(whole_document)?;
        let mut out = Vec::new();
        room.work(|effort| go_through(redact_at((&places, stage), &body, &mut out, effort)))?;
        body = out;
    }
    Ok((body, changes))
}

/// One stage's document, node by node.
struct Walk<'w, 't> {
    number: usize,
    stage: &'w Stage,
    doc: &'w Doc<'t>,
    places: &'w Places,
}

/// A container that the walk is in.
#[derive(Clone, Copy)]
struct Around {
    past: NodeId,
    place: Option<PlaceId>,
    is_retained: bool,
}

impl Walk<'_, '_> {
    fn report(&self, room: &mut Room, changes: &mut Vec<Change>) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        let mut around: Vec<Around> = Vec::new();
        let mut node = ROOT;
        while node < self.doc.len() {
            while around.last().is_some_and(|one| node >= one.past) {
                around.pop();
            }
            let (place, is_retained) = match around.last() {
                Some(one) => (
                    self.places.child(one.place, &self.doc.key(node)),
                    one.is_retained,
                ),
                None => (Some(ROOT), !self.stage.has_retain()),
            };
            let is_container = self.doc.kind(node) != Kind::Scalar;
            let fate = fate(self.places.answer(place), is_retained, is_container);
            if let Some((operation, filter)) = self.responsible(fate, place) {
                let path = normalized(self.doc, node);
                room.take(&path)?;
                if seen.insert(path.clone()) {
                    changes.push(Change {
                        path,
                        stage: self.number,
                        filter,
                        operation,
                    });
                }
            }
            let past = self.doc.past(node);
            let is_retained = match fate {
                Fate::Goes => None,
                Fate::Stays => Some(true),
                Fate::Opens { is_retained } => Some(is_retained),
            };
            node = match is_retained {
                // Below a node without a place nothing is selected.
                Some(is_retained) if place.is_some() || !is_retained => {
                    around.push(Around {
                        past,
                        place,
                        is_retained,
                    });
                    node.saturating_add(1)
                }
                Some(_) | None => past,
            };
        }
        Ok(())
    }

    /// What is to be said of a node, and the filter that did it.
    fn responsible(
        &self,
        fate: Fate,
        place: Option<PlaceId>,
    ) -> Option<(Operation, Option<Arc<str>>)> {
        let selected = self.places.answer(place).selected;
        let operation = match fate {
            Fate::Goes if selected.has(DESTROYED) => Operation::Destroy,
            Fate::Goes => return Some((Operation::Retain, None)),
            Fate::Stays | Fate::Opens { .. } if selected.has(RETAINED) => Operation::Retain,
            Fate::Stays | Fate::Opens { .. } => return None,
        };
        let filters = self.places.filters(place).iter();
        let mut filters = filters.filter_map(|number| self.stage.filters.get(*number));
        let filter = filters.find(|filter| filter.operation == operation);
        Some((operation, filter.map(|filter| Arc::clone(&filter.id))))
    }
}
