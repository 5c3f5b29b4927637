//! What one link was told so far, and what comes next.
//!
//! A full sync and a delta are the same walk over the change log; a full sync begins at its
//! beginning and leaves out what was removed before. The walk has no upper end: a record that
//! changes or goes during it moves ahead of the cursor and is met there, so nothing is missed and
//! nothing is locked.

use prost::Message as _;
use requestrocket_process::db::Db;
use requestrocket_proto::region::v1::{Change, ConfigBatch};
use sqlx::AnyConnection;

use super::message;
use crate::domain::gateway::region::RegionName;
use crate::store::gateway::region::RegionRow;
use crate::store::log::change::{ChangeRow, Cursor, change_list, revision_newest};
use crate::store::log::current::Current;

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
        // Ahead of us: our store was set back. Before the horizon: removals are forgotten.
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
        // One more than a batch takes shows whether its last revision is whole.
        let rows = change_list(&mut conn, self.region.as_str(), &self.cursor, PAGE + 1).await?;
        if rows.is_empty() && !self.is_full {
            return Ok(None);
        }
        let (page, behind) = rows.split_at(rows.len().min(usize::from(PAGE)));
        let current = Current::read(&mut conn, &self.region, page).await?;
        let (changes, taken) = self.changes(&current, page);
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
    fn changes(&self, current: &Current, page: &[ChangeRow]) -> (Vec<Change>, usize) {
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
            match message::change(current, row) {
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

#[cfg(test)]
mod tests;
