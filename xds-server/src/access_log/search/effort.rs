//! What a search may cost, whatever it is for: so much work, and so much time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::access_log::call::LogFailed;
use crate::access_log::day::{Reader, open_to_read};

/// Of SQLite's steps, so many between two looks.
const STEPS: i32 = 1_000;

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

    /// Opens a day whose statements end when too much was done. None: it begins or is dropped just
    /// now.
    pub(super) async fn open(&self, path: &Path) -> Result<Option<Reader>, LogFailed> {
        let Some(mut day) = open_to_read(path).await? else {
            return Ok(None);
        };
        let effort = self.clone();
        let go_on = move || {
            effort.times.fetch_add(1, Ordering::Relaxed);
            !effort.is_spent()
        };
        let mut handle = day.conn.lock_handle().await?;
        handle.set_progress_handler(STEPS, go_on);
        drop(handle);
        Ok(Some(day))
    }

    /// What a failure means, which this brought about if it is spent.
    pub(super) fn failed(&self, error: sqlx::Error) -> LogFailed {
        if self.is_spent() {
            LogFailed::TooMuch
        } else {
            error.into()
        }
    }
}
