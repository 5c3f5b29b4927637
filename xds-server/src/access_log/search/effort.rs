//! What a search may cost, whatever it is for: so much work, and so much time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use requestrocket_proto::region::v1::RecordsQuery;
use time::Date;
use tokio::time::Instant;

use crate::access_log::call::LogFailed;
use crate::access_log::day;
use crate::access_log::place::Place;
use crate::access_log::postgres::took_too_long;
use crate::access_log::reader::{Conn, Reader};

/// Of SQLite's steps, so many between two looks.
const STEPS: i32 = 1_000;
/// Calls that PostgreSQL looks at for as much work, about.
const CALLS: u64 = 64;

/// What is left to a search.
#[derive(Clone, Debug)]
pub(super) struct Effort {
    times: Arc<AtomicU32>,
    most: u32,
    until: Instant,
}

impl Effort {
    /// So many times a thousand steps, and no longer than that.
    pub(super) fn of(most: u32, time: Duration) -> Self {
        Self {
            times: Arc::default(),
            most,
            until: Instant::now() + time,
        }
    }

    /// Whether nothing more is to be begun.
    pub(super) fn is_spent(&self) -> bool {
        self.times.load(Ordering::Relaxed) >= self.most || Instant::now() >= self.until
    }

    /// Opens a day in which `query` may find something. None: nothing can be in it.
    pub(super) async fn open_for(
        &self,
        (place, day): (&Place, Date),
        query: &RecordsQuery,
    ) -> Result<Option<Reader>, LogFailed> {
        let reader = self.open(place, day).await?;
        Ok(reader.filter(|reader| query.trace_id.is_empty() || reader.has_traces()))
    }

    /// Opens a day whose statements end when too much was done. None: it begins or is dropped just
    /// now.
    pub(super) async fn open(&self, place: &Place, day: Date) -> Result<Option<Reader>, LogFailed> {
        match place {
            Place::Files(folder) => {
                let Some(mut reader) = day::open_to_read(folder, day).await? else {
                    return Ok(None);
                };
                if let Conn::Sqlite(conn) = &mut reader.conn {
                    let effort = self.clone();
                    let go_on = move || {
                        effort.times.fetch_add(1, Ordering::Relaxed);
                        !effort.is_spent()
                    };
                    conn.lock_handle().await?.set_progress_handler(STEPS, go_on);
                }
                Ok(Some(reader))
            }
            Place::Postgres(postgres) => {
                let left = self.until.saturating_duration_since(Instant::now());
                let conn = postgres.search(left).await?;
                Ok(Some(Reader::of_partition(conn, day)))
            }
        }
    }

    /// So many calls were looked at: SQLite counts its steps by itself.
    pub(super) fn add(&self, reader: &Reader, calls: u64) {
        if let Conn::Postgres(_) = reader.conn {
            let times = u32::try_from(calls / CALLS).unwrap_or(u32::MAX);
            self.times.fetch_add(times, Ordering::Relaxed);
        }
    }

    /// What a failure means, which this brought about if it is spent.
    pub(super) fn failed(&self, error: sqlx::Error) -> LogFailed {
        if self.is_spent() || took_too_long(&error) {
            LogFailed::TooMuch
        } else {
            error.into()
        }
    }
}
