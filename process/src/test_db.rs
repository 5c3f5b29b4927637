//! Empty databases for tests: SQLite always, PostgreSQL when `REQUESTROCKET_TEST_POSTGRES_URL`
//! names a server.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Executor};
use tempfile::TempDir;
use uuid::Uuid;

use crate::db::Db;

/// A database in which there is nothing yet. A file ends with this, a schema with its server.
#[derive(Debug)]
pub struct EmptyDb {
    /// Where it is.
    pub url: String,
    folder: TempDir,
}

impl EmptyDb {
    /// One of each kind at hand.
    ///
    /// # Errors
    /// No folder can be made, or the server does not answer.
    #[expect(
        clippy::disallowed_methods,
        reason = "tells tests where the database of `make test` is"
    )]
    pub async fn each() -> anyhow::Result<Vec<Self>> {
        let mut all = vec![Self::sqlite()?];
        if let Ok(server) = std::env::var("REQUESTROCKET_TEST_POSTGRES_URL") {
            all.push(Self::postgres(&server).await?);
        }
        Ok(all)
    }

    /// A file in a folder of its own.
    ///
    /// # Errors
    /// No folder can be made.
    pub fn sqlite() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Ok(Self { url, folder })
    }

    /// A schema of its own.
    async fn postgres(server: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let schema = format!("test_{}", Uuid::new_v4().simple());
        let admin = Db::open(server, &Migrator::DEFAULT).await?;
        let create = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        admin.pool().execute(create).await?;
        admin.close().await;
        let mark = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{mark}options[search_path]={schema}");
        Ok(Self { url, folder })
    }

    /// Where the files of SQLite are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
