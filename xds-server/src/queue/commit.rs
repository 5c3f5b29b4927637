//! Makes requests durable: those that come while one transaction is written share the next.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::store::queue::insert::{Inserted, NewRequest, requests_insert};
use crate::store::{Store, StoreFailed};

/// Requests that wait for the next transaction at most; those beyond wait at the door.
const WAITING: usize = 256;
/// The most bytes of one transaction, beyond its last request.
const MOST_BYTES: usize = 32 << 20;

/// A request that is to be durable, and who wants to know.
pub(super) struct Pending {
    pub(super) request: NewRequest,
    /// Held until it is.
    pub(super) key: Option<KeyInHand>,
    /// Dropped: it is not.
    pub(super) told: oneshot::Sender<Inserted>,
}

/// Idempotency keys whose first request is being stored.
#[derive(Clone, Debug, Default)]
pub(super) struct KeysInHand(Arc<Mutex<BTreeSet<String>>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct KeyInHand {
    keys: KeysInHand,
    digest: String,
}

impl KeysInHand {
    /// None: somebody else has it.
    pub(super) fn take(&self, digest: &str) -> Option<KeyInHand> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(digest.to_owned()).then(|| KeyInHand {
            keys: self.clone(),
            digest: digest.to_owned(),
        })
    }
}

impl Drop for KeyInHand {
    fn drop(&mut self) {
        let mut taken = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.digest);
    }
}

/// Where requests are handed in.
pub(super) fn door() -> (mpsc::Sender<Pending>, mpsc::Receiver<Pending>) {
    mpsc::channel(WAITING)
}

/// Stores what comes in until it is told to stop, and then what came before.
pub(super) async fn run(
    store: Store,
    mut came: mpsc::Receiver<Pending>,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        let first = tokio::select! {
            biased;
            first = came.recv() => first,
            () = stopping.cancelled() => {
                // Who comes from now on is told that the store is away.
                came.close();
                came.recv().await
            }
        };
        let Some(first) = first else {
            return Ok(());
        };
        let mut bytes = first.request.sealed.len();
        let mut batch = vec![first];
        while bytes < MOST_BYTES
            && batch.len() < WAITING
            && let Ok(next) = came.try_recv()
        {
            bytes += next.request.sealed.len();
            batch.push(next);
        }
        batch_store(&store, batch).await;
    }
}

async fn batch_store(store: &Store, batch: Vec<Pending>) {
    let (mut requests, mut waiting) = (Vec::new(), Vec::new());
    for Pending { request, key, told } in batch {
        requests.push(request);
        waiting.push((key, told));
    }
    match stored(store, &requests).await {
        Ok(inserted) => {
            for ((key, told), inserted) in waiting.into_iter().zip(inserted) {
                drop(key);
                // Who hung up finds its request all the same.
                let _ = told.send(inserted);
            }
        }
        Err(error) => {
            let count = requests.len();
            tracing::error!(%error, cause = ?error, count, "requests cannot be stored");
            // Who waits sees that nobody tells them anything.
            drop(waiting);
        }
    }
}

async fn stored(store: &Store, requests: &[NewRequest]) -> Result<Vec<Inserted>, StoreFailed> {
    let mut tx = store.begin().await?;
    let inserted = requests_insert(&mut tx, requests).await?;
    tx.commit().await?;
    Ok(inserted)
}
