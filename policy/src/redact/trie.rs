//! What a stage makes of a held document, place by place. A place is a normalized path, so members
//! of the same name in one object share it.

use std::collections::BTreeMap;

use super::stage::{DESTROYED, Operation, RETAINED, Stage};
use crate::{
    effort::Effort,
    json::{
        Problem,
        doc::{Doc, Key, NodeId, ROOT},
        eval::{Budget, Evaluator},
        path::JsonPath,
        select::{Answer, Select},
        view::{Readings, View},
    },
    memory::{self, Allowance},
};

/// The number of a place; the root's is that of the root node.
pub(super) type PlaceId = usize;

/// The places of one document that a stage is interested in.
#[derive(Debug)]
pub(super) struct Places {
    places: Vec<Place>,
}

#[derive(Debug, Default)]
struct Place {
    parent: PlaceId,
    answer: Answer,
    /// In how many readings the path at hand selects it, and passes it on its way.
    selected: usize,
    passed: usize,
    /// The filters that select it, by their place in the stage.
    filters: Vec<usize>,
    members: BTreeMap<Box<[u8]>, PlaceId>,
    elements: BTreeMap<u64, PlaceId>,
}

/// Finds the place of each node.
struct Atlas<'d, 't> {
    doc: &'d Doc<'t>,
    places: Places,
    /// Of each node, once it is known.
    known: Vec<Option<PlaceId>>,
    /// For what the places take.
    allowance: Allowance,
}

/// What the maps of a place may allocate for one child, beside its name.
const CHILD_BYTES: usize = 1 << 10;
/// What a place may allocate for the number of a filter.
const FILTER_BYTES: usize = 64;

impl Places {
    /// Resolves all paths of a stage against its input.
    ///
    /// Where a path depends on how repeated names are read, what any reading destroys is destroyed,
    /// and only what every reading retains is retained.
    pub(super) async fn of(
        stage: &Stage,
        doc: &Doc<'_>,
        effort: &mut Effort,
    ) -> Result<Self, Problem> {
        let readings = if stage.is_streamable() {
            None
        } else {
            Some(Readings::of(doc, effort).await?)
        };
        let mut atlas = Atlas {
            doc,
            places: Self {
                places: vec![Place::default()],
            },
            known: nothing_known(doc.len())?,
            allowance: Allowance::default(),
        };
        for (number, filter) in stage.filters.iter().enumerate() {
            for path in &filter.paths {
                let touched = Budget::paid_by(effort, |budget| match &readings {
                    Some(readings) if !path.is_streamable() => {
                        let views = readings.views(doc);
                        atlas.resolve(path, filter.operation, views, budget)
                    }
                    Some(_) | None => {
                        let view = std::iter::once(View::whole(doc));
                        atlas.resolve(path, filter.operation, view, budget)
                    }
                })?;
                effort.rest().await;
                let needed = match (&readings, path.is_streamable(), filter.operation) {
                    (Some(readings), false, Operation::Retain) => readings.len(),
                    _ => 1,
                };
                memory::ask(touched.len().saturating_mul(FILTER_BYTES))?;
                atlas
                    .places
                    .settle(touched, needed, number, filter.operation);
            }
        }
        atlas.places.tell_ancestors();
        Ok(atlas.places)
    }

    /// Turns the counts of one path into answers.
    fn settle(
        &mut self,
        touched: Vec<PlaceId>,
        needed: usize,
        filter: usize,
        operation: Operation,
    ) {
        for id in touched {
            let Some(place) = self.places.get_mut(id) else {
                continue;
            };
            if place.selected >= needed {
                place.answer.selected.add(operation.group());
                // Filters are settled one after the other, so one that is there is the last.
                if place.filters.last() != Some(&filter) {
                    place.filters.push(filter);
                }
            }
            if place.passed >= needed {
                place.answer.alive.add(RETAINED);
            }
            place.selected = 0;
            place.passed = 0;
        }
    }

    /// A container in which something is destroyed must be looked into.
    fn tell_ancestors(&mut self) {
        // Places come after their parents.
        for id in (1..self.places.len()).rev() {
            let Some(place) = self.places.get(id) else {
                continue;
            };
            let is_destroyed = place.answer.selected.has(DESTROYED);
            let parent = place.parent;
            if (is_destroyed || place.answer.alive.has(DESTROYED))
                && let Some(parent) = self.places.get_mut(parent)
            {
                parent.answer.alive.add(DESTROYED);
            }
        }
    }

    pub(super) fn answer(&self, place: Option<PlaceId>) -> Answer {
        let place = place.and_then(|id| self.places.get(id));
        place.map(|place| place.answer).unwrap_or_default()
    }

    /// The filters of the stage that select the place.
    pub(super) fn filters(&self, place: Option<PlaceId>) -> &[usize] {
        let place = place.and_then(|id| self.places.get(id));
        place
            .map(|place| place.filters.as_slice())
            .unwrap_or_default()
    }

    pub(super) fn child(&self, place: Option<PlaceId>, key: &Key<'_>) -> Option<PlaceId> {
        let place = self.places.get(place?)?;
        match key {
            Key::Name(name) => place.members.get(name.as_ref()).copied(),
            Key::Index(index) => place.elements.get(index).copied(),
        }
    }

