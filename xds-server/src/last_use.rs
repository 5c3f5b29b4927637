//! When credentials were last used, for the control plane to show.
//!
//! Invariant: what is told is in the store, and of credentials that it holds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use imbl::OrdMap;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1 as region;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::store::credential::{last_use_list, last_use_update};
use crate::store::{Store, StoreFailed};

/// Between two writes. With what Envoys wait before they tell of calls, the minute in which a use is to
/// be seen is kept by far.
const EVERY: Duration = Duration::from_secs(10);
/// Credentials whose uses wait to be written.
const MAX_WAITING: usize = 200_000;
/// Credentials of one message.
const USES_A_MESSAGE: usize = 10_000;

/// Unix time in milliseconds, by credential id.
pub type LastUses = OrdMap<Arc<str>, u64>;

/// What is known. Cheap to clone, and the same for all clones.
#[derive(Clone, Debug)]
pub struct UseRegister {
    store: Store,
    waiting: Arc<Mutex<BTreeMap<String, u64>>>,
    stored: Arc<watch::Sender<LastUses>>,
}

impl UseRegister {
    /// With what is stored; what comes is written now and then, and at the end.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn open(store: Store, tasks: &TaskSet) -> Result<Self, StoreFailed> {
        let register = Self::load(store).await?;
        let (writing, stopping) = (register.clone(), tasks.stopping());
        tasks.spawn("last uses", async move {
            writing.run(stopping).await;
            Ok(())
        });
        Ok(register)
    }

    async fn load(store: Store) -> Result<Self, StoreFailed> {
        let mut tx = store.begin().await?;
        let stored = last_use_list(&mut tx).await?;
        let stored = stored.into_iter().map(|(id, at)| (Arc::from(id), at));
        Ok(Self {
            store,
            waiting: Arc::default(),
            stored: Arc::new(watch::Sender::new(stored.collect())),
        })
    }

    /// What was stored, and word of every change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<LastUses> {
        self.stored.subscribe()
    }

    /// A call is over: its caller was known by a credential, and its target may have been given one.
    pub fn call(&self, record: &Record, target_credential_id: &str) {
        let given = record.sent_at_ms.map(|at_ms| (target_credential_id, at_ms));
        let presented = (record.credential_id.as_str(), record.received_at_ms);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, at_ms) in [Some(presented), given].into_iter().flatten() {
            if let Some(known) = waiting.get_mut(id) {
                *known = at_ms.max(*known);
            } else if !id.is_empty() && waiting.len() < MAX_WAITING {
                waiting.insert(id.to_owned(), at_ms);
            }
        }
    }

    async fn run(self, stopping: CancellationToken) {
        loop {
            let is_last = tokio::select! {
                () = tokio::time::sleep(EVERY) => false,
                () = stopping.cancelled() => true,
            };
            if let Err(error) = self.write().await {
                tracing::warn!(%error, "last uses of credentials are not written");
            }
            if is_last {
                return;
            }
        }
    }

    /// Writes what waits. What could not be written is lost; the next use says more.
    async fn write(&self) -> Result<(), StoreFailed> {
        let waiting =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut stored = self.stored.borrow().clone();
        let newer =
            |(id, at_ms): &(String, u64)| stored.get(id.as_str()).is_none_or(|it| it < at_ms);
        let newer: Vec<_> = waiting.into_iter().filter(newer).collect();
        if newer.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        for (id, at_ms) in newer {
            if last_use_update(&mut tx, &id, at_ms).await? {
                stored.insert(id.into(), at_ms);
            } else {
                stored.remove(id.as_str());
            }
        }
        tx.commit().await.map_err(StoreFailed::from)?;
        self.stored.send_replace(stored);
        Ok(())
    }
}

