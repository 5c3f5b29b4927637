//! The server's part of the deliveries: takes what is due, carries it, and ends what is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use requestrocket_process::tasks::TaskSet;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::carrier::Carrier;
use super::claims::{Load, claim};
use super::delivery::{Delivered, deliver};
use super::{Queue, upkeep};
use crate::store::StoreFailed;
use crate::store::queue::Ready;
use crate::store::queue::claim::ready_over;
use crate::store::queue::finish::request_lapse;

/// Attempts that one server has under way at most.
const MOST_AT_ONCE: u32 = 256;
/// Sealed bytes of them; each is in memory up to three times.
const MOST_BYTES: u64 = 128 << 20;
/// What becomes due by time alone is looked for so often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Without an Envoy, nothing is tried for so long.
const NO_ENVOY_MS: u64 = 1_000;
/// Requests that are ended at once.
const ENDS_AT_ONCE: u32 = 128;
/// Attempts under way get so long when the process stops; others take over the rest when their
/// leases end.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Delivers the queue's requests through `carrier` until the process stops.
pub fn start(queue: Queue, carrier: impl Carrier, tasks: &TaskSet) {
    let (stopping, kept) = (tasks.stopping(), queue.clone());
    let workers = Workers {
        queue,
        carrier: Arc::new(carrier),
        under_way: BTreeMap::new(),
        attempts: JoinSet::new(),
        free_from_ms: 0,
    };
    tasks.spawn("queue workers", async move {
        workers.run(stopping).await;
        Ok(())
    });
    let stopping = tasks.stopping();
    tasks.spawn("queue upkeep", async move {
        upkeep::run(kept, stopping).await;
        Ok(())
    });
}

struct Workers<C> {
    queue: Queue,
    carrier: Arc<C>,
    /// Organisation and sealed bytes of each attempt.
    under_way: BTreeMap<Id, (String, u64)>,
    attempts: JoinSet<Delivered>,
    /// Nothing begins before.
    free_from_ms: u64,
}

impl<C: Carrier> Workers<C> {
    async fn run(mut self, stopping: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                _ = ticks.tick() => {
                    if let Err(error) = self.end_over().await {
                        tracing::warn!(%error, cause = ?error, "requests whose time is over wait");
                    }
                }
                () = self.queue.0.came.notified() => {}
                Some(ended) = self.attempts.join_next_with_id() => self.ended(ended),
            }
            while let Some(ended) = self.attempts.try_join_next_with_id() {
                self.ended(ended);
            }
            if let Err(error) = self.begin().await {
                tracing::warn!(%error, cause = ?error, "no request can be taken");
            }
        }
        let all = async { while self.attempts.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WAIT, all).await;
    }

    /// Begins attempts as long as there are requests that are due, and room.
    async fn begin(&mut self) -> Result<(), StoreFailed> {
        loop {
            let load = self.load();
            if load.free == 0 || self.queue.now_ms() < self.free_from_ms {
                return Ok(());
            }
            let claimed = claim(&self.queue.0, &*self.carrier, load).await?;
            if claimed.is_empty() {
                return Ok(());
            }
            for ready in claimed {
                self.spawn(ready);
            }
        }
    }

    fn spawn(&mut self, ready: Ready) {
        let weight = (ready.organisation_id.clone(), ready.bytes);
        let (queue, carrier) = (self.queue.clone(), Arc::clone(&self.carrier));
        let attempt = async move { deliver(&queue, &*carrier, ready).await };
        let id = self.attempts.spawn(attempt).id();
        self.under_way.insert(id, weight);
    }

    fn ended(&mut self, ended: Result<(Id, Delivered), JoinError>) {
        let (id, delivered) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // Its lease ends by itself.
                tracing::error!(%error, "an attempt did not end well");
                (error.id(), Delivered::Tried)
            }
        };
        self.under_way.remove(&id);
        if let Delivered::NoEnvoy { at_ms } = delivered {
            self.free_from_ms = at_ms.saturating_add(NO_ENVOY_MS);
        }
    }

    fn load(&self) -> Load {
        let mut busy: BTreeMap<String, u32> = BTreeMap::new();
        for (organisation_id, _) in self.under_way.values() {
            *busy.entry(organisation_id.clone()).or_default() += 1;
        }
        let count = u32::try_from(self.under_way.len()).unwrap_or(u32::MAX);
        let bytes: u64 = self.under_way.values().map(|(_, bytes)| bytes).sum();
        Load {
            busy,
            free: MOST_AT_ONCE.saturating_sub(count),
            free_bytes: MOST_BYTES.saturating_sub(bytes),
        }
    }

    /// Ends requests whose time or whose attempts are over.
    async fn end_over(&self) -> Result<(), StoreFailed> {
        let (store, now_ms) = (&self.queue.0.store, self.queue.now_ms());
        let mut tx = store.begin_read().await?;
        let over = ready_over(&mut tx, now_ms, ENDS_AT_ONCE).await?;
        drop(tx);
        for request_id in over {
            let mut tx = store.begin().await?;
            let dialect = store.dialect();
            let has_ended = request_lapse(&mut tx, dialect, &request_id, now_ms).await?;
            tx.commit().await?;
            if has_ended {
                self.queue.told(&request_id);
            }
        }
        Ok(())
    }
}
