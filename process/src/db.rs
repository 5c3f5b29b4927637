//! One SQL store for both dialects: SQLite (embedded default) and PostgreSQL (by URL).
//!
//! Statements use `$1` placeholders and TEXT, BIGINT and BYTEA columns only, which both take and `Any`
//! reads. (SQLite knows no BYTEA, and keeps in such a column what it is given.)

use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, Connection as _, Executor, Transaction};

/// A store that was opened and migrated.
#[derive(Clone, Debug)]
pub struct Db {
    pool: AnyPool,
    dialect: Dialect,
}

/// Which database answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `sqlite:` URLs.
    Sqlite,
    /// `postgres:` URLs.
    Postgres,
}

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDb {
    /// Neither `sqlite:` nor `postgres:`. The URL may hold a password and is not repeated.
    #[error("database URL must begin with `sqlite:` or `postgres://`")]
    UnknownScheme,
    /// The database refused the connection.
    #[error("database cannot be opened")]
    Open(#[source] sqlx::Error),
    /// A migration failed, or the store was written by a newer version.
    #[error("database cannot be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

impl Db {
    /// Opens `url` (creating a SQLite file that is missing) and applies `migrations`.
    ///
    /// # Errors
    /// The URL is of another database, the database does not answer, or a migration fails.
    pub async fn open(url: &str, migrations: &Migrator) -> Result<Self, InvalidDb> {
        let dialect = Dialect::of(url)?;
        // `Any` knows no database by itself.
        install_default_drivers();
        let url = match dialect {
            // The driver makes no file that is missing unless told.
            Dialect::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            Dialect::Sqlite | Dialect::Postgres => url.to_owned(),
        };
        let options = AnyConnectOptions::from_str(&url).map_err(InvalidDb::Open)?;
        let pool = pool_options(dialect)
            .connect_with(options)
            .await
            .map_err(InvalidDb::Open)?;
        migrations.run(&pool).await?;
        Ok(Self { pool, dialect })
    }

    /// For single statements outside a transaction.
    #[must_use]
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Which database answers.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Begins a transaction that may write.
    ///
    /// On SQLite it takes the write lock at once, so that it waits instead of failing half-way.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, Any>> {
        match self.dialect {
            Dialect::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Dialect::Postgres => self.pool.begin().await,
        }
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Dialect {
    /// Of the database at `url`.
    ///
    /// # Errors
    /// It is another one's.
    pub fn of(url: &str) -> Result<Self, InvalidDb> {
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres)
        } else {
            Err(InvalidDb::UnknownScheme)
        }
    }
}

fn pool_options(dialect: Dialect) -> AnyPoolOptions {
    let options = AnyPoolOptions::new().acquire_timeout(Duration::from_secs(10));
    match dialect {
        Dialect::Postgres => options.max_connections(16),
        Dialect::Sqlite => options
            .max_connections(4)
            .before_acquire(|connection, _| {
                // SQLite ends a transaction by itself when the disk is full, and the driver then
                // takes it for open for ever: no other one could begin on this connection.
                let is_free = !connection.is_in_transaction();
                Box::pin(async move { Ok(is_free) })
            })
            .after_connect(|connection, _| {
                Box::pin(async move {
                    for pragma in [
                        // First: to change the journal's mode takes a lock that somebody may have.
                        "PRAGMA busy_timeout = 10000",
                        // Readers go on while one writes.
                        "PRAGMA journal_mode = WAL",
                        // In WAL mode `NORMAL` may lose the last commits with the power.
                        "PRAGMA synchronous = FULL",
                        // Off in SQLite unless told.
                        "PRAGMA foreign_keys = ON",
                    ] {
                        connection.execute(pragma).await?;
                    }
                    Ok(())
                })
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NO_MIGRATIONS: Migrator = Migrator::DEFAULT;

    /// All connections met it, and every later transaction failed until the process was restarted.
    #[tokio::test]
    async fn a_full_disk_is_forgotten_once_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let db = Db::open(&url, &NO_MIGRATIONS).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.execute("CREATE TABLE kept (bytes BLOB)").await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..8 {
            let mut tx = db.begin().await.unwrap();
            tx.execute("PRAGMA max_page_count = 5").await.unwrap();
            let large = "INSERT INTO kept VALUES (zeroblob(20000000))";
            let error = tx.execute(large).await.unwrap_err().to_string();
            assert!(error.contains("full"), "{error}");
            let _ = tx.rollback().await;
        }
        let mut tx = db.begin().await.unwrap();
        tx.execute("INSERT INTO kept VALUES (zeroblob(100000))")
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_sqlite_file_is_created_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let db = Db::open(&url, &NO_MIGRATIONS).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.execute("CREATE TABLE kept (name TEXT NOT NULL)")
            .await
            .unwrap();
        sqlx::query("INSERT INTO kept VALUES ($1)")
            .bind("a")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        db.close().await;
        let db = Db::open(&url, &NO_MIGRATIONS).await.unwrap();
        let (name,): (String,) = sqlx::query_as("SELECT name FROM kept")
            .fetch_one(db.pool())
            .await
            .unwrap();
        assert_eq!(name, "a");
    }

    #[tokio::test]
    async fn another_database_is_refused_without_its_url() {
        let error = Db::open("mysql://u:hunter2@h/d", &NO_MIGRATIONS)
            .await
            .unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
