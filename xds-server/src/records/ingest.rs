//! Batches of the control plane into the store, and out of it what is to be published.
//!
//! Invariants: one batch is one transaction; a record that cannot be used never holds up another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use requestrocket_process::clock::Clock;
use requestrocket_proto::region::v1 as region;
use sqlx::AnyConnection;
use tokio::sync::watch;

use crate::metrics;
use crate::records::assemble::{Assembled, assemble_all, assemble_some};
use crate::records::record::{NextSecret, Records};
use crate::records::region_config::RegionUpdate;
use crate::secrets::keys::RegionKeys;
use crate::slots::{SlotRegister, Slots};
use crate::store::affected::{Changed, affected_fetch};
use crate::store::next_secret::next_list;
use crate::store::records::{records_fetch, records_fetch_all, records_fetch_listed};
use crate::store::retain::records_retain;
use crate::store::state::{revision_fetch, revision_update};
use crate::store::token::{
    TokenKey, TokenRow, token_hasten, token_list, token_refused, token_update,
};
use crate::store::{Store, StoreFailed};
use crate::tokens::{TokenRegister, TokenStates};
use crate::unusable::{Register, Span, UnusableProxies};

mod consent;
mod credential;
mod next;
mod organisation;
mod plain;
mod switch;

use self::switch::touched_by;

#[cfg(test)]
mod life_tests;
#[cfg(test)]
mod next_tests;
#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod tests;

/// Takes batches in.
#[derive(Clone, Debug)]
pub struct Ingest {
    store: Store,
    context: Context,
    unusable: Register,
    tokens: TokenRegister,
    slots: SlotRegister,
    clock: Clock,
}

/// What converting a secret needs.
#[derive(Clone, Debug)]
struct Context {
    region: String,
    keys: Arc<RegionKeys>,
}

/// A batch was not stored; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum IngestFailed {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreFailed),
    /// No key can be made and nothing be sealed.
    #[error(transparent)]
    Randomness(#[from] requestrocket_policy::envelope::NoRandomness),
}

/// A batch on its way into the store.
struct Batch<'a> {
    conn: &'a mut AnyConnection,
    context: &'a Context,
    /// The moment of the batch.
    now_ms: u64,
    /// What is stored of the records that the batch mentions.
    stored: Records,
    /// All records so far.
    mentioned: Changed,
    /// Those that differ from what was stored.
    touched: Changed,
}

impl Ingest {
    /// For the region of this name.
    pub fn new(store: Store, region: String, keys: Arc<RegionKeys>) -> Self {
        Self::at(store, region, keys, Clock::default())
    }

    /// With that clock.
    pub fn at(store: Store, region: String, keys: Arc<RegionKeys>, clock: Clock) -> Self {
        Self {
            store,
            context: Context { region, keys },
            unusable: Register::default(),
            tokens: TokenRegister::default(),
            slots: SlotRegister::default(),
            clock,
        }
    }

    /// What is stored and cannot be used. A change is told here before it is given out to be
    /// published.
    #[must_use]
    pub fn unusable(&self) -> watch::Receiver<UnusableProxies> {
        self.unusable.subscribe()
    }

    /// How obtained tokens stand.
    #[must_use]
    pub fn tokens(&self) -> watch::Receiver<TokenStates> {
        self.tokens.subscribe()
    }

    /// How the second secrets of target credentials stand.
    #[must_use]
    pub fn slots(&self) -> watch::Receiver<Slots> {
        self.slots.subscribe()
    }

