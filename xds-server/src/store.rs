//! The region's records in SQL; the only module that writes SQL.
//!
//! Invariant: no plaintext secret comes in here. Functions take a connection, so that one
//! transaction can hold a whole batch.

use requestrocket_process::db::{Db, Dialect, InvalidDb};
use sqlx::any::AnyRow;
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyConnection, AssertSqlSafe, FromRow, Transaction};

pub mod affected;
pub mod audit;
pub mod counter;
pub mod credential;
mod message;
pub mod next_secret;
pub mod organisation;
pub mod proxy;
pub mod queue;
pub mod records;
pub mod retain;
mod secret;
pub mod state;
pub mod target;
pub mod token;
pub mod usage;

#[cfg(test)]
pub(crate) mod tests;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Ids in one statement at most.
const CHUNK: usize = 512;

/// The opened store.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
}

/// A statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailed {
    /// The database does not answer or refuses.
    #[error("region store does not answer")]
    Database(#[from] sqlx::Error),
    /// The row about the store itself holds what no code of ours wrote.
    #[error("region store is damaged (table region_state)")]
    Damaged,
}

impl Store {
    /// Opens `url` and brings its schema up to date.
    ///
    /// # Errors
    /// The database does not answer or cannot be migrated.
    pub async fn open(url: &str) -> Result<Self, InvalidDb> {
        Ok(Self {
            db: Db::open(url, &MIGRATIONS).await?,
        })
    }

    /// Begins a transaction that may write; dropping it undoes it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, StoreFailed> {
        Ok(self.db.begin().await?)
    }

    /// Begins a transaction that only reads, and waits for nobody who writes.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin_read(&self) -> Result<Transaction<'static, Any>, StoreFailed> {
        Ok(self.db.pool().begin().await?)
    }

    /// Which database answers.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

/// Rows of `{select} WHERE {column} IN (ids)`, or of the whole table.
async fn rows_fetch<T>(
    conn: &mut AnyConnection,
    select: &str,
    column: &str,
    ids: Option<&[&str]>,
) -> Result<Vec<T>, StoreFailed>
where
    T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
{
    let Some(ids) = ids else {
        return Ok(sqlx::query_as(AssertSqlSafe(select))
            .fetch_all(conn)
            .await?);
    };
    let mut rows = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let sql = format!("{select} WHERE {column} IN ({})", placeholders(chunk.len()));
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for id in padded(chunk) {
            query = query.bind(*id);
        }
        rows.extend(query.fetch_all(&mut *conn).await?);
    }
    Ok(rows)
}

/// Deletes the rows of `table` whose `column` is one of `ids`.
async fn rows_delete(
    conn: &mut AnyConnection,
    table: &str,
    column: &str,
    ids: &[&str],
) -> Result<(), StoreFailed> {
    for chunk in ids.chunks(CHUNK) {
        let sql = format!(
            "DELETE FROM {table} WHERE {column} IN ({})",
            placeholders(chunk.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for id in padded(chunk) {
            query = query.bind(*id);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// `$1, $2, …` for at least `count` values. The number is rounded up to a power of two, so that
/// few different statements are prepared; [`padded`] repeats the last value.
fn placeholders(count: usize) -> String {
    let all: Vec<String> = (1..=count.next_power_of_two())
        .map(|n| format!("${n}"))
        .collect();
    all.join(", ")
}

fn padded<T>(values: &[T]) -> impl Iterator<Item = &T> {
    let missing = values.len().next_power_of_two() - values.len();
    values
        .iter()
        .chain(values.last().into_iter().cycle().take(missing))
}

fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
