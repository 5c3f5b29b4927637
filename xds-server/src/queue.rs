//! Requests that are accepted now and delivered later.
//!
//! [`intake`] is what comes in, [`carrier`] who takes it to its target, [`status`] what callers are
//! told, [`operators`] what those see and do who manage it. [`machine`], [`retry`], [`breaker`] and
//! [`fairness`] decide; they are pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use uuid::Uuid;

use self::commit::{KeysInHand, Pending};
use self::safe::{Parcel, Safe};
use crate::secrets::keys::RegionKeys;
use crate::store::queue::finish::request_cancel;
use crate::store::queue::insert::{Inserted, NewIdempotency, NewOrdering, NewRequest};
use crate::store::queue::read::{StoredStatus, is_ended, status_fetch};
use crate::store::{Store, StoreFailed};

pub mod breaker;
pub mod carrier;
mod claims;
mod commit;
mod delivery;
pub mod fairness;
pub mod intake;
pub mod machine;
pub mod operators;
pub mod retry;
mod safe;
pub mod status;
mod upkeep;
mod workers;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

pub use carrier::{Answer, Attempt, Carrier, NoWay, Outcome, Pace, Request};
pub use intake::{Accepted, Callback, IdempotencyKey, Intake, IntakeError, Ordering};
pub use status::{Cancelled, Status, Tried};
pub use workers::start;

/// From acceptance to the last moment at which an attempt may begin.
pub const DEADLINE: Duration = Duration::from_mins(15);
/// The most of a response's body that is kept.
pub const MAX_RESPONSE_BYTES: usize = 6 << 20;
/// What a lease lasts beyond the time that an attempt may take.
pub const LEASE_SLACK: Duration = Duration::from_secs(30);
/// An idempotency key is remembered so long.
const KEY_LIFE: Duration = Duration::from_hours(24);
/// Who waits for an end looks itself so often: another server may have brought it about.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// So many wait at a time.
const MOST_WAITS: usize = 512;

/// The region's queue. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    safe: Safe,
    clock: Clock,
    door: mpsc::Sender<Pending>,
    keys: KeysInHand,
    /// Something may be due now.
    came: Notify,
    /// Organisations of which no more is accepted.
    crowded: Mutex<BTreeSet<String>>,
    /// Who waits for the end of which request.
    waiting: Mutex<BTreeMap<String, Arc<Notify>>>,
    /// Places of who waits: they look into the store now and then, which others need, too.
    waits: Semaphore,
}

impl Queue {
    /// Over `store`, which several servers of the region may share.
    #[must_use]
    pub fn new(
        store: &Store,
        (region, keys): (&str, &Arc<RegionKeys>),
        clock: &Clock,
        tasks: &TaskSet,
    ) -> Self {
        let (door, came) = commit::door();
        let run = commit::run(store.clone(), came, tasks.stopping());
        tasks.spawn("queue intake", run);
        Self(Arc::new(Shared {
            store: store.clone(),
            safe: Safe::new(region, Arc::clone(keys), store.clone()),
            clock: clock.clone(),
            door,
            keys: KeysInHand::default(),
            came: Notify::new(),
            crowded: Mutex::default(),
            waiting: Mutex::default(),
            waits: Semaphore::new(MOST_WAITS),
        }))
    }

    /// Makes a request durable. It is so when this returns, even if the process is killed then.
    ///
    /// # Errors
    /// Nothing was accepted.
    pub async fn accept(&self, intake: Intake) -> Result<Accepted, IntakeError> {
        if self.is_crowded(&intake.organisation_id) {
            return Err(IntakeError::Full);
        }
        let idempotency = idempotency_of(&intake, self.now_ms());
        let key = match &idempotency {
            Some(idempotency) => {
                let key = self.0.keys.take(&idempotency.digest);
                Some(key.ok_or(IntakeError::KeyBusy)?)
            }
            None => None,
        };
        let id = Uuid::new_v4();
        let request = self.new_request((id, None), intake, idempotency).await?;
        let (told, answer) = oneshot::channel();
        let pending = Pending { request, key, told };
        let sent = self.0.door.send(pending).await;
        sent.map_err(|_| IntakeError::Away)?;
        match answer.await {
            Ok(Inserted::New) => {
                self.0.came.notify_one();
                Ok(Accepted::New(id.to_string()))
            }
            Ok(Inserted::Replayed(first)) => Ok(Accepted::Replayed(first)),
            Ok(Inserted::KeyReused) => Err(IntakeError::KeyReused),
            Err(_) => Err(IntakeError::Away),
        }
    }

