//! What operators see of requests, and what they do with them.

use bytes::Bytes;
use uuid::Uuid;

use super::breaker::BreakerState;
use super::carrier::Request;
use super::safe::SafeFailed;
use super::{DEADLINE, Queue, ms};
use crate::store::StoreFailed;
use crate::store::queue::insert::NewRequest;
pub use crate::store::queue::operate::{Held, ListedRequest, Selection, Totals};
use crate::store::queue::operate::{pause, requests_list, totals_fetch};
use crate::store::queue::replay::{Replayable, replayable_fetch, request_replay};
use crate::store::queue::target::targets_list;

/// What an organisation has in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The numbers.
    pub totals: Totals,
    /// Since the oldest that has not ended was accepted.
    pub oldest_age_ms: Option<u64>,
    /// By target.
    pub targets: Vec<TargetState>,
}

/// How a target stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetState {
    /// UUID text.
    pub target_id: String,
    /// Whether it answers.
    pub breaker: BreakerState,
    /// Nothing is delivered to it for now.
    pub is_paused: bool,
}

/// What of a request is another in its replay; none: as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// In upper case.
    pub method: Option<String>,
    /// With what is behind `?`.
    pub path: Option<String>,
    /// All of them.
    pub headers: Option<Vec<(String, Bytes)>>,
    /// The whole body.
    pub body: Option<Bytes>,
}

/// What became of a wish for a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It is a new request.
    New(String),
    /// There is no such request at this proxy.
    Unknown,
    /// It has not failed, or is not kept any more.
    NotFailed,
}

impl Queue {
    /// Requests of a proxy, the newest first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn list(&self, selection: &Selection) -> Result<Vec<ListedRequest>, StoreFailed> {
        let mut tx = self.0.store.begin_read().await?;
        requests_list(&mut tx, selection, self.now_ms()).await
    }

    /// What an organisation has in the queue.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn summary(&self, organisation_id: &str) -> Result<Summary, StoreFailed> {
        let (mut tx, now_ms) = (self.0.store.begin_read().await?, self.now_ms());
        let totals = totals_fetch(&mut tx, organisation_id, now_ms).await?;
        let targets = targets_list(&mut tx, organisation_id).await?;
        let age_ms = |deadline_ms: u64| (now_ms + ms(DEADLINE)).saturating_sub(deadline_ms);
        let target =
            |(target_id, breaker, is_paused): (_, super::breaker::Breaker, _)| TargetState {
                target_id,
                breaker: breaker.state(),
                is_paused,
            };
        Ok(Summary {
            totals,
            oldest_age_ms: totals.oldest_deadline_ms.map(age_ms),
            targets: targets.into_iter().map(target).collect(),
        })
    }

    /// Has nothing delivered of a proxy or to a target. Deadlines stay.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn pause(&self, organisation_id: &str, held: &Held) -> Result<(), StoreFailed> {
        self.hold((organisation_id, held), true).await
    }

    /// Goes on with what [`Queue::pause`] holds up.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn resume(&self, organisation_id: &str, held: &Held) -> Result<(), StoreFailed> {
        self.hold((organisation_id, held), false).await?;
        self.0.came.notify_one();
        Ok(())
    }

    async fn hold(&self, what: (&str, &Held), is_paused: bool) -> Result<(), StoreFailed> {
        let mut tx = self.0.store.begin().await?;
        pause(&mut tx, what, is_paused, self.now_ms()).await?;
        Ok(tx.commit().await?)
    }

    /// Sends a request that has failed again, as a new one with a new deadline; what is in force
    /// then judges it. If it has those of its ordering wait, the new one takes its place.
    ///
    /// # Errors
    /// The store does not answer; there is no new request.
    pub async fn replay(
        &self,
        (organisation_id, proxy_id): (&str, &str),
        request_id: &str,
        edit: Edit,
    ) -> Result<Replay, StoreFailed> {
        let (store, safe) = (&self.0.store, &self.0.safe);
        let mut tx = store.begin_read().await?;
        let proxy = (organisation_id, proxy_id);
        let found = replayable_fetch(&mut tx, proxy, request_id).await?;
        drop(tx);
        let (Some(found), Ok(old_id)) = (found, request_id.parse::<Uuid>()) else {
            return Ok(Replay::Unknown);
        };
        let sealed = match &found.request {
            Some(sealed) if found.is_failed => sealed,
            Some(_) | None => return Ok(Replay::NotFailed),
        };
        let opened = safe.open_request(organisation_id, old_id, sealed).await;
        let mut parcel = match opened {
            Ok(parcel) => parcel,
            Err(SafeFailed::Store(error)) => return Err(error),
            Err(SafeFailed::Shut) => return Ok(Replay::NotFailed),
        };
        parcel.request = edited(parcel.request, edit);
        let id = Uuid::new_v4();
        let sealed = match safe.seal_request(organisation_id, id, &parcel).await {
            Ok(sealed) => sealed,
            Err(SafeFailed::Store(error)) => return Err(error),
            Err(SafeFailed::Shut) => return Ok(Replay::NotFailed),
        };
        let new = new_request(proxy, (id, request_id), found, (sealed, self.now_ms()));
        let mut tx = store.begin().await?;
        request_replay(&mut tx, store.dialect(), (request_id, &new)).await?;
        tx.commit().await?;
        self.0.came.notify_one();
        Ok(Replay::New(new.request_id))
    }
}

fn new_request(
    (organisation_id, proxy_id): (&str, &str),
    (id, replay_of): (Uuid, &str),
    found: Replayable,
    (sealed, now_ms): (Vec<u8>, u64),
) -> NewRequest {
    let Replayable {
        credential_id,
        target_id,
        timeout_ms,
        keep_response_ms,
        has_callback,
        ordering,
        is_failed: _,
        request: _,
    } = found;
    NewRequest {
        request_id: id.to_string(),
        organisation_id: organisation_id.to_owned(),
        proxy_id: proxy_id.to_owned(),
        credential_id,
        target_id,
        replay_of: Some(replay_of.to_owned()),
        sealed,
        created_at_ms: now_ms,
        deadline_ms: now_ms.saturating_add(ms(DEADLINE)),
        timeout_ms,
        keep_response_ms,
        has_callback,
        ordering,
        idempotency: None,
    }
}

fn edited(request: Request, edit: Edit) -> Request {
    let Edit {
        method,
        path,
        headers,
        body,
    } = edit;
    let (path, query) = match path {
        Some(path) => match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (path, None),
        },
        None => (request.path, request.query),
    };
    Request {
        method: method.unwrap_or(request.method),
        path,
        query,
        headers: headers.unwrap_or(request.headers),
        body: body.unwrap_or(request.body),
    }
}
