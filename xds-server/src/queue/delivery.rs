//! One attempt: opened, carried, and what became of it written.

use std::time::Duration;

use uuid::Uuid;

use super::carrier::{Answer, Attempt, Carrier, NoWay, Outcome};
use super::machine::{End, Reason, Verdict};
use super::retry::{self, Health};
use super::safe::{Safe, SafeFailed};
use super::status::Tried;
use super::{LEASE_SLACK, Queue};
use crate::store::StoreFailed;
use crate::store::queue::Ready;
use crate::store::queue::finish::{Completion, request_complete};
use crate::store::queue::read::request_fetch;
use crate::store::queue::target::proxy_hold;

/// Between two tries to write what an attempt came to.
const WRITE_AGAIN: Duration = Duration::from_millis(200);
/// The most characters of an error that are kept.
const MAX_ERROR: usize = 200;

/// What became of an attempt, as far as it concerns others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// It was made.
    Tried,
    /// There was no Envoy to go through.
    NoEnvoy {
        /// Then (Unix time in milliseconds).
        at_ms: u64,
    },
}

/// Makes the attempt that `ready` was leased for.
pub(super) async fn deliver(queue: &Queue, carrier: &impl Carrier, ready: Ready) -> Delivered {
    let outcome = match attempt_of(queue, &ready).await {
        Ok(attempt) => carried(carrier, attempt).await,
        Err(SafeFailed::Shut) => {
            write(queue, &ready, &internal(&ready), None).await;
            return Delivered::Tried;
        }
        Err(error @ SafeFailed::Store(_)) => {
            // The lease ends by itself.
            tracing::warn!(%error, cause = ?error, "a request cannot be read");
            return Delivered::Tried;
        }
    };
    let now_ms = queue.now_ms();
    let verdict = retry::verdict(&outcome, &ready.life, now_ms, random());
    let completion = Completion {
        token: ready.life.token,
        verdict,
        health: retry::health(&outcome),
        tried: tried_of(&outcome, &ready, now_ms),
        response: match (&outcome, verdict) {
            (Outcome::Answered(answer), Verdict::Ends(_)) => sealed(queue, &ready, answer).await,
            _ => None,
        },
    };
    let held_until_ms = match (&outcome, verdict) {
        (Outcome::NoWay(NoWay::Proxy), Verdict::Unspent { at_ms }) => Some(at_ms),
        _ => None,
    };
    write(queue, &ready, &completion, held_until_ms).await;
    match outcome {
        Outcome::NoWay(NoWay::Region) => Delivered::NoEnvoy { at_ms: now_ms },
        Outcome::NoWay(NoWay::Proxy | NoWay::Request)
        | Outcome::Answered(_)
        | Outcome::Unreachable { .. }
        | Outcome::Denied { .. } => Delivered::Tried,
    }
}

/// No longer than the lease lasts.
async fn carried(carrier: &impl Carrier, attempt: Attempt) -> Outcome {
    let longest = attempt.timeout.saturating_add(LEASE_SLACK / 2);
    let outcome = tokio::time::timeout(longest, carrier.carry(attempt)).await;
    outcome.unwrap_or_else(|_| Outcome::Unreachable {
        error: "the attempt took too long".to_owned(),
    })
}

async fn attempt_of(queue: &Queue, ready: &Ready) -> Result<Attempt, SafeFailed> {
    let mut tx = queue.0.store.begin_read().await?;
    let stored = request_fetch(&mut tx, &ready.request_id).await?;
    drop(tx);
    let stored = stored.ok_or(SafeFailed::Shut)?;
    let sealed = stored.request.ok_or(SafeFailed::Shut)?;
    let id = id_of(ready).ok_or(SafeFailed::Shut)?;
    let safe: &Safe = &queue.0.safe;
    let opened = safe.open_request(&ready.organisation_id, id, &sealed);
    let parcel = opened.await?;
    Ok(Attempt {
        request_id: ready.request_id.clone(),
        number: ready.life.attempts,
        organisation_id: ready.organisation_id.clone(),
        proxy_id: ready.proxy_id.clone(),
        credential_id: stored.credential_id,
        target_id: ready.target_id.clone(),
        request: parcel.request,
        caller: parcel.caller,
        timeout: Duration::from_millis(ready.timeout_ms),
    })
}

/// None: the organisation is gone by now, and nobody could open it.
async fn sealed(queue: &Queue, ready: &Ready, answer: &Answer) -> Option<Vec<u8>> {
    let (id, safe) = (id_of(ready)?, &queue.0.safe);
    let sealed = safe.seal_response(&ready.organisation_id, id, answer).await;
    sealed
        .inspect_err(|error| tracing::warn!(%error, cause = ?error, "a response is not kept"))
        .ok()
}

fn id_of(ready: &Ready) -> Option<Uuid> {
    ready.request_id.parse().ok()
}

fn internal(ready: &Ready) -> Completion {
    Completion {
        token: ready.life.token,
        verdict: Verdict::Ends(End::Failed(Reason::Internal)),
        health: Health::Unknown,
        tried: None,
        response: None,
    }
}

fn tried_of(outcome: &Outcome, ready: &Ready, now_ms: u64) -> Option<Tried> {
    let (status, error) = match outcome {
        Outcome::Answered(answer) => (Some(answer.status), None),
        Outcome::Unreachable { error } => (None, Some(error.chars().take(MAX_ERROR).collect())),
        Outcome::Denied { code } => (None, Some(format!("refused: {code}"))),
        Outcome::NoWay(_) => return None,
    };
    Some(Tried {
        number: ready.life.attempts,
        started_at_ms: ready.started_at_ms,
        duration_ms: Some(now_ms.saturating_sub(ready.started_at_ms)),
        status,
        error,
    })
}

/// Tries until the lease ends; then another attempt is made.
async fn write(queue: &Queue, ready: &Ready, completion: &Completion, held_until_ms: Option<u64>) {
    let lease_ms = ready.timeout_ms.saturating_add(super::ms(LEASE_SLACK));
    let until_ms = ready.started_at_ms.saturating_add(lease_ms);
    loop {
        match written(queue, ready, completion, held_until_ms).await {
            Ok(()) => break,
            Err(error) if queue.now_ms() < until_ms => {
                tracing::warn!(%error, cause = ?error, "an outcome is not written yet");
                tokio::time::sleep(WRITE_AGAIN).await;
            }
            Err(error) => {
                tracing::error!(%error, cause = ?error, "an outcome was not written");
                return;
            }
        }
    }
    queue.told(&ready.request_id);
}

async fn written(
    queue: &Queue,
    ready: &Ready,
    completion: &Completion,
    held_until_ms: Option<u64>,
) -> Result<(), StoreFailed> {
    let (store, now_ms) = (&queue.0.store, queue.now_ms());
    let mut tx = store.begin().await?;
    if let Some(until_ms) = held_until_ms {
        let proxy = (ready.proxy_id.as_str(), ready.organisation_id.as_str());
        proxy_hold(&mut tx, proxy, until_ms).await?;
    }
    let done = request_complete(&mut tx, store.dialect(), ready, completion, now_ms).await?;
    if done.is_err() {
        let request_id = &ready.request_id;
        tracing::warn!(request_id, "an outcome came under a lease that was revoked");
    }
    tx.commit().await?;
    Ok(())
}

fn random() -> u64 {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    // Both hold fixed bits, in different places.
    high.rotate_left(32) ^ low
}
