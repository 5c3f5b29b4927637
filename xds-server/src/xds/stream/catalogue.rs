//! What one node can be sent: the snapshot, with the node's own listeners.

use std::sync::Arc;

use crate::translate::listener::ListenerAddresses;
use crate::xds::resource::{Resource, ResourceKind};
use crate::xds::snapshot::Snapshot;

/// A snapshot as one node sees it.
#[derive(Debug)]
pub(super) struct Catalogue {
    snapshot: Arc<Snapshot>,
    addresses: ListenerAddresses,
    listeners: Vec<Arc<Resource>>,
}

impl Catalogue {
    pub(super) fn new(addresses: ListenerAddresses) -> Self {
        Self {
            snapshot: Arc::default(),
            addresses,
            listeners: Vec::new(),
        }
    }

    /// Moves on to `snapshot`; what differs for this node, in the order of kinds.
    pub(super) fn advance(&mut self, snapshot: Arc<Snapshot>) -> Vec<(ResourceKind, Arc<str>)> {
        let mut changed = self.snapshot.changed_names(&snapshot);
        // Made once: the template is the same in all snapshots of a process.
        if self.listeners.is_empty()
            && let Some(template) = snapshot.listener()
        {
            let own = template.of_node(&self.addresses).into_iter();
            self.listeners = own.map(Arc::new).collect();
            let names = self.listeners.iter().map(|own| Arc::clone(own.name()));
            changed.extend(names.map(|name| (ResourceKind::Listener, name)));
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
            ResourceKind::Listener => self.listeners.iter().find(|own| **own.name() == *name),
            kind @ (ResourceKind::Cluster | ResourceKind::Route | ResourceKind::Scope) => {
                self.snapshot.get(kind, name)
            }
        }
    }

    pub(super) fn names(&self, kind: Option<ResourceKind>) -> Vec<Arc<str>> {
        match kind {
            None => Vec::new(),
            Some(ResourceKind::Listener) => self
                .listeners
                .iter()
                .map(|own| Arc::clone(own.name()))
                .collect(),
            Some(kind) => self.snapshot.names(kind).cloned().collect(),
        }
    }
}
