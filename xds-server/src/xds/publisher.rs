//! Region config in, snapshots out.
//!
//! Invariants: a snapshot is published whole or not at all; a delta costs the proxies it names,
//! however many there are.

use std::sync::Arc;

use tokio::sync::watch;

use crate::records::region_config::{ProxyConfig, RegionUpdate};
use crate::translate::{ProxyResources, Settings, Translator};
use crate::xds::snapshot::Snapshot;

/// Translates what changes and publishes the sum.
#[derive(Debug)]
pub struct Publisher {
    translator: Translator,
    snapshots: watch::Sender<Arc<Snapshot>>,
}

impl Publisher {
    /// A publisher that has nothing to tell before its first [`Publisher::apply`].
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let translator = Translator::new(settings);
        let (clusters, listener) = translator.shared();
        let first = Snapshot::of_shared(clusters, listener);
        Self {
            translator,
            snapshots: watch::Sender::new(Arc::new(first)),
        }
    }

    /// Publishes `revision`. The first call is what nodes have waited for, so it comes with what
    /// is stored, even if that is nothing. Tells how many bytes of routes it made.
    pub fn apply(&self, revision: u64, update: RegionUpdate) -> u64 {
        match update {
            RegionUpdate::Delta(changes) => {
                let changes: Vec<(Arc<str>, Option<ProxyResources>)> = changes
                    .into_iter()
                    .map(|(id, config)| {
                        let resources = config.map(|config| self.translator.proxy(&config));
                        (id.into(), resources)
                    })
                    .collect();
                let bytes = bytes(changes.iter().filter_map(|(_, proxy)| proxy.as_ref()));
                self.replace(|present| present.with_changes(revision, changes));
                bytes
            }
            RegionUpdate::Full(configs) => {
                let proxies: Vec<(Arc<str>, ProxyResources)> = configs
                    .iter()
                    .map(|config| self.translate(config))
                    .collect();
                let bytes = bytes(proxies.iter().map(|(_, proxy)| proxy));
                self.replace(|present| present.with_all(revision, proxies));
                bytes
            }
        }
    }

    /// The newest snapshot, and word of every newer one.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.subscribe()
    }

    fn translate(&self, config: &ProxyConfig) -> (Arc<str>, ProxyResources) {
        (
            config.proxy_id.as_str().into(),
            self.translator.proxy(config),
        )
    }

    fn replace(&self, next: impl FnOnce(&Snapshot) -> Snapshot) {
        // `send` would keep the old value while no stream listens.
        self.snapshots
            .send_modify(|present| *present = Arc::new(next(present)));
        let published = self.snapshots.borrow();
        tracing::debug!(
            revision = published.revision(),
            proxies = published.proxies(),
            "snapshot published"
        );
    }
}

/// What is made anew of proxies by a change of their credentials is their routes.
fn bytes<'p>(proxies: impl Iterator<Item = &'p ProxyResources>) -> u64 {
    proxies.map(|proxy| proxy.route.len() as u64).sum()
}

#[cfg(test)]
mod tests;
