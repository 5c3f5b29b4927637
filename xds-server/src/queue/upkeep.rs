//! Forgets what is kept no longer, and looks who has too much waiting.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Queue;
use crate::store::StoreFailed;
use crate::store::queue::forget::{crowded_list, queue_forget, requests_forget};

/// Requests of an organisation that may wait.
const MOST_REQUESTS: u64 = 200_000;
/// And their sealed bytes.
const MOST_BYTES: u64 = 8 << 30;
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Looks between two times that something is forgotten.
const FORGET_EVERY: u32 = 12;

/// Keeps the queue in order until it is told to stop.
pub(super) async fn run(queue: Queue, stopping: CancellationToken) {
    let mut looks = 0_u32;
    loop {
        if let Err(error) = look(&queue, (MOST_REQUESTS, MOST_BYTES)).await {
            tracing::warn!(%error, cause = ?error, "nobody looks how much waits");
        }
        if looks.is_multiple_of(FORGET_EVERY)
            && let Err(error) = forget(&queue).await
        {
            tracing::warn!(%error, cause = ?error, "old requests are kept");
        }
        looks = looks.wrapping_add(1);
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Learns which organisations have so many requests or so many bytes waiting.
pub(super) async fn look(queue: &Queue, most: (u64, u64)) -> Result<(), StoreFailed> {
    let mut tx = queue.0.store.begin_read().await?;
    let crowded: BTreeSet<String> = crowded_list(&mut tx, most).await?.into_iter().collect();
    drop(tx);
    let mut known = queue
        .0
        .crowded
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    *known = crowded;
    Ok(())
}

/// Forgets what is kept no longer.
pub(super) async fn forget(queue: &Queue) -> Result<(), StoreFailed> {
    let (store, now_ms) = (&queue.0.store, queue.now_ms());
    let mut tx = store.begin().await?;
    queue_forget(&mut tx, now_ms).await?;
    tx.commit().await?;
    loop {
        let mut tx = store.begin().await?;
        let has_more = requests_forget(&mut tx, store.dialect(), now_ms).await?;
        tx.commit().await?;
        if !has_more {
            return Ok(());
        }
    }
}
