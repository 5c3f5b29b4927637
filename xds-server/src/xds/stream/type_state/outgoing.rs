//! What is due, put into responses.

use std::sync::Arc;

use super::super::catalogue::Catalogue;
use super::{InFlight, Said, Told, TypeState};
use crate::translate;
use crate::xds::resource::Resource;

/// Most resources or removals in one response.
pub(in crate::xds::stream) const MAX_RESOURCES: usize = 500;
/// A response is closed before the resource that would take it over this size.
pub(in crate::xds::stream) const MAX_BYTES: usize = 2 << 20;
/// Responses of one type that may wait for their answer; changes of further ones gather meanwhile.
const MAX_IN_FLIGHT: usize = 32;
/// What goes into one response.
#[derive(Debug, Default)]
pub(in crate::xds::stream) struct Content {
    pub(in crate::xds::stream) resources: Vec<Arc<Resource>>,
    pub(in crate::xds::stream) removed: Vec<Arc<str>>,
}

impl TypeState {
    /// The next response with additions, if one may be sent now.
    pub(in crate::xds::stream) fn next_changes(
        &mut self,
        nonce: u64,
        tick: u64,
        catalogue: &Catalogue,
    ) -> Option<Content> {
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            return None;
        }
        // Before all else: until the client has it, what was revoked still holds there.
        if let Some(name) = self.due_closing.pop_first() {
            self.tell(nonce, tick, Vec::new());
            let closed = translate::closed_route(&name);
            return Some(Content {
                resources: vec![Arc::new(closed)],
                removed: Vec::new(),
            });
        }
        let mut resources: Vec<Arc<Resource>> = Vec::new();
        let mut bytes = 0;
        if let Some(name) = self.due_alone.pop_first() {
            resources.extend(catalogue.get(self.kind, &name).cloned());
        } else {
            while let Some(name) = self.due_changes.first()
                && resources.len() < MAX_RESOURCES
            {
                let resource = catalogue.get(self.kind, name).cloned();
                bytes += resource
                    .as_ref()
                    .map_or(0, |resource| resource.body().len());
                // A resource that is larger by itself goes alone, else it would never go.
                if bytes > MAX_BYTES && !resources.is_empty() {
                    break;
                }
                self.due_changes.pop_first();
                resources.extend(resource);
            }
        }
        if resources.is_empty() {
            return None;
        }
        let told = |r: &Arc<Resource>| (Arc::clone(r.name()), Said::Version(r.version()));
        self.tell(nonce, tick, resources.iter().map(told).collect());
        Some(Content {
            resources,
            removed: Vec::new(),
        })
    }

    /// The next response with removals, if one may be sent now.
    pub(in crate::xds::stream) fn next_removals(
        &mut self,
        nonce: u64,
        tick: u64,
    ) -> Option<Content> {
        if self.in_flight.len() >= MAX_IN_FLIGHT || self.due_removals.is_empty() {
            return None;
        }
        let mut removed = Vec::new();
        while removed.len() < MAX_RESOURCES
            && let Some(name) = self.due_removals.pop_first()
        {
            removed.push(name);
        }
        self.tell(
            nonce,
            tick,
            removed
                .iter()
                .map(|name| (Arc::clone(name), Said::Absent))
                .collect(),
        );
        Some(Content {
            resources: Vec::new(),
            removed,
        })
    }

    /// The empty response to a first request that nothing else answered.
    pub(in crate::xds::stream) fn owed_answer(&mut self, nonce: u64, tick: u64) -> Option<Content> {
        if !self.owes_answer {
            return None;
        }
        self.tell(nonce, tick, Vec::new());
        Some(Content::default())
    }

    fn tell(&mut self, nonce: u64, tick: u64, sayings: Vec<(Arc<str>, Said)>) {
        // Any response of the type answers the first request.
        self.owes_answer = false;
        let names = sayings.iter().map(|(name, _)| Arc::clone(name)).collect();
        for (name, said) in sayings {
            self.told.insert(
                name,
                Told {
                    said,
                    awaiting: Some(nonce),
                },
            );
        }
        self.in_flight.insert(
            nonce,
            InFlight {
                names,
                sent_at_tick: tick,
            },
        );
    }
}