/// What makes `after` of `before`, in messages; `None`: nothing was told yet. Of credentials that are
/// gone nothing is said: whoever is told knows.
#[must_use]
pub fn told(before: Option<&LastUses>, after: &LastUses) -> Vec<region::CredentialUses> {
    let is_news =
        |(id, at_ms): &(&Arc<str>, &u64)| before.is_none_or(|it| it.get(*id) != Some(*at_ms));
    let uses: Vec<_> = after
        .iter()
        .filter(is_news)
        .map(|(id, at_ms)| region::CredentialUse {
            credential_id: id.to_string(),
            used_at_ms: *at_ms,
        })
        .collect();
    let mut messages: Vec<_> = uses
        .chunks(USES_A_MESSAGE)
        .map(|uses| region::CredentialUses {
            is_first: false,
            uses: uses.to_vec(),
        })
        .collect();
    if before.is_none() {
        // Also when there is nothing: whoever is told forgets what was told before.
        if messages.is_empty() {
            messages.push(region::CredentialUses::default());
        }
        if let Some(first) = messages.first_mut() {
            first.is_first = true;
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use requestrocket_policy::secret_form::auth_type::Side;

    use super::*;
    use crate::store::credential::{credential_delete, credential_upsert};
    use crate::store::tests::{credential, test_stores};

    fn call(caller: &str, received_at_ms: u64, sent_at_ms: Option<u64>) -> Record {
        Record {
            credential_id: caller.to_owned(),
            received_at_ms,
            sent_at_ms,
            ..Record::default()
        }
    }

    fn known(register: &UseRegister) -> Vec<(String, u64)> {
        let stored = register.subscribe().borrow().clone();
        stored
            .iter()
            .map(|(id, at)| (id.to_string(), *at))
            .collect()
    }

    fn want(all: &[(&str, u64)]) -> Vec<(String, u64)> {
        all.iter().map(|(id, at)| ((*id).to_owned(), *at)).collect()
    }

    #[tokio::test]
    async fn the_latest_use_of_each_side_is_kept_and_survives() {
        for store in test_stores().await {
            let mut tx = store.store.begin().await.unwrap();
            for (id, side) in [("caller", Side::Proxy), ("target", Side::Target)] {
                credential_upsert(&mut tx, &credential(id, side))
                    .await
                    .unwrap();
            }
            tx.commit().await.unwrap();
            let register = UseRegister::load(store.store.clone()).await.unwrap();
            // Refused before anything was sent; unknown to the store; nobody.
            register.call(&call("caller", 7, None), "target");
            register.call(&call("gone", 8, Some(9)), "");
            register.call(&call("", 9, None), "target");
            register.write().await.unwrap();
            assert_eq!(known(&register), want(&[("caller", 7)]));
            // In any order.
            register.call(&call("caller", 20, Some(21)), "target");
            register.call(&call("caller", 10, Some(11)), "target");
            register.write().await.unwrap();
            register.call(&call("caller", 15, None), "target");
            register.write().await.unwrap();
            let both = want(&[("caller", 20), ("target", 21)]);
            assert_eq!(known(&register), both);
            // A change of the record is no use.
            let mut tx = store.store.begin().await.unwrap();
            credential_upsert(&mut tx, &credential("caller", Side::Proxy))
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let again = UseRegister::load(store.store.clone()).await.unwrap();
            assert_eq!(known(&again), both);
            let mut tx = store.store.begin().await.unwrap();
            credential_delete(&mut tx, &["caller"]).await.unwrap();
            tx.commit().await.unwrap();
            again.call(&call("caller", 30, None), "");
            again.write().await.unwrap();
            assert_eq!(known(&again), want(&[("target", 21)]));
        }
    }

    #[tokio::test]
    async fn only_news_are_told() {
        let uses = |all: &[(&str, u64)]| -> LastUses {
            all.iter().map(|(id, at)| (Arc::from(*id), *at)).collect()
        };
        let said = |messages: Vec<region::CredentialUses>| -> Vec<_> {
            let of = |it: region::CredentialUses| {
                let ids = it.uses.into_iter().map(|it| it.credential_id);
                (it.is_first, ids.collect::<Vec<_>>().join(" "))
            };
            messages.into_iter().map(of).collect()
        };
        let (none, first) = (uses(&[]), uses(&[("a", 1), ("b", 2)]));
        assert_eq!(said(told(None, &none)), [(true, String::new())]);
        assert_eq!(said(told(None, &first)), [(true, "a b".to_owned())]);
        let second = uses(&[("a", 1), ("b", 3), ("c", 1)]);
        assert_eq!(
            said(told(Some(&first), &second)),
            [(false, "b c".to_owned())]
        );
        assert_eq!(said(told(Some(&second), &second)), []);
        let many = (0..25_000)
            .map(|n| (Arc::from(format!("{n:05}")), 1_u64))
            .collect();
        let sizes: Vec<_> = told(None, &many)
            .iter()
            .map(|it| (it.is_first, it.uses.len()))
            .collect();
        assert_eq!(sizes, [(true, 10_000), (false, 10_000), (false, 5_000)]);
    }
}
