//! The fleet as this region server sees it: who is connected, and how far each node has come.

mod roll;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use requestrocket_process::clock::Clock;
use requestrocket_proto::region::v1::NodeStatus;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use self::roll::Roll;
use crate::xds::stream::Standing;

/// Least time between two reports, so that a change that many nodes take is few reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(5);
/// How often nodes that are gone for good are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(15);

/// Handle on the fleet's state; clones are the same fleet.
#[derive(Clone, Debug)]
pub struct Fleet {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    roll: Mutex<Roll>,
    altered: Notify,
    statuses: watch::Sender<Vec<NodeStatus>>,
    clock: Clock,
}

/// A node's place in the fleet for the life of one stream; dropping it says that the stream ended.
#[derive(Debug)]
pub struct Seat {
    fleet: Fleet,
    node_id: String,
    stream_id: u64,
    replaced: CancellationToken,
}

impl Fleet {
    /// A fleet without nodes.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let shared = Shared {
            roll: Mutex::default(),
            altered: Notify::new(),
            statuses: watch::Sender::new(Vec::new()),
            clock,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The newest report, and word of every newer one.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Vec<NodeStatus>> {
        self.shared.statuses.subscribe()
    }

    /// Open streams.
    #[must_use]
    pub fn live_streams(&self) -> usize {
        self.roll().connected()
    }

    /// A stream of `node_id` begins; an older one of the same node is told to end.
    #[must_use]
    pub fn join(&self, node_id: String) -> Seat {
        let replaced = CancellationToken::new();
        let stream_id = self.roll().join(&node_id, self.now_ms(), replaced.clone());
        self.shared.altered.notify_one();
        Seat {
            fleet: self.clone(),
            node_id,
            stream_id,
            replaced,
        }
    }

    /// Makes reports until `stopping`.
    pub async fn run(self, stopping: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = self.shared.altered.notified() => {}
                () = tokio::time::sleep(EXPIRY_INTERVAL) => {}
                () = stopping.cancelled() => return Ok(()),
            }
            self.report();
            tokio::time::sleep(REPORT_INTERVAL).await;
        }
    }

    fn report(&self) {
        let now_ms = self.now_ms();
        let statuses = {
            let mut roll = self.roll();
            roll.expire(now_ms);
            roll.statuses()
        };
        self.shared.statuses.send_if_modified(|present| {
            let differs = *present != statuses;
            *present = statuses;
            differs
        });
    }

    fn now_ms(&self) -> u64 {
        self.shared.clock.unix_ms()
    }

    fn roll(&self) -> MutexGuard<'_, Roll> {
        // Every change of the roll is whole before its guard is dropped.
        self.shared
            .roll
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The node stands there now.
    pub fn report(&self, standing: Standing) {
        let now_ms = self.fleet.now_ms();
        if self
            .fleet
            .roll()
            .stand(&self.node_id, self.stream_id, standing, now_ms)
        {
            self.fleet.shared.altered.notify_one();
        }
    }

    /// The node that sits here.
    #[must_use]
    pub fn node_id(&self) -> &str {
        &self.node_id
    }

    /// Ends when a newer stream of the same node has taken the place.
    #[must_use]
    pub fn replaced(&self) -> &CancellationToken {
        &self.replaced
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let now_ms = self.fleet.now_ms();
        self.fleet
            .roll()
            .leave(&self.node_id, self.stream_id, now_ms);
        self.fleet.shared.altered.notify_one();
    }
}

#[cfg(test)]
mod tests;
