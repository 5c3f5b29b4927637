//! Places for costly work: few at a time beside the threads that serve calls, and never all of them
//! for one organisation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use requestrocket_process::tasks::TaskSet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{ApiError, ApiResult, Code};

/// Works at a time. Far below the threads for blocking work, so that other such work finds one.
const PLACES: usize = 2;
/// Of these one organisation has at most so many.
const PLACES_EACH: usize = 1;
/// Searches at a time: regions do that work.
const SEARCHES: usize = 16;
const SEARCHES_EACH: usize = 2;
/// Webhooks that are tried: their receivers do that work.
const HOOK_TRIALS: usize = 64;
const HOOK_TRIALS_EACH: usize = 2;
/// Answers that go on, such as exports: each holds its place for long and works little.
const READERS: usize = 256;
const READERS_EACH: usize = 4;
const READER_PATIENCE: Duration = Duration::from_secs(1);
/// Readers of the API page through records one after the other; more at once wait for a while.
const SEARCH_PATIENCE: Duration = Duration::from_secs(5);
/// Who tries samples and gets no place within this is told to come back.
const TRIAL_PATIENCE: Duration = Duration::from_secs(2);
/// Changes wait longer, so that some dozens of one organisation that are sent at once all succeed.
const DRAFT_PATIENCE: Duration = Duration::from_secs(10);
/// Passwords that are hashed at a time, whoever tries them: all of them together take one core. Who
/// comes from one address waits for others from there, so that a crowd there keeps nobody else.
const SIGN_INS: usize = 1;
const SIGN_IN_PATIENCE: Duration = Duration::from_secs(10);
const RETRY_AFTER_S: u64 = 2;

/// Some places of this process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    /// Of those who work or wait now; the others are forgotten.
    each: Arc<Mutex<HashMap<String, Weak<Semaphore>>>>,
    /// How many one organisation has.
    most_each: usize,
    patience: Duration,
}

/// It is an organisation's turn, until this is dropped.
#[derive(Debug)]
pub struct Turn {
    own: Arc<OwnedSemaphorePermit>,
    places: Places,
}

/// A place, until this is dropped.
#[derive(Debug)]
pub struct Held {
    _own: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Places {
    /// For trying samples.
    pub fn for_trials() -> Self {
        Self::new((PLACES, PLACES_EACH), TRIAL_PATIENCE)
    }

    /// For what changes need to know before their transaction begins.
    pub fn for_drafts() -> Self {
        Self::new((PLACES, PLACES_EACH), DRAFT_PATIENCE)
    }

    /// For what regions are to look for.
    pub fn for_searches() -> Self {
        Self::new((SEARCHES, SEARCHES_EACH), SEARCH_PATIENCE)
    }

    /// For who reads answers that go on.
    pub fn for_readers() -> Self {
        Self::new((READERS, READERS_EACH), READER_PATIENCE)
    }

    /// For trying webhooks, whose receivers take their time.
    pub fn for_hook_trials() -> Self {
        Self::new((HOOK_TRIALS, HOOK_TRIALS_EACH), TRIAL_PATIENCE)
    }

    /// For hashing passwords; whose turn it is goes by address.
    pub fn for_sign_ins() -> Self {
        Self::new((SIGN_INS, SIGN_INS), SIGN_IN_PATIENCE)
    }

    fn new((all, most_each): (usize, usize), patience: Duration) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            each: Arc::default(),
            most_each,
            patience,
        }
    }

    /// Does `work` for an organisation in one of its places.
    ///
    /// # Errors
    /// `RATE_LIMITED` when there is none in time; what `work` says.
    pub async fn run<T: Send + 'static>(
        &self,
        organisation: &str,
        work: impl FnOnce() -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        self.turn(organisation).await?.run(work).await
    }

    /// Has `work` done elsewhere, for an organisation in one of its places.
    ///
    /// # Errors
    /// `RATE_LIMITED` when there is none in time.
    pub async fn wait_for<T: Send + 'static>(
        &self,
        organisation: &str,
        work: impl Future<Output = T> + Send + 'static,
        tasks: &TaskSet,
    ) -> ApiResult<T> {
        let held = self.hold(organisation).await?;
        let (done, is_done) = oneshot::channel();
        tasks.spawn("work for an organisation", async move {
            // Also when the caller hung up, both are taken until the work is done.
            let _until_done = held;
            let _ = done.send(work.await);
            Ok(())
        });
        is_done.await.map_err(ApiError::internal)
    }

    /// A place for what an organisation has going on.
    ///
    /// # Errors
    /// `RATE_LIMITED` when there is none in time.
    pub async fn hold(&self, organisation: &str) -> ApiResult<Held> {
        // In this order: who waits for others of its organisation holds no place of all.
        let own = self.taken(self.own(organisation)).await?;
        let place = self.taken(Arc::clone(&self.all)).await?;
        Ok(Held {
            _own: own,
            _place: place,
        })
    }

    /// Waits until nobody else works for the organisation. Who waits holds no place of all.
    ///
    /// # Errors
    /// `RATE_LIMITED` when that takes too long.
    pub async fn turn(&self, organisation: &str) -> ApiResult<Turn> {
        let own = self.taken(self.own(organisation)).await?;
        Ok(Turn {
            own: Arc::new(own),
            places: self.clone(),
        })
    }

    async fn taken(&self, place: Arc<Semaphore>) -> ApiResult<OwnedSemaphorePermit> {
        let taken = tokio::time::timeout(self.patience, place.acquire_owned()).await;
        taken.map_err(|_| busy())?.map_err(ApiError::internal)
    }

    fn own(&self, organisation: &str) -> Arc<Semaphore> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = each.get(organisation).and_then(Weak::upgrade) {
            return own;
        }
        // A place keeps its semaphore alive: who is gone here has none taken and nobody waiting.
        each.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.most_each));
        each.insert(organisation.to_owned(), Arc::downgrade(&own));
        own
    }
}

