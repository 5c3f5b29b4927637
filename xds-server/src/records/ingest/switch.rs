//! Changes of credentials that the region makes by itself: which of two secrets targets are given.

use std::collections::BTreeSet;

use sqlx::{Any, AnyConnection, Transaction};

use super::{Ingest, slots_fetch};
use crate::records::record::Records;
use crate::records::region_config::RegionUpdate;
use crate::store::StoreFailed;
use crate::store::affected::{Changed, affected_fetch};
use crate::store::next_secret::{next_fail, next_switch};
use crate::store::records::records_fetch;
use crate::store::state::revision_fetch;
use crate::unusable::Span;

/// What a change of credentials that nobody else made is about.
pub(super) struct Touched {
    pub(super) credentials: BTreeSet<String>,
    /// Those that use them.
    proxies: BTreeSet<String>,
    records: Records,
    revision: u64,
}

pub(super) async fn touched_by(
    credentials: BTreeSet<String>,
    conn: &mut AnyConnection,
) -> Result<Touched, StoreFailed> {
    let changed = Changed {
        credentials,
        ..Changed::default()
    };
    let proxies = affected_fetch(conn, &changed).await?;
    let ids: Vec<&str> = proxies.iter().map(String::as_str).collect();
    let records = records_fetch(conn, &ids).await?;
    Ok(Touched {
        credentials: changed.credentials,
        proxies,
        records,
        revision: revision_fetch(conn).await?,
    })
}

impl Ingest {
    /// Has targets given the second secrets whose time has come. None: it has come for none.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn switch(&self, now_ms: u64) -> Result<Option<(u64, RegionUpdate)>, StoreFailed> {
        let mut tx = self.store.begin().await?;
        let switched = next_switch(&mut tx, now_ms).await?;
        if switched.is_empty() {
            return Ok(None);
        }
        self.switched(switched.into_iter().collect(), tx)
            .await
            .map(Some)
    }

    /// Has targets given the first secret of a credential again, because they refuse the second, of
    /// that version. None: they are not given that one.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    pub async fn switch_back(
        &self,
        credential: (&str, u64),
        now_ms: u64,
    ) -> Result<Option<(u64, RegionUpdate)>, StoreFailed> {
        let mut tx = self.store.begin().await?;
        if !next_fail(&mut tx, credential, now_ms).await? {
            return Ok(None);
        }
        let credentials = BTreeSet::from([credential.0.to_owned()]);
        self.switched(credentials, tx).await.map(Some)
    }

    async fn switched(
        &self,
        credentials: BTreeSet<String>,
        mut tx: Transaction<'static, Any>,
    ) -> Result<(u64, RegionUpdate), StoreFailed> {
        let touched = touched_by(credentials, &mut tx).await?;
        let slots = slots_fetch(&mut tx, &touched.credentials).await?;
        tx.commit().await.map_err(StoreFailed::from)?;
        self.slots.update(&touched.credentials, &slots);
        Ok(self.touched_update(&touched))
    }

    pub(super) fn touched_update(&self, touched: &Touched) -> (u64, RegionUpdate) {
        let Touched {
            credentials: _,
            proxies,
            records,
            revision,
        } = touched;
        let span = Span {
            after: revision.saturating_sub(1),
            to: *revision,
        };
        (*revision, self.delta_update(span, proxies, records))
    }
}
