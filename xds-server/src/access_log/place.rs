//! Where the log is: files beside the region's store, or in it where that is PostgreSQL.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use requestrocket_process::db::Dialect;
use time::Date;

use super::call::LogFailed;
use super::postgres::Postgres;
use super::reader::Reader;
use super::{day, retention};

/// Where records are, and what they come to; cheap to clone.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file for each day in this folder.
    Files(Arc<Path>),
    /// A partition for each day.
    Postgres(Postgres),
}

impl Place {
    /// That of a region server with this folder and store. Nothing is opened yet.
    ///
    /// # Errors
    /// `database_url` is of no database that is known, and the error does not repeat it.
    pub fn of(data_dir: &Path, database_url: &str) -> Result<Self, LogFailed> {
        match Dialect::of(database_url) {
            Ok(Dialect::Postgres) => Ok(Self::Postgres(Postgres::at(database_url)?)),
            // Another URL has opened no store before.
            Ok(Dialect::Sqlite) | Err(_) => Ok(Self::files(&data_dir.join("calls"))),
        }
    }

    /// Files in `folder`.
    #[must_use]
    pub fn files(folder: &Path) -> Self {
        Self::Files(PathBuf::from(folder).into())
    }

    /// The days that there are, the oldest first.
    pub(super) async fn days(&self) -> Result<Vec<Date>, LogFailed> {
        match self {
            Self::Files(folder) => {
                let days = retention::days(folder)?.into_iter();
                Ok(days.map(|file| file.day).collect())
            }
            Self::Postgres(postgres) => postgres.days().await,
        }
    }

    /// Opens a day to read, if there is anything in it. It does not wait for the writer, nor that for
    /// it.
    pub(super) async fn open_to_read(&self, day: Date) -> Result<Option<Reader>, LogFailed> {
        match self {
            Self::Files(folder) => day::open_to_read(folder, day).await,
            Self::Postgres(postgres) => {
                let conn = postgres.read().await?;
                Ok(Some(Reader::of_partition(conn, day)))
            }
        }
    }
}
