//! What the regions' Envoy fleets have, as the regions report it: proxy status, `/regions`,
//! `?wait=applied`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use requestrocket_proto::region::v1::NodeStatus;
use tokio::sync::watch;

/// The live state of every region; cheap to clone, shared by the region link and the routes.
#[derive(Clone, Debug)]
pub struct Fleets {
    regions: Arc<watch::Sender<BTreeMap<String, RegionState>>>,
    /// Raised after a commit that regions may have to hear of; holds the newest revision.
    committed: Arc<watch::Sender<u64>>,
}

/// What is known of one region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegionState {
    /// Its link is up.
    pub is_connected: bool,
    /// As reported when it last connected.
    pub nodes: Vec<NodeStatus>,
}

/// Outcome of a wait, as header `requestrocket-config-applied` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Every connected Envoy acknowledged.
    True,
    /// Not within the time given.
    Timeout,
    /// At least one connected Envoy refused, and none is outstanding.
    Rejected,
    /// The region is away or has no connected Envoy.
    NoEnvoy,
}

impl Default for Fleets {
    fn default() -> Self {
        Self {
            regions: Arc::new(watch::Sender::new(BTreeMap::new())),
            committed: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl Fleets {
    /// Tells the region links that `revision` was committed.
    pub fn announce(&self, revision: u64) {
        self.committed.send_modify(|newest| *newest = (*newest).max(revision));
    }

    /// Ends at every [`Fleets::announce`].
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }

    /// Changes what is known of `region`.
    pub fn update(&self, region: &str, change: impl FnOnce(&mut RegionState)) {
        self.regions.send_modify(|regions| change(regions.entry(region.to_owned()).or_default()));
    }

    /// What is known of `region`.
    #[must_use]
    pub fn region(&self, region: &str) -> RegionState {
        self.regions.borrow().get(region).cloned().unwrap_or_default()
    }

    /// Waits until every connected Envoy of `region` settled `revision`, for `limit` at most.
    pub async fn wait_applied(&self, region: &str, revision: u64, limit: Duration) -> Applied {
        let mut regions = self.regions.subscribe();
        let settled = regions.wait_for(|regions| {
            regions.get(region).is_none_or(|state| state.outcome(revision).is_some())
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
    /// None while an Envoy is outstanding.
    fn outcome(&self, revision: u64) -> Option<Applied> {
        let mut connected = self.nodes.iter().filter(|node| node.is_connected).peekable();
        if !self.is_connected || connected.peek().is_none() {
            return Some(Applied::NoEnvoy);
        }
        let mut outcome = Applied::True;
        for node in connected {
            if node.settled_revision < revision {
                return None;
            }
            if node.rejections.iter().any(|rejection| rejection.revision == revision) {
                outcome = Applied::Rejected;
            }
        }
        Some(outcome)
    }
}
