//! A chain of hashes over the records of a day, by which it is seen that one was changed, taken out or
//! put in later. It stands beside them: whoever can write both can make another one, but not with the
//! same end.

use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;
use time::Date;

use super::call::LogFailed;
use super::sql::{from_sql, to_sql};

/// What the chain of a day says up to some record.
pub(super) type Hash = [u8; 32];

/// Rows that were written together, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Chain(Sha256);

impl Chain {
    /// Behind what the chain says so far.
    pub(super) fn behind(before: Hash) -> Self {
        Self(Sha256::new_with_prefix(before))
    }

    /// The next record, as it is stored.
    pub(super) fn add(&mut self, record: &[u8]) {
        // With its length, so that no record can be cut elsewhere and say the same together.
        let length = u64::try_from(record.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(record);
    }

    pub(super) fn end(self) -> Hash {
        self.0.finalize().into()
    }
}

/// Where the chain of a day begins.
pub(super) fn begin(day: Date) -> Hash {
    Sha256::digest(format!("records of {day}")).into()
}

/// Links rows that were just written to those before, in the same transaction.
pub(super) async fn link_insert(
    conn: &mut SqliteConnection,
    day: Date,
    records: &[Vec<u8>],
) -> Result<(), LogFailed> {
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT last_row, hash FROM link ORDER BY first_row DESC LIMIT 1")
            .fetch_optional(&mut *conn)
            .await?;
    let (written,): (i64,) = sqlx::query_as("SELECT COALESCE(MAX(rowid), 0) FROM call")
        .fetch_one(&mut *conn)
        .await?;
    let before = match &last {
        Some((_, hash)) => hash[..].try_into().map_err(|_| LogFailed::Damaged)?,
        None => begin(day),
    };
    let mut chain = Chain::behind(before);
    for record in records {
        chain.add(record);
    }
    let hash = chain.end();
    let count = u64::try_from(records.len()).unwrap_or(0);
    let first = from_sql(written)?.saturating_sub(count).saturating_add(1);
    sqlx::query("INSERT INTO link VALUES ($1, $2, $3)")
        .bind(to_sql(first))
        .bind(written)
        .bind(&hash[..])
        .execute(conn)
        .await?;
    Ok(())
}
