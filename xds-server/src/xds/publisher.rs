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
    /// is stored, even if that is nothing.
    pub fn apply(&self, revision: u64, update: RegionUpdate) {
        match update {
            RegionUpdate::Delta(changes) => {
                let changes = changes
                    .into_iter()
                    .map(|(id, config)| {
                        (
                            id.into(),
                            config.map(|config| self.translator.proxy(&config)),
                        )
                    })
                    .collect();
                self.replace(|present| present.with_changes(revision, changes));
            }
            RegionUpdate::Full(configs) => {
                let proxies = configs
                    .iter()
                    .map(|config| self.translate(config))
                    .collect();
                self.replace(|present| present.with_all(revision, proxies));
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

#[cfg(test)]
mod tests;
