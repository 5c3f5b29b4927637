//! What the region keeps for the control plane: how its audit logs ended.
//!
//! Invariant: what is kept is never changed or removed, whoever asks.

use requestrocket_proto::region::v1::{AuditCheckpoints, AuditQuery};

use crate::store::audit::{checkpoint_insert, checkpoint_list};
use crate::store::{Store, StoreFailed};

/// Keeps checkpoints.
#[derive(Clone, Debug)]
pub struct Vault {
    store: Store,
}

impl Vault {
    /// Over this store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps what is to be kept, then says what there is of the log that is asked for.
    ///
    /// # Errors
    /// The store does not answer; nothing new is kept then.
    pub async fn answer(&self, query: &AuditQuery) -> Result<AuditCheckpoints, StoreFailed> {
        let AuditQuery { keep, log } = query;
        let mut tx = self.store.begin().await?;
        for checkpoint in keep {
            checkpoint_insert(&mut tx, checkpoint).await?;
        }
        let checkpoints = if log.is_empty() {
            Vec::new()
        } else {
            checkpoint_list(&mut tx, log).await?
        };
        tx.commit().await?;
        Ok(AuditCheckpoints { checkpoints })
    }
}

#[cfg(test)]
mod tests {
    use requestrocket_proto::region::v1::AuditCheckpoint;

    use super::*;
    use crate::store::tests::test_stores;

    fn checkpoint(rows: u64, hash: &str) -> AuditCheckpoint {
        AuditCheckpoint {
            log: "operator".to_owned(),
            rows,
            hash: hash.to_owned(),
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            key: "k".to_owned(),
            signature: "s".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_was_kept_first_stays() {
        for store in test_stores().await {
            let vault = Vault::new(store.store.clone());
            let keep = vec![
                checkpoint(2, "b"),
                checkpoint(1, "a"),
                checkpoint(2, "forged"),
            ];
            let log = String::new();
            let answer = vault.answer(&AuditQuery { keep, log }).await.unwrap();
            assert_eq!(answer.checkpoints, []);
            let keep = vec![checkpoint(1, "forged")];
            let log = "operator".to_owned();
            let answer = vault.answer(&AuditQuery { keep, log }).await.unwrap();
            assert_eq!(answer.checkpoints, [checkpoint(1, "a"), checkpoint(2, "b")]);
            let log = "client:x".to_owned();
            let none = AuditQuery {
                keep: Vec::new(),
                log,
            };
            assert_eq!(vault.answer(&none).await.unwrap().checkpoints, []);
        }
    }
}
