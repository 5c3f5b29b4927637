//! Counts in the memory of one region server, kept in its store a moment later.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use requestrocket_policy::limit::Grant;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::totals::{At, Key, Request, Row, Totals};
use super::{SKEW_MS, metrics};
use crate::store::counter::{counter_delete_ended, counter_list, counter_upsert};
use crate::store::{Store, StoreFailed};

/// Between two writes; what a server that is killed has not written, the Envoys tell again.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// Writes between two clean-ups.
const WRITES_PER_CLEANUP: u32 = 60;

/// Totals and where they are kept.
#[derive(Debug)]
pub(super) struct Memory {
    totals: Mutex<Totals>,
    store: Store,
}

impl Memory {
    /// Takes over what is stored of windows that are open.
    pub(super) async fn open(store: Store, epoch: u32, at: At) -> Result<Self, StoreFailed> {
        let mut totals = Totals::new(epoch, at.steady_ms);
        let mut tx = store.begin().await?;
        for row in counter_list(&mut tx, at.wall_ms.saturating_sub(2 * SKEW_MS)).await? {
            totals.restore(&row);
        }
        drop(tx);
        Ok(Self {
            totals: Mutex::new(totals),
            store,
        })
    }

    pub(super) fn epoch(&self) -> u32 {
        self.totals().epoch()
    }

    pub(super) fn sync(&self, request: &Request, at: At) -> Option<Vec<Grant>> {
        self.totals().sync(request, at)
    }

    pub(super) fn used_micros(&self, key: &Key) -> u64 {
        self.totals().used(key).get()
    }

    /// Keeps what changes until `stopping`, and what changed by then.
    pub(super) async fn keep(&self, clock: impl Fn() -> u64, stopping: CancellationToken) {
        let mut ticks = interval(WRITE_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for writes in 1_u32.. {
            let is_last = tokio::select! {
                _ = ticks.tick() => false,
                () = stopping.cancelled() => true,
            };
            self.write().await;
            if is_last {
                return;
            }
            if writes.is_multiple_of(WRITES_PER_CLEANUP) {
                self.clean_up(clock()).await;
            }
        }
    }

    async fn write(&self) {
        // Nothing is locked while the store is waited for.
        let rows = {
            let mut totals = self.totals();
            metrics::counts_kept(totals.len(), totals.nodes());
            totals.take_dirty()
        };
        if rows.is_empty() {
            return;
        }
        match self.try_write(&rows).await {
            Ok(()) => metrics::rows_written(rows.len()),
            Err(error) => {
                tracing::warn!(%error, rows = rows.len(), "counts are not stored yet");
                metrics::write_failed();
                self.totals().mark_dirty(&rows);
            }
        }
    }

    async fn try_write(&self, rows: &[Row]) -> Result<(), StoreFailed> {
        let mut tx = self.store.begin().await?;
        counter_upsert(&mut tx, rows).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Nobody asks for windows that are over.
    async fn clean_up(&self, wall_ms: u64) {
        self.totals().drop_finished(wall_ms);
        let cleaned = async {
            let mut tx = self.store.begin().await?;
            counter_delete_ended(&mut tx, wall_ms.saturating_sub(2 * SKEW_MS)).await?;
            Ok::<(), StoreFailed>(tx.commit().await?)
        };
        if let Err(error) = cleaned.await {
            tracing::warn!(%error, "old counts are not deleted yet");
        }
    }

    /// Nothing that holds the lock panics, and counts are whole after every step.
    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
