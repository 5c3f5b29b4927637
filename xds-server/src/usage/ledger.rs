//! The one writer of usage: commits together what comes, and then answers.

use std::collections::BTreeMap;
use std::time::Duration;

use requestrocket_process::clock::Clock;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::workers::Workers;
use super::{WorkerId, hours, metrics};
use crate::store::usage::{
    CountKey, Counted, usage_fold, usage_forget, usage_upsert, usage_worker_end, usage_worker_list,
    usage_worker_upsert,
};
use crate::store::{Store, StoreFailed};

/// What comes within this time is committed together.
const PACE: Duration = Duration::from_millis(250);
/// Messages of one commit.
const TOGETHER: usize = 256;
/// Between two looks for who has ended.
const LOOK: Duration = Duration::from_secs(2);
/// Between two looks for what is old.
const HOUSE: Duration = Duration::from_mins(10);

/// What one worker told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) worker: WorkerId,
    pub(super) counts: Vec<(CountKey, Counted)>,
    /// It is durable.
    pub(super) answer: oneshot::Sender<()>,
}

/// Writes.
#[derive(Debug)]
pub(super) struct Ledger {
    store: Store,
    clock: Clock,
    workers: Workers,
    started: Instant,
    house_at: Option<Instant>,
}

impl Ledger {
    /// Knows the workers that the run before heard.
    pub(super) async fn open(store: Store, clock: Clock) -> Result<Self, StoreFailed> {
        let mut workers = Workers::default();
        let mut tx = store.begin().await?;
        for (worker, heard_ms) in usage_worker_list(&mut tx).await? {
            workers.restore(worker, heard_ms, clock.unix_ms());
        }
        drop(tx);
        Ok(Self {
            store,
            clock,
            workers,
            started: Instant::now(),
            house_at: None,
        })
    }

    /// Writes until it is told to stop.
    pub(super) async fn run(mut self, mut told: mpsc::Receiver<Told>, stopping: CancellationToken) {
        loop {
            let first = tokio::select! {
                first = told.recv() => first,
                () = tokio::time::sleep(LOOK) => {
                    self.look(self.steady_ms()).await;
                    continue;
                }
                () = stopping.cancelled() => return,
            };
            let Some(first) = first else { return };
            let mut all = vec![first];
            // Who only says that they are there need not wait for others.
            if all.iter().any(|told| !told.counts.is_empty()) {
                tokio::time::sleep(PACE).await;
            }
            while all.len() < TOGETHER
                && let Ok(more) = told.try_recv()
            {
                all.push(more);
            }
            self.take(all).await;
            self.look(self.steady_ms()).await;
        }
    }

    /// Answers when it is durable; who gets no answer tells it again.
    pub(super) async fn take(&mut self, all: Vec<Told>) {
        let (now_ms, steady_ms) = (self.clock.unix_ms(), self.steady_ms());
        let mut counts: BTreeMap<CountKey, Counted> = BTreeMap::new();
        for told in &all {
            self.workers.hear(told.worker, now_ms, steady_ms);
            for (key, counted) in &told.counts {
                // They only grow: of two the larger is the later.
                let known = counts.entry(*key).or_default();
                *known = known.most(*counted);
            }
        }
        let number = counts.len();
        match self.write(counts).await {
            Ok(()) => {
                metrics::written(number);
                for told in all {
                    // Who does not wait any more tells it again.
                    let _ = told.answer.send(());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "usage is not stored yet");
                metrics::failed();
            }
        }
    }

    async fn write(&mut self, counts: BTreeMap<CountKey, Counted>) -> Result<(), StoreFailed> {
        let heard = self.workers.unstored();
        if counts.is_empty() && heard.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        usage_upsert(&mut tx, counts.into_iter()).await?;
        usage_worker_upsert(&mut tx, heard.iter().copied()).await?;
        tx.commit().await?;
        self.workers.are_stored(&heard);
        Ok(())
    }

    /// Notes who has ended, and makes one of what is old.
    pub(super) async fn look(&mut self, steady_ms: u64) {
        if let Err(error) = self.note_ends(steady_ms).await {
            tracing::warn!(%error, "it is not stored yet that a worker has ended");
        }
        let is_due = self.house_at.is_none_or(|at| at <= Instant::now());
        if !is_due {
            return;
        }
        self.house_at = Instant::now().checked_add(HOUSE);
        if let Err(error) = self.keep_house().await {
            tracing::warn!(%error, "old usage is kept for longer");
        }
    }

    async fn note_ends(&mut self, steady_ms: u64) -> Result<(), StoreFailed> {
        for (worker, hours) in self.workers.ended(steady_ms) {
            let mut tx = self.store.begin().await?;
            usage_worker_end(&mut tx, worker, hours.into_iter()).await?;
            tx.commit().await?;
            self.workers.forget(worker);
            metrics::ended();
        }
        Ok(())
    }

    async fn keep_house(&self) -> Result<(), StoreFailed> {
        let now_ms = self.clock.unix_ms();
        let mut tx = self.store.begin().await?;
        usage_fold(&mut tx, hours::folded_before(now_ms)).await?;
        usage_forget(&mut tx, hours::kept_from(now_ms)).await?;
        Ok(tx.commit().await?)
    }

    fn steady_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Counted {
    fn most(self, other: Self) -> Self {
        Self {
            admitted: self.admitted.max(other.admitted),
            refused: self.refused.max(other.refused),
            value_micros: self.value_micros.max(other.value_micros),
        }
    }
}
