//! What judged calls: the rules, filters and meters of each version of a proxy's configuration, kept
//! as long as records of calls under it may be.
//!
//! Invariant: nobody waits for them. What was not written in time is not known later, and says so.

mod keep;
mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message as _;
use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::{CallerTerms, KeptTerms, Terms, TermsQuery};
use tokio::sync::{mpsc, watch};

use self::keep::Keeper;
use crate::xds::snapshot::Snapshot;

/// Versions that calls came under and that wait to be marked so.
const WAITING: usize = 1_024;

/// Terms cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TermsFailed {
    /// Their file.
    #[error("the file of terms cannot be used")]
    Database(#[from] sqlx::Error),
    /// It holds what no code of ours wrote.
    #[error("the file of terms is damaged")]
    Damaged,
}

/// Where terms are found; cheap to clone.
#[derive(Clone, Debug)]
pub struct KnownTerms {
    path: Arc<PathBuf>,
    called: mpsc::Sender<String>,
}

impl KnownTerms {
    /// Keeps what is published, in the log's `folder`, for so many days after it was replaced.
    ///
    /// # Errors
    /// The file cannot be used.
    pub async fn open(
        folder: &Path,
        days: u16,
        published: watch::Receiver<Arc<Snapshot>>,
        (clock, tasks): (Clock, &TaskSet),
    ) -> Result<Self, TermsFailed> {
        let path = folder.join("terms.db");
        let (called, taken) = mpsc::channel(WAITING);
        let keeper = Keeper::open(&path, days, clock).await?;
        let stopping = tasks.stopping();
        tasks.spawn("terms of calls", async move {
            keeper.run(published, taken, stopping).await;
            Ok(())
        });
        Ok(Self {
            path: Arc::new(path),
            called,
        })
    }

    /// A call came by a route, of that name: its terms are asked for as long as its record is there.
    pub fn called(&self, route: &str) {
        // The next call of another worker says it again; else they are kept for two days.
        let _is_told = self.called.try_send(route.to_owned()).is_ok();
    }

    /// What judged a call.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn answer(&self, query: &TermsQuery) -> Result<Terms, TermsFailed> {
        let TermsQuery {
            organisation_id,
            proxy_id,
            config_version,
            credential_id,
        } = query;
        let version = (
            organisation_id.as_str(),
            proxy_id.as_str(),
            config_version.as_str(),
        );
        let mut conn = store::open_to_read(&self.path).await?;
        let Some(bytes) = store::terms_fetch(&mut conn, version).await? else {
            return Ok(Terms::default());
        };
        let mut kept = KeptTerms::decode(&bytes[..]).map_err(|_| TermsFailed::Damaged)?;
        // One of maybe many: an answer has to stay short.
        let is_asked = |caller: &CallerTerms| caller.credential_id == *credential_id;
        kept.callers.retain(is_asked);
        Ok(Terms { kept: Some(kept) })
    }
}

#[cfg(test)]
mod tests;
