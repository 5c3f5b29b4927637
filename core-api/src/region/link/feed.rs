//! What one link was told so far, and what comes next.
//!
//! A full sync and a delta are the same walk over the change log; a full sync begins at its
//! beginning and leaves out what was removed before. The walk has no upper end: a record that
//! changes or goes during it moves ahead of the cursor and is met there, so nothing is missed and
//! nothing is locked.

use std::collections::BTreeMap;

use prost::Message as _;
use requestrocket_process::db::Db;
use requestrocket_proto::region::v1::{Change, ConfigBatch};
use sqlx::AnyConnection;

use super::message::Present;
use crate::domain::gateway::region::RegionName;
use crate::store::gateway::region::RegionRow;
use crate::store::log::attached_state::{Holder, meter_states, redaction_states, rule_states};
use crate::store::log::change::{ChangeRow, Cursor, change_list, revision_newest};
use crate::store::log::present;

/// Changes in one batch.
const PAGE: u16 = 500;
/// A batch ends after the change that reaches this size; messages may have 4 MiB.
const FULL_BATCH_BYTES: usize = 1024 * 1024;

/// The place of one link in the change log.
#[derive(Debug)]
pub(super) struct Feed {
    region: RegionName,
    cursor: Cursor,
    /// Of the last batch.
    revision: i64,
    /// The full sync has not ended.
    is_full: bool,
    /// The newest revision when the walk began.
    began_at: i64,
}

impl Feed {
    /// A feed for a region that says it has everything up to `stored`.
    pub(super) async fn begin(
        conn: &mut AnyConnection,
        region: &RegionName,
        row: &RegionRow,
        stored: u64,
    ) -> sqlx::Result<Self> {
        let newest = revision_newest(conn).await?;
        let stored = i64::try_from(stored).unwrap_or(i64::MAX);
        let is_full = stored == 0 || stored > newest || stored < row.log_horizon;
        // What a full sync covers even when the last change was a removal that it leaves out.
        let revision = if is_full { newest } else { stored };
        let cursor = Cursor::behind(if is_full { 0 } else { stored });
        Ok(Self {
            region: region.clone(),
            cursor,
            revision,
            is_full,
            began_at: newest,
        })
    }

    /// The region has been told everything up to this revision.
    pub(super) fn told(&self) -> i64 {
        if self.is_full { 0 } else { self.revision }
    }

    /// The next batch; none when the region has been told everything.
    pub(super) async fn next(&mut self, db: &Db) -> sqlx::Result<Option<ConfigBatch>> {
        let mut conn = db.pool().acquire().await?;
        let region = self.region.as_str();
        let rows = change_list(&mut conn, region, &self.cursor, PAGE + 1).await?;
        if rows.is_empty() && !self.is_full {
            return Ok(None);
        }
        let (page, behind) = rows.split_at(rows.len().min(usize::from(PAGE)));
        let present = read_present(&mut conn, region, page).await?;
        let (changes, taken) = self.changes(&present, page);
        let next = page.get(taken).or(behind.first());
        if let Some(last) = taken.checked_sub(1).and_then(|last| page.get(last)) {
            self.cursor = Cursor::after(last);
            self.revision = self.revision.max(complete_revision(last, next));
        }
        let batch = ConfigBatch {
            revision: u64::try_from(self.revision).unwrap_or_default(),
            is_full: self.is_full,
            is_last: next.is_none(),
            changes,
        };
        self.is_full &= next.is_some();
        Ok(Some(batch))
    }

    /// The changes of a batch, and how many rows they cover.
    fn changes(&self, present: &Present, page: &[ChangeRow]) -> (Vec<Change>, usize) {
        let (mut changes, mut bytes, mut taken) = (Vec::new(), 0, 0);
        for row in page {
            if bytes >= FULL_BATCH_BYTES {
                break;
            }
            taken += 1;
            // What goes during a full sync may have been told in an earlier batch of it.
            if self.is_full && row.is_removed != 0 && row.revision <= self.began_at {
                continue;
            }
            match present.change(row) {
                Ok(change) => {
                    bytes += change.encoded_len();
                    changes.push(change);
                }
                // One bad record must not hold up the others.
                Err(error) => {
                    let (kind, id) = (&row.kind, &row.record_id);
                    tracing::error!(kind, id, error = %error, "record cannot be told to its region");
                }
            }
        }
        (changes, taken)
    }
}

/// The newest revision that ends with `last`: one that goes on in `next` is not complete.
fn complete_revision(last: &ChangeRow, next: Option<&ChangeRow>) -> i64 {
    match next {
        Some(next) if next.revision == last.revision => last.revision - 1,
        Some(_) | None => last.revision,
    }
}

async fn read_present(
    conn: &mut AnyConnection,
    region: &str,
    page: &[ChangeRow],
) -> sqlx::Result<Present> {
    let of = |kind: &str| -> Vec<&str> {
        let rows = page
            .iter()
            .filter(|row| row.is_removed == 0 && row.kind == kind);
        rows.map(|row| row.record_id.as_str()).collect()
    };
    let (credentials, targets, proxies) = (of("credential"), of("target"), of("proxy"));
    let mut attached = (BTreeMap::new(), BTreeMap::new());
    for (holder, ids) in [
        (Holder::Credential, &credentials),
        (Holder::Target, &targets),
        (Holder::Proxy, &proxies),
    ] {
        attached
            .0
            .extend(rule_states(conn, region, holder, ids).await?);
        attached
            .1
            .extend(redaction_states(conn, region, holder, ids).await?);
    }
    let meters = meter_states(conn, region, &proxies).await?;
    let organisations = present::organisation_states(conn, &of("organisation")).await?;
    let credentials = present::credential_states(conn, region, &credentials).await?;
    let targets = present::target_states(conn, region, &targets).await?;
    let proxy_credentials = present::proxy_credential_lists(conn, region, &proxies).await?;
    let proxies = present::proxy_states(conn, region, &proxies).await?;
    Ok(Present {
        organisations: by_id(organisations, |row| &row.organisation_id),
        credentials: by_id(credentials, |row| &row.credential_id),
        targets: by_id(targets, |row| &row.target_id),
        proxies: by_id(proxies, |row| &row.proxy_id),
        proxy_credentials,
        rules: attached.0,
        redactions: attached.1,
        meters,
    })
}

fn by_id<T>(rows: Vec<T>, id: impl Fn(&T) -> &String) -> BTreeMap<String, T> {
    rows.into_iter()
        .map(|row| (id(&row).clone(), row))
        .collect()
}

#[cfg(test)]
mod tests;
