//! Documents that everybody may read, as they were found last.
//!
//! Invariant: of one URL one request is on its way, and who waits for it takes what it brings; the
//! next follows [`PAUSE_MS`] later at the earliest, whatever that was.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use requestrocket_policy::secret_form::endpoint::Endpoint;

use super::answer::{Failure, failure_of_status, retry_after_ms};
use super::client::Response;
use super::provider::World;

/// Between two requests for one URL, however many need what is there.
pub(crate) const PAUSE_MS: u64 = 30_000;
/// URLs that are remembered.
const MAX_SLOTS: usize = 4_096;
/// Of an entity tag that is sent back.
const MAX_TAG_BYTES: usize = 512;

/// What was found, by URL. Clones are the same shelf.
pub(super) struct Shelf<T> {
    slots: Arc<Mutex<BTreeMap<String, Arc<Slot<T>>>>>,
}

struct Slot<T> {
    /// Requests that have ended.
    asked: AtomicU64,
    /// Held while a request is on its way.
    found: tokio::sync::Mutex<Found<T>>,
}

struct Found<T> {
    /// What came of the last request, and when.
    last: Option<(u64, Result<T, Failure>)>,
    /// What came last, and its entity tag.
    good: Option<(T, Option<String>)>,
}

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        let slots = Arc::clone(&self.slots);
        Self { slots }
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        let slots = Arc::default();
        Self { slots }
    }
}

/// URLs may hold what is not for everybody.
impl<T> fmt::Debug for Shelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Shelf({})", slots.len())
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        let found = Found {
            last: None,
            good: None,
        };
        Self {
            asked: AtomicU64::new(0),
            found: tokio::sync::Mutex::new(found),
        }
    }
}

impl<T: Clone> Shelf<T> {
    /// What is at that URL, in the words of `read`, which says why if it is nothing.
    pub(super) async fn get(
        &self,
        world: World<'_>,
        url: &Endpoint,
        read: impl FnOnce(&[u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let slot = self.slot(url);
        // Before the lock, so that who waits for it takes what came meanwhile.
        let asked = slot.asked.load(Ordering::Acquire);
        let mut found = slot.found.lock().await;
        let is_newer = slot.asked.load(Ordering::Acquire) != asked;
        let is_fresh = |at_ms: u64| world.now_ms() < at_ms.saturating_add(PAUSE_MS);
        if let Some((at_ms, last)) = &found.last
            && (is_newer || is_fresh(*at_ms))
        {
            return last.clone();
        }
        let tag = found.good.as_ref().and_then(|(_, tag)| tag.as_deref());
        let asked = world.client.fetch(url, tag).await;
        let asked = asked.and_then(|response| found.take(world, &response, read));
        found.last = Some((world.now_ms(), asked.clone()));
        slot.asked.fetch_add(1, Ordering::AcqRel);
        asked
    }

    fn slot(&self, url: &Endpoint) -> Arc<Slot<T>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_SLOTS && !slots.contains_key(url.as_str()) {
            // Those that are asked now stay; others are only asked without a tag the next time.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(url.as_str().to_owned()).or_default())
    }
}

impl<T: Clone> Found<T> {
    fn take(
        &mut self,
        world: World<'_>,
        response: &Response,
        read: impl FnOnce(&[u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let header = |name: &str| response.headers.get(name)?.to_str().ok();
        // Without a tag nothing was asked that a 304 can answer (RFC 9110 §15.4.5).
        if let (304, Some((good, Some(_)))) = (response.status, &self.good) {
            return Ok(good.clone());
        }
        if response.status != 200 {
            let retry_after = header("retry-after");
            let retry_after_ms = retry_after.and_then(|it| retry_after_ms(it, world.now_ms()));
            return Err(Failure {
                retry_after_ms,
                ..failure_of_status(response.status)
            });
        }
        let good = read(&response.body)?;
        let tag = header("etag").filter(|tag| tag.len() <= MAX_TAG_BYTES);
        self.good = Some((good.clone(), tag.map(str::to_owned)));
        Ok(good)
    }
}