impl Turn {
    /// Does `work` in a place.
    ///
    /// # Errors
    /// `RATE_LIMITED` when there is none in time; what `work` says.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let place = self.places.taken(Arc::clone(&self.places.all)).await?;
        let own = Arc::clone(&self.own);
        let done = tokio::task::spawn_blocking(move || {
            // Also when the caller hung up, both are taken until the work is done.
            let _until_done = (own, place);
            work()
        });
        done.await.map_err(ApiError::internal)?
    }
}

fn busy() -> ApiError {
    ApiError::new(
        Code::RateLimited,
        "too much of this work is waiting, try again later",
    )
    .retry_after(RETRY_AFTER_S)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn one_organisation_takes_not_all_places_and_nobody_waits_for_ever() {
        let places = Places::new((2, 1), Duration::from_millis(200));
        let (end, ends) = mpsc::channel::<()>();
        let (started, is_started) = tokio::sync::oneshot::channel();
        let mut tasks = tokio::task::JoinSet::new();
        let of_long = places.clone();
        tasks.spawn(async move {
            let work = move || {
                let _ = started.send(());
                let _ = ends.recv();
                Ok(1)
            };
            of_long.run("one", work).await
        });
        is_started.await.unwrap();
        let refused = places.run("one", || Ok(2)).await.unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        assert_eq!(places.run("other", || Ok(3)).await.unwrap(), 3);
        drop(end);
        assert_eq!(tasks.join_next().await.unwrap().unwrap().unwrap(), 1);
        assert_eq!(places.run("one", || Ok(4)).await.unwrap(), 4);
        assert!(
            places.each.lock().unwrap().len() <= 2,
            "forgets who is gone"
        );
    }

    #[tokio::test]
    async fn a_turn_is_one_organisations_over_several_works_and_takes_no_place_between_them() {
        let places = Places::new((1, 1), Duration::from_millis(200));
        let turn = places.turn("one").await.unwrap();
        assert_eq!(turn.run(|| Ok(1)).await.unwrap(), 1);
        let refused = places.turn("one").await.unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        assert_eq!(places.run("other", || Ok(2)).await.unwrap(), 2);
        assert_eq!(turn.run(|| Ok(3)).await.unwrap(), 3);
        drop(turn);
        assert_eq!(places.run("one", || Ok(4)).await.unwrap(), 4);
    }
    #[tokio::test]
    async fn what_is_waited_for_keeps_its_place_when_its_caller_hangs_up() {
        let places = Places::new((3, 2), Duration::from_millis(200));
        let tasks = TaskSet::default();
        let (end, ends) = tokio::sync::watch::channel(false);
        let work = || {
            let mut ends = ends.clone();
            async move { ends.wait_for(|is_over| *is_over).await.is_ok() }
        };
        for _ in 0..2 {
            let mut hung_up = Box::pin(places.wait_for("one", work(), &tasks));
            assert!(futures::poll!(&mut hung_up).is_pending());
        }
        let refused = places.wait_for("one", work(), &tasks).await.unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        assert!(
            places
                .wait_for("other", async { true }, &tasks)
                .await
                .unwrap()
        );
        end.send(true).unwrap();
        assert!(places.wait_for("one", work(), &tasks).await.unwrap());
    }
}
