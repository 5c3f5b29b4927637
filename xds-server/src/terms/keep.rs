//! Writes what is published, and forgets what nobody can ask for any more.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use requestrocket_process::clock::Clock;
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::TermsFailed;
use super::store::{self, Published};
use crate::xds::snapshot::Snapshot;

const DAY_MS: u64 = 86_400_000;
/// Versions that no call came under are kept for so long: a call may last.
const UNCALLED_DAYS: u16 = 2;
/// Between two looks for what is too old.
const HOUSE: Duration = Duration::from_mins(10);
/// Marks that are written together.
const TOGETHER: usize = 256;

/// Holds the connection that writes.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) conn: SqliteConnection,
    days: u16,
    clock: Clock,
    /// What is written.
    seen: Arc<Snapshot>,
}

impl Keeper {
    pub(super) async fn open(path: &Path, days: u16, clock: Clock) -> Result<Self, TermsFailed> {
        Ok(Self {
            conn: store::open(path).await?,
            days,
            clock,
            seen: Arc::default(),
        })
    }

    pub(super) async fn run(
        mut self,
        mut published: watch::Receiver<Arc<Snapshot>>,
        mut called: mpsc::Receiver<String>,
        stopping: CancellationToken,
    ) {
        let mut house = tokio::time::interval(HOUSE);
        published.mark_changed();
        loop {
            let mut routes = Vec::new();
            let done = tokio::select! {
                changed = published.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let newest = Arc::clone(&published.borrow_and_update());
                    self.keep(newest).await
                }
                taken = called.recv_many(&mut routes, TOGETHER) => {
                    if taken == 0 {
                        return;
                    }
                    store::called_update(&mut self.conn, &routes).await
                }
                _ = house.tick() => self.forget().await,
                () = stopping.cancelled() => return,
            };
            if let Err(error) = done {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "what judges calls is not kept");
            }
        }
    }

    /// Writes what differs from what was seen.
    pub(super) async fn keep(&mut self, newest: Arc<Snapshot>) -> Result<(), TermsFailed> {
        // Before the first revision nothing is known, and nothing is gone.
        if newest.revision().is_none() {
            return Ok(());
        }
        let changed = self.seen.changed_terms(&newest);
        let published = Published {
            changed: &changed,
            is_all: self.seen.revision().is_none(),
            now_ms: self.clock.unix_ms(),
        };
        store::terms_insert(&mut self.conn, &published).await?;
        self.seen = newest;
        Ok(())
    }

    pub(super) async fn forget(&mut self) -> Result<(), TermsFailed> {
        let now_ms = self.clock.unix_ms();
        let before = |days: u16| now_ms.saturating_sub(DAY_MS * u64::from(days));
        let (called_ms, uncalled_ms) = (before(self.days), before(UNCALLED_DAYS.min(self.days)));
        store::terms_forget(&mut self.conn, called_ms, uncalled_ms).await
    }
}