    /// How a request of a proxy stands: when it has ended, or after `wait`. None: there is none.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn status(
        &self,
        proxy_id: &str,
        request_id: &str,
        wait: Duration,
    ) -> Result<Option<Status>, StoreFailed> {
        // Whoever finds no place is told at once how it stands.
        if !wait.is_zero()
            && let Ok(_place) = self.0.waits.try_acquire()
        {
            let ended = self.ended((proxy_id, request_id));
            // Over: it is told as it stands.
            let _ = tokio::time::timeout(wait, ended).await;
        }
        let mut tx = self.0.store.begin_read().await?;
        let now_ms = self.now_ms();
        let stored = status_fetch(&mut tx, (proxy_id, request_id), now_ms).await?;
        drop(tx);
        match stored {
            Some(stored) => Ok(Some(self.opened(request_id, stored).await?)),
            None => Ok(None),
        }
    }

    /// Takes a request of a proxy back, unless it is being delivered or has ended. One that has
    /// failed and stops those of its ordering is given up, and they go on.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn cancel(&self, proxy_id: &str, request_id: &str) -> Result<Cancelled, StoreFailed> {
        let Shared { store, .. } = &*self.0;
        let mut tx = store.begin().await?;
        let (key, now_ms) = ((proxy_id, request_id), self.now_ms());
        let cancelled = request_cancel(&mut tx, store.dialect(), key, now_ms).await?;
        tx.commit().await?;
        if cancelled == Cancelled::Done {
            self.told(request_id);
        }
        Ok(cancelled)
    }

    async fn new_request(
        &self,
        (id, replay_of): (Uuid, Option<String>),
        intake: Intake,
        idempotency: Option<NewIdempotency>,
    ) -> Result<NewRequest, IntakeError> {
        let ordering = intake.ordering.as_ref().map(|ordering| NewOrdering {
            digest: digest([intake.proxy_id.as_str(), ordering.key.as_str()]),
            stops: ordering.stops,
        });
        let parcel = Parcel {
            request: intake.request,
            caller: intake.caller,
            callback: intake.callback,
        };
        let safe = &self.0.safe;
        let sealed = safe.seal_request(&intake.organisation_id, id, &parcel);
        let sealed = sealed.await.map_err(|error| {
            tracing::error!(%error, cause = ?error, "a request cannot be sealed");
            IntakeError::Away
        })?;
        let created_at_ms = self.now_ms();
        Ok(NewRequest {
            request_id: id.to_string(),
            organisation_id: intake.organisation_id,
            proxy_id: intake.proxy_id,
            credential_id: intake.credential_id,
            target_id: intake.target_id,
            replay_of,
            sealed,
            created_at_ms,
            deadline_ms: created_at_ms.saturating_add(ms(DEADLINE)),
            timeout_ms: ms(intake.timeout),
            keep_response_ms: ms(intake.keep_response),
            has_callback: parcel.callback.is_some(),
            ordering,
            idempotency,
        })
    }

    /// Returns when a request has ended, or there is none.
    async fn ended(&self, key: (&str, &str)) -> Result<(), StoreFailed> {
        let notify = self.listen(key.1);
        loop {
            // Asked before the look, so that nothing is missed between the two.
            let told = notify.notified();
            let mut tx = self.0.store.begin_read().await?;
            let is_ended = is_ended(&mut tx, key).await?;
            drop(tx);
            if is_ended != Some(false) {
                return Ok(());
            }
            let _ = tokio::time::timeout(LOOK_EVERY, told).await;
        }
    }

    fn listen(&self, request_id: &str) -> Arc<Notify> {
        let waiting = self.0.waiting.lock();
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        // Those for whom nobody waits any more.
        waiting.retain(|_, notify| Arc::strong_count(notify) > 1);
        let notify = waiting.entry(request_id.to_owned()).or_default();
        Arc::clone(notify)
    }

    /// A request has ended, and others may be due.
    fn told(&self, request_id: &str) {
        let waiting = self.0.waiting.lock();
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if let Some(notify) = waiting.get(request_id) {
            notify.notify_waiters();
        }
        self.0.came.notify_one();
    }

    async fn opened(&self, request_id: &str, stored: StoredStatus) -> Result<Status, StoreFailed> {
        let StoredStatus {
            organisation_id,
            state,
            reason,
            attempts,
            next_attempt_at_ms,
            response,
            has_callback,
        } = stored;
        let response = match (response, request_id.parse::<Uuid>()) {
            (Some(sealed), Ok(id)) => {
                let opened = self.0.safe.open_response(&organisation_id, id, &sealed);
                // What does not open is not there.
                opened.await.ok()
            }
            (None, _) | (_, Err(_)) => None,
        };
        Ok(Status {
            request_id: request_id.to_owned(),
            state,
            reason,
            attempts,
            next_attempt_at_ms,
            response,
            callbacks: has_callback.then(Vec::new),
        })
    }

    fn is_crowded(&self, organisation_id: &str) -> bool {
        let crowded = self.0.crowded.lock();
        let crowded = crowded.unwrap_or_else(PoisonError::into_inner);
        crowded.contains(organisation_id)
    }

    fn now_ms(&self) -> u64 {
        self.0.clock.unix_ms()
    }
}

fn idempotency_of(intake: &Intake, now_ms: u64) -> Option<NewIdempotency> {
    let key = intake.idempotency.as_ref()?;
    let Intake {
        proxy_id,
        credential_id,
        ..
    } = intake;
    Some(NewIdempotency {
        digest: digest([proxy_id, credential_id, key.as_str()]),
        fingerprint: URL_SAFE_NO_PAD.encode(intake.fingerprint()),
        expires_at_ms: now_ms.saturating_add(ms(KEY_LIFE)),
    })
}

/// Keys are stored as this: they may say who a caller's customers are.
fn digest<const N: usize>(parts: [&str; N]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
