//! Where the writer writes: the file of a day, or the partition of a day.

use std::io;
use std::path::Path;
use std::sync::Arc;

use requestrocket_process::clock::Clock;
use requestrocket_process::file::create_private_dir;
use sqlx::{Connection as _, SqliteConnection};
use time::Date;

use super::call::{Call, LogFailed};
use super::numbers::{Changes, Numbers};
use super::place::Place;
use super::postgres::Writing;
use super::retention::{self, Retention};
use super::{day, known, room};

/// Days to which calls may have been written before a process ended.
const LATEST: usize = 2;

/// Holds the connection.
#[derive(Debug)]
pub(super) enum Sink {
    Files(Files),
    Postgres(Box<Writing>),
}

#[derive(Debug)]
pub(super) struct Files {
    folder: Arc<Path>,
    open: Option<(Date, SqliteConnection)>,
}

impl Sink {
    /// Opens what is written to; says what is known of workers, and what of that was not written yet.
    pub(super) async fn open(
        place: &Place,
        clock: &Clock,
    ) -> Result<(Self, Numbers, Changes), LogFailed> {
        match place {
            Place::Files(folder) => {
                let (files, numbers, changes) = Files::open(folder, clock).await?;
                Ok((Self::Files(files), numbers, changes))
            }
            Place::Postgres(postgres) => {
                let mut writing = Writing::open(postgres.clone()).await?;
                let numbers = writing.numbers().await?;
                Ok((Self::Postgres(writing.into()), numbers, Changes::default()))
            }
        }
    }

    /// Writes calls of one day, and what changed of what is known of workers; after a failure it is
    /// called again with the same.
    pub(super) async fn calls_insert(
        &mut self,
        day: Date,
        calls: &[Call],
        changes: &Changes,
    ) -> Result<(), LogFailed> {
        match self {
            Self::Files(files) => files.calls_insert(day, calls, changes).await,
            Self::Postgres(writing) => writing.calls_insert(day, calls, changes).await,
        }
    }

    /// Drops what is not to be kept. Today's stays. Says how many bytes are left.
    pub(super) async fn drop_old(
        &self,
        retention: Retention,
        today: Date,
    ) -> Result<u64, LogFailed> {
        match self {
            Self::Files(files) => Ok(retention::drop_old(&files.folder, retention, today)?),
            Self::Postgres(writing) => writing.drop_old(retention, today).await,
        }
    }

    /// Whether there is room for more than others need of the disk. PostgreSQL's is its own.
    pub(super) fn has_disk(&self) -> io::Result<bool> {
        match self {
            Self::Files(files) => room::has_disk(&files.folder),
            Self::Postgres(_) => Ok(true),
        }
    }

    /// Everything is committed.
    pub(super) async fn close(self) {
        match self {
            Self::Files(files) => {
                if let Some((_, conn)) = files.open {
                    let _ = conn.close().await;
                }
            }
            Self::Postgres(writing) => writing.close().await,
        }
    }
}

impl Files {
    async fn open(
        folder: &Arc<Path>,
        clock: &Clock,
    ) -> Result<(Self, Numbers, Changes), LogFailed> {
        create_private_dir(folder)?;
        let today = clock.now().date();
        let mut conn = day::open(folder, today).await?;
        let mut numbers = known::numbers_fetch(&mut conn).await?;
        let mut changes = Changes::default();
        let now_ms = clock.unix_ms();
        // In WAL mode no commit is atomic across attached files (SQLite): a crash leaves one ahead.
        for file in retention::days(folder)?.into_iter().rev().take(LATEST) {
            let row = known::written_fetch(&mut conn, file.day).await?;
            if let Some(mut reader) = day::open_to_read(folder, file.day).await? {
                for number in reader.numbers(row).await? {
                    numbers.see(number, now_ms, &mut changes);
                }
            }
        }
        let files = Self {
            folder: Arc::clone(folder),
            open: Some((today, conn)),
        };
        Ok((files, numbers, changes))
    }

    async fn calls_insert(
        &mut self,
        day: Date,
        calls: &[Call],
        changes: &Changes,
    ) -> Result<(), LogFailed> {
        // Gone if the write fails: the next try opens the file anew.
        let mut conn = match self.open.take() {
            Some((open, conn)) if open == day => conn,
            Some(_) | None => day::open(&self.folder, day).await?,
        };
        day::calls_insert(&mut conn, calls, changes).await?;
        self.open = Some((day, conn));
        Ok(())
    }
}