    /// Up to where everything is stored.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn stored_revision(&self) -> Result<u64, StoreFailed> {
        let mut tx = self.store.begin().await?;
        revision_fetch(&mut tx).await
    }

    /// All there is, and as of which revision.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn load(&self) -> Result<(u64, RegionUpdate), StoreFailed> {
        let mut tx = self.store.begin().await?;
        let revision = revision_fetch(&mut tx).await?;
        let records = records_fetch_all(&mut tx).await?;
        self.tokens.replace(&token_list(&mut tx, None).await?);
        self.slots.replace(&next_list(&mut tx, None).await?);
        let span = Span {
            after: revision.saturating_sub(1),
            to: revision,
        };
        Ok((revision, self.full_update(span, &records)))
    }

    /// Stores changes and says which proxies they touch.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn apply_delta(
        &self,
        revision: u64,
        changes: Vec<region::Change>,
    ) -> Result<RegionUpdate, IngestFailed> {
        let mut tx = self.store.begin().await?;
        let (_, touched) = self.take_in(&mut tx, changes).await?;
        let affected = affected_fetch(&mut tx, &touched).await?;
        let ids: Vec<&str> = affected.iter().map(String::as_str).collect();
        let records = records_fetch(&mut tx, &ids).await?;
        let tokens = tokens_fetch(&mut tx, &touched.credentials).await?;
        let slots = slots_fetch(&mut tx, &touched.credentials).await?;
        // While the store still has the revision before.
        let span = span_to(revision, &mut tx).await?;
        revision_update(&mut tx, revision).await?;
        tx.commit().await.map_err(StoreFailed::from)?;
        metrics::batch_stored("delta");
        // Told when it is durable, and not taken back.
        self.tokens.update(&touched.credentials, &tokens);
        self.slots.update(&touched.credentials, &slots);
        Ok(self.delta_update(span, &affected, &records))
    }

    /// Replaces all there is. Secrets that did not come again are kept.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn apply_full(
        &self,
        revision: u64,
        changes: Vec<region::Change>,
    ) -> Result<RegionUpdate, IngestFailed> {
        let mut tx = self.store.begin().await?;
        let (mentioned, _) = self.take_in(&mut tx, changes).await?;
        records_retain(&mut tx, &mentioned).await?;
        let records = records_fetch_all(&mut tx).await?;
        let tokens = token_list(&mut tx, None).await?;
        let slots = next_list(&mut tx, None).await?;
        let span = span_to(revision, &mut tx).await?;
        revision_update(&mut tx, revision).await?;
        tx.commit().await.map_err(StoreFailed::from)?;
        metrics::batch_stored("full");
        self.tokens.replace(&tokens);
        self.slots.replace(&slots);
        Ok(self.full_update(span, &records))
    }

    /// Stores what became of a token that was in the state `key`. None: somebody else had its
    /// lease, or it was overtaken, and nothing was stored.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn store_token(
        &self,
        key: &TokenKey,
        holder: &str,
        row: &TokenRow,
    ) -> Result<Option<(u64, RegionUpdate)>, StoreFailed> {
        let mut tx = self.store.begin().await?;
        if !token_update(&mut tx, key, holder, row).await? {
            return Ok(None);
        }
        let credentials = BTreeSet::from([key.credential_id.clone()]);
        let touched = touched_by(credentials, &mut tx).await?;
        tx.commit().await.map_err(StoreFailed::from)?;
        let rows = BTreeMap::from([(key.credential_id.clone(), row.clone())]);
        self.tokens.update(&touched.credentials, &rows);
        // Fetched keys may be too many for a proxy.
        Ok(Some(self.touched_update(&touched)))
    }

    /// Makes the keys of a credential due, unless they were looked for within `pause_ms`, or cannot
    /// be had now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn hasten(
        &self,
        credential_id: &str,
        now_ms: u64,
        pause_ms: u64,
    ) -> Result<(), StoreFailed> {
        let mut tx = self.store.begin().await?;
        token_hasten(&mut tx, credential_id, (now_ms, pause_ms)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes a token due at `due_ms` that ends at `ends_at_ms`, if it is still there.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn refused(
        &self,
        credential: (&str, u64),
        ends_at_ms: u64,
        due_ms: u64,
    ) -> Result<(), StoreFailed> {
        let mut tx = self.store.begin().await?;
        token_refused(&mut tx, credential, ends_at_ms, due_ms).await?;
        tx.commit().await?;
        Ok(())
    }

    fn full_update(&self, span: Span, records: &Records) -> RegionUpdate {
        let (mut configs, mut found) = (Vec::new(), Vec::new());
        for (id, Assembled { config, unusable }) in assemble_all(records) {
            configs.extend(config);
            found.extend(unusable.map(|detail| (id.to_owned(), detail)));
        }
        self.unusable.replace(span, found);
        RegionUpdate::Full(configs)
    }

    fn delta_update(
        &self,
        span: Span,
        affected: &BTreeSet<String>,
        records: &Records,
    ) -> RegionUpdate {
        let (mut configs, mut found) = (Vec::new(), Vec::new());
        for (id, Assembled { config, unusable }) in assemble_some(affected, records) {
            configs.push((id.to_owned(), config));
            found.push((id.to_owned(), unusable));
        }
        self.unusable.update(span, found);
        RegionUpdate::Delta(configs)
    }

    /// Says which records came, and which of them differ from what was stored.
    async fn take_in(
        &self,
        conn: &mut AnyConnection,
        changes: Vec<region::Change>,
    ) -> Result<(Changed, Changed), IngestFailed> {
        let stored = records_fetch_listed(conn, &listed(&changes)).await?;
        let mut batch = Batch {
            conn,
            context: &self.context,
            now_ms: self.clock.unix_ms(),
            stored,
            mentioned: Changed::default(),
            touched: Changed::default(),
        };
        for change in changes {
            batch.change_ingest(change).await?;
        }
        Ok((batch.mentioned, batch.touched))
    }
}

/// Ids of what the changes are about, so that it is read in few statements.
fn listed(changes: &[region::Change]) -> Changed {
    use region::change::Kind;
    let mut listed = Changed::default();
    for change in changes {
        match &change.kind {
            Some(Kind::Organisation(record)) => {
                listed.organisations.insert(record.organisation_id.clone());
            }
            Some(Kind::Credential(record)) => {
                listed.organisations.insert(record.organisation_id.clone());
                listed.credentials.insert(record.credential_id.clone());
            }
            Some(Kind::Target(record)) => {
                listed.targets.insert(record.target_id.clone());
            }
            Some(Kind::Proxy(record)) => {
                listed.proxies.insert(record.proxy_id.clone());
            }
            // To remove a record nothing of it has to be read.
            Some(Kind::Removed(_)) | None => {}
        }
    }
    listed
}

async fn tokens_fetch(
    conn: &mut AnyConnection,
    credentials: &BTreeSet<String>,
) -> Result<BTreeMap<String, TokenRow>, StoreFailed> {
    let ids: Vec<&str> = credentials.iter().map(String::as_str).collect();
    token_list(conn, Some(&ids)).await
}

async fn slots_fetch(
    conn: &mut AnyConnection,
    credentials: &BTreeSet<String>,
) -> Result<BTreeMap<String, NextSecret>, StoreFailed> {
    let ids: Vec<&str> = credentials.iter().map(String::as_str).collect();
    next_list(conn, Some(&ids)).await
}

/// What a batch up to `revision` brings. One from a control plane that was set back brings itself.
async fn span_to(revision: u64, conn: &mut AnyConnection) -> Result<Span, StoreFailed> {
    let after = revision_fetch(conn).await?.min(revision.saturating_sub(1));
    Ok(Span {
        after,
        to: revision,
    })
}

impl Batch<'_> {
    async fn change_ingest(&mut self, change: region::Change) -> Result<(), IngestFailed> {
        use region::change::Kind;
        match change.kind {
            Some(Kind::Organisation(record)) => self.organisation_ingest(record).await?,
            Some(Kind::Credential(record)) => self.credential_ingest(record).await?,
            Some(Kind::Target(record)) => self.target_ingest(record).await?,
            Some(Kind::Proxy(record)) => self.proxy_ingest(record).await?,
            Some(Kind::Removed(record)) => self.removed_ingest(record).await?,
            None => tracing::warn!("control plane sent a change of unknown kind; it is ignored"),
        }
        Ok(())
    }
}
