//! What one node can be sent: the snapshot, with the node's own listener.

use std::sync::Arc;

use crate::translate::listener::ListenerAddress;
use crate::xds::resource::{Resource, ResourceKind};
use crate::xds::snapshot::Snapshot;

/// A snapshot as one node sees it.
#[derive(Debug)]
pub(super) struct Catalogue {
    snapshot: Arc<Snapshot>,
    address: ListenerAddress,
    listener: Option<Arc<Resource>>,
}

impl Catalogue {
    pub(super) fn new(address: ListenerAddress) -> Self {
        Self {
            snapshot: Arc::default(),
            address,
            listener: None,
        }
    }

    /// Moves on to `snapshot`; what differs for this node, in the order of kinds.
    pub(super) fn advance(&mut self, snapshot: Arc<Snapshot>) -> Vec<(ResourceKind, Arc<str>)> {
        let mut changed = self.snapshot.changed_names(&snapshot);
        // Made once: the template is the same in all snapshots of a process.
        if self.listener.is_none()
            && let Some(template) = snapshot.listener()
        {
            let listener = template.at(&self.address);
            changed.push((ResourceKind::Listener, Arc::clone(listener.name())));
            self.listener = Some(Arc::new(listener));
        }
        self.snapshot = snapshot;
        changed
    }

    pub(super) fn revision(&self) -> Option<u64> {
        self.snapshot.revision()
    }

    /// `kind` is none for types that this server does not have.
    pub(super) fn get(&self, kind: Option<ResourceKind>, name: &str) -> Option<&Arc<Resource>> {
        match kind? {
            ResourceKind::Listener => self.listener.as_ref().filter(|own| **own.name() == *name),
            kind @ (ResourceKind::Cluster | ResourceKind::Route | ResourceKind::Scope) => {
                self.snapshot.get(kind, name)
            }
        }
    }

    pub(super) fn names(&self, kind: Option<ResourceKind>) -> Vec<Arc<str>> {
        match kind {
            None => Vec::new(),
            Some(ResourceKind::Listener) => self
                .listener
                .iter()
                .map(|own| Arc::clone(own.name()))
                .collect(),
            Some(kind) => self.snapshot.names(kind).cloned().collect(),
        }
    }
}
