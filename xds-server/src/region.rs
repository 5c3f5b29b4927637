//! The one writer of region state: batches of the control plane, and whatever else changes what is
//! stored, go through it.
//!
//! Invariant: changes are published in the order in which they were stored.

use std::sync::Arc;

use requestrocket_proto::region::v1::Change;
use tokio::sync::{Mutex, Notify, watch};

use crate::metrics;
use crate::records::ingest::{Ingest, IngestFailed};
use crate::records::region_config::RegionUpdate;
use crate::slots::Slots;
use crate::store::StoreFailed;
use crate::store::token::{TokenKey, TokenRow};
use crate::tokens::TokenStates;
use crate::unusable::UnusableProxies;
use crate::xds::publisher::Publisher;

/// What the store holds and what Envoys are told of it.
#[derive(Debug)]
pub struct RegionWriter {
    ingest: Ingest,
    publisher: Arc<Publisher>,
    /// Held from before something is stored until it is published.
    turn: Mutex<()>,
    /// Records came that tokens may be wanted for, or something is wanted at once.
    came: Notify,
}

impl RegionWriter {
    /// Over a store that `ingest` writes to.
    #[must_use]
    pub fn new(ingest: Ingest, publisher: Arc<Publisher>) -> Self {
        Self {
            ingest,
            publisher,
            turn: Mutex::new(()),
            came: Notify::new(),
        }
    }

    /// Publishes all that is stored, and says as of which revision.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn load(&self) -> Result<u64, StoreFailed> {
        let _turn = self.turn.lock().await;
        let (revision, update) = self.ingest.load().await?;
        self.publish(revision, update);
        Ok(revision)
    }

    /// Stores changes and publishes them.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn apply_delta(
        &self,
        revision: u64,
        changes: Vec<Change>,
    ) -> Result<(), IngestFailed> {
        let _turn = self.turn.lock().await;
        let update = self.ingest.apply_delta(revision, changes).await?;
        self.publish(revision, update);
        self.came.notify_one();
        Ok(())
    }

    /// Replaces all there is, and publishes it.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn apply_full(
        &self,
        revision: u64,
        changes: Vec<Change>,
    ) -> Result<(), IngestFailed> {
        let _turn = self.turn.lock().await;
        let update = self.ingest.apply_full(revision, changes).await?;
        self.publish(revision, update);
        self.came.notify_one();
        Ok(())
    }

    /// Stores what became of a token that was in the state `key`, and publishes it: so many bytes.
    /// None: it was overtaken, and nothing was stored.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn store_token(
        &self,
        key: &TokenKey,
        holder: &str,
        row: &TokenRow,
    ) -> Result<Option<u64>, StoreFailed> {
        let _turn = self.turn.lock().await;
        let Some((revision, update)) = self.ingest.store_token(key, holder, row).await? else {
            return Ok(None);
        };
        Ok(Some(self.publish(revision, update)))
    }

    /// Has targets given the second secrets whose time has come.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn switch(&self, now_ms: u64) -> Result<(), StoreFailed> {
        let _turn = self.turn.lock().await;
        if let Some((revision, update)) = self.ingest.switch(now_ms).await? {
            self.publish(revision, update);
        }
        Ok(())
    }

    /// Has targets given the first secret of a credential again, because they refuse the second, of
    /// that version; false: they are not given that one.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn switch_back(
        &self,
        credential: (&str, u64),
        now_ms: u64,
    ) -> Result<bool, StoreFailed> {
        let _turn = self.turn.lock().await;
        let Some((revision, update)) = self.ingest.switch_back(credential, now_ms).await? else {
            return Ok(false);
        };
        self.publish(revision, update);
        Ok(true)
    }

    /// Has the keys of a credential looked for now, unless that was done within `pause_ms`, or fails.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn hasten(
        &self,
        credential_id: &str,
        now_ms: u64,
        pause_ms: u64,
    ) -> Result<(), StoreFailed> {
        let _turn = self.turn.lock().await;
        self.ingest.hasten(credential_id, now_ms, pause_ms).await?;
        self.came.notify_one();
        Ok(())
    }

    /// Has another token obtained at `due_ms` than the one of a credential, of that version, that
    /// ends at `ends_at_ms`.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn refused(
        &self,
        credential: (&str, u64),
        ends_at_ms: u64,
        due_ms: u64,
    ) -> Result<(), StoreFailed> {
        let _turn = self.turn.lock().await;
        self.ingest.refused(credential, ends_at_ms, due_ms).await?;
        self.came.notify_one();
        Ok(())
    }

    /// Returns when records came since it was called last.
    pub async fn came(&self) {
        self.came.notified().await;
    }

    /// How obtained tokens stand. A change is told here before it is published.
    #[must_use]
    pub fn tokens(&self) -> watch::Receiver<TokenStates> {
        self.ingest.tokens()
    }

    /// How the second secrets of target credentials stand. A change is told here before it is
    /// published.
    #[must_use]
    pub fn slots(&self) -> watch::Receiver<Slots> {
        self.ingest.slots()
    }

    /// Up to where everything is stored.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn stored_revision(&self) -> Result<u64, StoreFailed> {
        self.ingest.stored_revision().await
    }

    /// What is stored and cannot be used. A change is told here before it is published.
    #[must_use]
    pub fn unusable(&self) -> watch::Receiver<UnusableProxies> {
        self.ingest.unusable()
    }

    fn publish(&self, revision: u64, update: RegionUpdate) -> u64 {
        let bytes = self.publisher.apply(revision, update);
        metrics::revision_stored(revision);
        metrics::proxies_published(self.publisher.subscribe().borrow().proxies());
        bytes
    }
}
