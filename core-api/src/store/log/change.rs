//! Reading the change log: which records a region has yet to hear of.

use sqlx::{AnyConnection, FromRow};

/// The newest change of one record.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct ChangeRow {
    /// `organisation`, `credential`, `target` or `proxy`.
    pub kind: String,
    /// The record's id.
    pub record_id: String,
    /// When it changed.
    pub revision: i64,
    /// 1 when the record is gone.
    pub is_removed: i64,
}

/// Where a reader of the log stands: everything up to this record of this revision was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    revision: i64,
    kind: String,
    record_id: String,
}

impl Cursor {
    /// Behind every change of `revision`.
    #[must_use]
    pub fn behind(revision: i64) -> Self {
        Self {
            revision: revision.saturating_add(1),
            ..Self::default()
        }
    }

    /// Behind `row`.
    #[must_use]
    pub fn after(row: &ChangeRow) -> Self {
        let (kind, record_id) = (row.kind.clone(), row.record_id.clone());
        Self {
            revision: row.revision,
            kind,
            record_id,
        }
    }
}

/// The next `limit` changes of `region` and of all regions, oldest first. Costs as much as it
/// returns, whatever the number of records.
///
/// # Errors
/// The store does not answer; so everywhere below.
pub async fn change_list(
    conn: &mut AnyConnection,
    region: &str,
    cursor: &Cursor,
    limit: u16,
) -> sqlx::Result<Vec<ChangeRow>> {
    // Each half follows its index and stops at the limit; one WHERE for both would sort all.
    sqlx::query_as(
        "SELECT kind, record_id, revision, is_removed FROM (
             SELECT * FROM (
                 SELECT kind, record_id, revision, is_removed FROM change
                 WHERE region_name = $1 AND revision >= $2
                     AND (revision > $2 OR (kind, record_id) > ($3, $4))
                 ORDER BY revision, kind, record_id LIMIT $5) AS own
             UNION ALL
             SELECT * FROM (
                 SELECT kind, record_id, revision, is_removed FROM change
                 WHERE region_name = '*' AND revision >= $2
                     AND (revision > $2 OR (kind, record_id) > ($3, $4))
                 ORDER BY revision, kind, record_id LIMIT $5) AS shared
         ) AS changes ORDER BY revision, kind, record_id LIMIT $5",
    )
    .bind(region)
    .bind(cursor.revision)
    .bind(&cursor.kind)
    .bind(&cursor.record_id)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await
}

/// The newest revision of the control plane.
pub async fn revision_newest(conn: &mut AnyConnection) -> sqlx::Result<i64> {
    let (newest,): (i64,) = sqlx::query_as("SELECT newest FROM revision WHERE id = 1")
        .fetch_one(conn)
        .await?;
    Ok(newest)
}

#[cfg(test)]
mod tests;
