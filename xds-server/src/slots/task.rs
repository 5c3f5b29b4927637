//! Does what is due: switches whose time has come, and those that targets do not bear.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::record::v1::Record;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::counts::Counts;
use super::{SlotState, Slots};
use crate::region::RegionWriter;
use crate::store::StoreFailed;

/// Before something that failed is tried again, and between two looks at the clock, which may be set.
const AGAIN: Duration = Duration::from_secs(1);
/// Refusals that wait to be looked at. One that finds no place comes with the next call.
const WAITING: usize = 64;

/// A second secret: whose, and its version.
type Key = (String, u64);

/// Hears of what targets answer. Cheap to clone, and the same for all clones.
#[derive(Clone, Debug)]
pub struct SlotWatch {
    slots: watch::Receiver<Slots>,
    counts: Arc<Mutex<BTreeMap<Key, Counts>>>,
    refused: mpsc::Sender<Key>,
}

/// Begins to look after the second secrets that `writer` stores.
#[must_use]
pub fn start(writer: &Arc<RegionWriter>, clock: &Clock, tasks: &TaskSet) -> SlotWatch {
    let (refused, heard) = mpsc::channel(WAITING);
    let watch = SlotWatch {
        slots: writer.slots(),
        counts: Arc::default(),
        refused,
    };
    let task = Task {
        writer: Arc::clone(writer),
        slots: writer.slots(),
        counts: Arc::clone(&watch.counts),
        clock: clock.clone(),
    };
    let stopping = tasks.stopping();
    tasks.spawn("second secrets", async move {
        task.run(heard, stopping).await;
        Ok(())
    });
    watch
}

impl SlotWatch {
    /// A call is over; its target was to be given that credential.
    pub fn call(&self, record: &Record, credential_id: &str) {
        let Some(status) = record.target_status else {
            return;
        };
        let state = self.slots.borrow().get(credential_id).copied();
        let Some(state) = state.filter(|state| state.failed_at_ms == 0) else {
            return;
        };
        let key = (credential_id.to_owned(), state.version);
        let switched_ms = state.is_given.then_some(state.given_from_ms);
        let is_refused = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let counts = counts.entry(key.clone()).or_default();
            counts.count(status, record.received_at_ms, switched_ms);
            counts.are_refused()
        };
        if is_refused {
            // Without a place for it the next call brings it again.
            let _ = self.refused.try_send(key);
        }
    }
}

struct Task {
    writer: Arc<RegionWriter>,
    slots: watch::Receiver<Slots>,
    counts: Arc<Mutex<BTreeMap<Key, Counts>>>,
    clock: Clock,
}

impl Task {
    async fn run(mut self, mut refused: mpsc::Receiver<Key>, stopping: CancellationToken) {
        loop {
            let wait = self.look().await;
            tokio::select! {
                Ok(()) = self.slots.changed() => {}
                Some(key) = refused.recv() => self.back(&key).await,
                () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {}
                () = stopping.cancelled() => return,
            }
        }
    }

    /// Does what is due, and says when to look again.
    async fn look(&mut self) -> Option<Duration> {
        let slots = self.slots.borrow_and_update().clone();
        self.forget(&slots);
        let due_ms = slots.values().filter_map(SlotState::due_ms).min()?;
        let now_ms = self.clock.unix_ms();
        if due_ms > now_ms {
            return Some(Duration::from_millis(due_ms - now_ms).min(AGAIN));
        }
        match self.writer.switch(now_ms).await {
            Ok(()) => Some(Duration::ZERO),
            Err(error) => {
                tracing::warn!(%error, "secrets of targets are not switched");
                Some(AGAIN)
            }
        }
    }

    async fn back(&self, (credential_id, version): &Key) {
        let back = self.switch_back((credential_id, *version)).await;
        if let Err(error) = back {
            tracing::warn!(credential_id, %error, "secret of targets is not switched back");
        }
    }

    async fn switch_back(&self, key: (&str, u64)) -> Result<(), StoreFailed> {
        let now_ms = self.clock.unix_ms();
        if self.writer.switch_back(key, now_ms).await? {
            let (credential_id, version) = key;
            tracing::warn!(
                credential_id,
                version,
                "targets refuse the next secret and are given the one before it again"
            );
        }
        Ok(())
    }

    /// What is over is not counted any longer.
    fn forget(&self, slots: &Slots) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|(id, version), _| {
            let state = slots.get(id.as_str());
            state.is_some_and(|state| state.version == *version && state.failed_at_ms == 0)
        });
    }
}

impl SlotState {
    /// When targets are to be given it; none: they are, or nobody says so.
    fn due_ms(&self) -> Option<u64> {
        let is_to_come = !self.is_given && self.failed_at_ms == 0 && self.given_from_ms != 0;
        is_to_come.then_some(self.given_from_ms)
    }
}
