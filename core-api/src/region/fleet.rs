//! What the regions' Envoy fleets have, as the regions report it: proxy status, `/regions`,
//! `?wait=applied`.

mod proxy_status;
mod question;
mod tokens;
mod uses;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use requestrocket_proto::region::v1::{NodeStatus, UnusableProxy};
use tokio::sync::watch;

pub use self::proxy_status::{NodeState, NodeView, ProxyCondition, ProxyStatus};
pub use self::question::{OpenQuestion, Unanswered};
pub use self::tokens::Tokens;
pub use self::uses::Uses;

use self::question::Desks;

/// A node that is gone for so long is no longer shown.
const GONE_MS: u64 = 10 * 60 * 1000;

/// The live state of every region; cheap to clone, shared by the region link and the routes.
#[derive(Clone, Debug)]
pub struct Fleets {
    regions: Arc<watch::Sender<BTreeMap<String, RegionState>>>,
    /// Raised after a commit that regions may have to hear of; holds the newest revision.
    committed: Arc<watch::Sender<u64>>,
    /// Where questions for regions go.
    desks: Desks,
}

/// What is known of one region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegionState {
    /// Its link.
    pub link: Link,
    /// As last reported; what it says of connections holds while the link is up.
    pub nodes: Vec<NodeStatus>,
    /// What the region stored and cannot use, by proxy id; as last reported.
    pub unusable: BTreeMap<String, UnusableProxy>,
    /// The tokens that it obtains; as last reported.
    pub tokens: Tokens,
    /// How long that is as it was sent.
    token_bytes: usize,
    /// When its credentials were last used; as last reported.
    pub uses: Uses,
}

/// Whether a region's link is up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Not since this process started.
    #[default]
    Never,
    /// Now.
    Up,
    /// Not any more.
    Down {
        /// Unix time in milliseconds.
        since_ms: u64,
    },
}

/// Outcome of a wait, as header `requestrocket-config-applied` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Every connected Envoy acknowledged.
    True,
    /// Not within the time given.
    Timeout,
    /// At least one connected Envoy refused, or the region cannot use what came, and none is
    /// outstanding.
    Rejected,
    /// The region is away or has no connected Envoy.
    NoEnvoy,
}

impl Default for Fleets {
    fn default() -> Self {
        Self {
            regions: Arc::new(watch::Sender::new(BTreeMap::new())),
            committed: Arc::new(watch::Sender::new(0)),
            desks: Desks::default(),
        }
    }
}

impl Fleets {
    /// Tells the region links that `revision` was committed.
    pub fn announce(&self, revision: u64) {
        // Commits may announce themselves out of order.
        self.committed
            .send_modify(|newest| *newest = (*newest).max(revision));
    }

    /// Ends at every [`Fleets::announce`].
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }

    /// Changes what is known of `region`.
    pub fn update(&self, region: &str, change: impl FnOnce(&mut RegionState)) {
        self.regions
            .send_modify(|regions| change(regions.entry(region.to_owned()).or_default()));
    }

    /// What is known of `region`.
    #[must_use]
    pub fn region(&self, region: &str) -> RegionState {
        self.regions
            .borrow()
            .get(region)
            .cloned()
            .unwrap_or_default()
    }

    /// Regions whose links are up.
    #[must_use]
    pub fn connected(&self) -> Vec<String> {
        let regions = self.regions.borrow();
        let connected = regions.iter().filter(|(_, state)| state.is_connected());
        connected.map(|(region, _)| region.clone()).collect()
    }

    /// What is known of every region.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, RegionState> {
        self.regions.borrow().clone()
    }

    /// Ends when `region` is in a state that a test waits for.
    #[cfg(test)]
    pub(crate) async fn until(&self, region: &str, mut is_so: impl FnMut(&RegionState) -> bool) {
        let mut regions = self.regions.subscribe();
        let found = regions.wait_for(|regions| regions.get(region).is_some_and(&mut is_so));
        found.await.unwrap();
    }

    /// Waits until every connected Envoy of `region` settled `revision`, for `limit` at most.
    pub async fn wait_applied(&self, region: &str, revision: u64, limit: Duration) -> Applied {
        let mut regions = self.regions.subscribe();
        let settled = regions.wait_for(|regions| {
            regions
                .get(region)
                .is_none_or(|state| state.outcome(revision).is_some())
        });
        match tokio::time::timeout(limit, settled).await {
            Ok(Ok(regions)) => regions
                .get(region)
                .and_then(|state| state.outcome(revision))
                .unwrap_or(Applied::NoEnvoy),
            Ok(Err(_)) | Err(_) => Applied::Timeout,
        }
    }
}

impl RegionState {
    /// Its link is up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link == Link::Up
    }

    /// How many Envoys are connected.
    #[must_use]
    pub fn connected_nodes(&self) -> usize {
        if self.is_connected() {
            self.nodes.iter().filter(|node| node.is_connected).count()
        } else {
            0
        }
    }

    /// The nodes to show at `now_ms`: those gone for ten minutes are left out.
    fn present_nodes(&self, now_ms: u64) -> impl Iterator<Item = &NodeStatus> {
        self.nodes.iter().filter(move |node| {
            let gone_since = match self.link {
                Link::Up | Link::Never if node.is_connected => return true,
                Link::Up | Link::Never => node.changed_at_ms,
                Link::Down { since_ms } if node.is_connected => since_ms,
                Link::Down { since_ms } => node.changed_at_ms.min(since_ms),
            };
            now_ms.saturating_sub(gone_since) < GONE_MS
        })
    }

    /// None while an Envoy is outstanding.
    fn outcome(&self, revision: u64) -> Option<Applied> {
        let mut connected = self
            .nodes
            .iter()
            .filter(|node| node.is_connected)
            .peekable();
        if !self.is_connected() || connected.peek().is_none() {
            return Some(Applied::NoEnvoy);
        }
        let brought =
            |one: &UnusableProxy| (one.after_revision + 1..=one.revision).contains(&revision);
        let mut outcome = if self.unusable.values().any(brought) {
            Applied::Rejected
        } else {
            Applied::True
        };
        for node in connected {
            if node.settled_revision < revision {
                return None;
            }
            if node
                .rejections
                .iter()
                // Refusals of other changes are not what this one waits for.
                .any(|rejection| rejection.brought_by == revision)
            {
                outcome = Applied::Rejected;
            }
        }
        Some(outcome)
    }
}

#[cfg(test)]
mod tests;