    fn child_or_new(
        &mut self,
        parent: PlaceId,
        key: Key<'_>,
        allowance: &mut Allowance,
    ) -> Result<PlaceId, Problem> {
        let new = self.places.len();
        self.places.try_reserve(1).map_err(|_| Problem::NoMemory)?;
        let Some(place) = self.places.get_mut(parent) else {
            return Ok(parent);
        };
        let name_bytes = match &key {
            Key::Name(name) => name.len(),
            Key::Index(_) => 0,
        };
        allowance.take(CHILD_BYTES.saturating_add(name_bytes))?;
        let id = match key {
            Key::Name(name) => *place.members.entry(name.as_ref().into()).or_insert(new),
            Key::Index(index) => *place.elements.entry(index).or_insert(new),
        };
        if id == new {
            self.places.push(Place {
                parent,
                ..Place::default()
            });
        }
        Ok(id)
    }
}

impl<'d, 't> Atlas<'d, 't> {
    /// Counts at each place the readings in which the path selects it, or passes it on its way.
    fn resolve(
        &mut self,
        path: &JsonPath,
        operation: Operation,
        views: impl Iterator<Item = View<'d, 't>>,
        budget: &mut Budget,
    ) -> Result<Vec<PlaceId>, Problem> {
        let mut touched = Vec::new();
        for view in views {
            let mut evaluator = Evaluator::new(view, budget);
            let selected = self.places_of(&evaluator.select(path)?)?;
            for id in &selected {
                if let Some(place) = self.places.places.get_mut(*id) {
                    place.selected = place.selected.saturating_add(1);
                }
            }
            append(&mut touched, selected)?;
            // What leads to a destroyed place is opened by `tell_ancestors`.
            if operation == Operation::Retain {
                let passed = self.places_of(&evaluator.on_the_way(path)?)?;
                for id in &passed {
                    if let Some(place) = self.places.places.get_mut(*id) {
                        place.passed = place.passed.saturating_add(1);
                    }
                }
                append(&mut touched, passed)?;
            }
        }
        touched.sort_unstable();
        touched.dedup();
        Ok(touched)
    }

    /// Each place once.
    fn places_of(&mut self, nodes: &[NodeId]) -> Result<Vec<PlaceId>, Problem> {
        let mut places = Vec::new();
        places
            .try_reserve_exact(nodes.len())
            .map_err(|_| Problem::NoMemory)?;
        for node in nodes {
            places.push(self.place_of(*node)?);
        }
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    fn place_of(&mut self, node: NodeId) -> Result<PlaceId, Problem> {
        let mut unknown = Vec::new();
        let mut here = node;
        let mut place = loop {
            if here == ROOT {
                break ROOT;
            }
            // From the nearest that is known on: of many deep nodes the way is walked once.
            if let Some(place) = self.known.get(here).copied().flatten() {
                break place;
            }
            unknown.push(here);
            here = self.doc.parent(here);
        };
        for node in unknown.into_iter().rev() {
            let key = self.doc.key(node);
            let (places, allowance) = (&mut self.places, &mut self.allowance);
            place = places.child_or_new(place, key, allowance)?;
            if let Some(known) = self.known.get_mut(node) {
                *known = Some(place);
            }
        }
        Ok(place)
    }
}

fn append(all: &mut Vec<PlaceId>, some: Vec<PlaceId>) -> Result<(), Problem> {
    all.try_reserve(some.len()).map_err(|_| Problem::NoMemory)?;
    all.extend(some);
    Ok(())
}

fn nothing_known(nodes: usize) -> Result<Vec<Option<PlaceId>>, Problem> {
    let mut known = Vec::new();
    known
        .try_reserve_exact(nodes)
        .map_err(|_| Problem::NoMemory)?;
    known.resize(nodes, None);
    Ok(known)
}

/// Tells the rewriter what the places say.
#[derive(Debug)]
pub(super) struct PlaceSelection<'p> {
    places: &'p Places,
    open: Vec<Option<PlaceId>>,
    last: Option<PlaceId>,
}

impl<'p> PlaceSelection<'p> {
    pub(super) fn new(places: &'p Places) -> Self {
        Self {
            places,
            open: Vec::new(),
            last: None,
        }
    }

    fn child(&mut self, key: &Key<'_>) -> Answer {
        let parent = self.open.last().copied().flatten();
        self.last = self.places.child(parent, key);
        self.places.answer(self.last)
    }
}

impl Select for PlaceSelection<'_> {
    fn root(&mut self) -> Answer {
        self.last = Some(ROOT);
        self.places.answer(self.last)
    }

    fn member(&mut self, name: &[u8]) -> Answer {
        self.child(&Key::Name(name.into()))
    }

    fn element(&mut self, index: u64) -> Answer {
        self.child(&Key::Index(index))
    }

    fn enter(&mut self) {
        self.open.push(self.last);
    }

    fn leave(&mut self) {
        self.open.pop();
    }

    fn reset(&mut self) {
        self.open.clear();
    }

    /// Looks everything up.
    fn take_work(&mut self) -> usize {
        0
    }
}
