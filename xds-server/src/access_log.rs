//! The log of every call: Envoys tell of calls that are over, records are made of that and kept in
//! the region, a file for each UTC day.
//!
//! Invariants: no call waits for its record; what a record holds was masked before it came here.

mod call;
mod chain;
mod day;
mod known;
mod metrics;
mod numbers;
mod record;
mod retention;
mod room;
mod search;
mod seen;
mod sql;
mod telemetry;
mod verify;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use envoy_types::pb::envoy::service::accesslog::v3::access_log_service_server::AccessLogService;
use envoy_types::pb::envoy::service::accesslog::v3::stream_access_logs_message::{
    HttpAccessLogEntries, LogEntries,
};
use envoy_types::pb::envoy::service::accesslog::v3::{
    StreamAccessLogsMessage, StreamAccessLogsResponse,
};
use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::{
    Arrivals, ArrivalsQuery, Records, RecordsQuery, Telemetry, TelemetryQuery,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use self::call::Call;
pub use self::call::LogFailed;
use self::numbers::{Numbers, lock};
use self::record::{Owner, Told};
pub use self::retention::Retention;
pub use self::seen::with_buckets;
use self::telemetry::Uncounted;
pub use self::verify::verify;
use self::write::Writer;
use crate::node_api::identity;
use crate::store::{Store, StoreFailed, proxy::owner_fetch};

/// Messages of Envoys that wait to be written; while so many do, none is read. One may be as large as
/// what an Envoy keeps for us.
const WAITING: usize = 2;
/// Routes whose owners are remembered.
const OWNERS: usize = 100_000;

/// Where it is, beside the store.
#[must_use]
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("calls")
}

/// Where records go and where they are found; cheap to clone.
#[derive(Clone, Debug)]
pub struct CallLog {
    folder: Arc<PathBuf>,
    clock: Clock,
    numbers: Arc<Mutex<Numbers>>,
    waiting: mpsc::Sender<Vec<Call>>,
}

impl CallLog {
    /// Opens the log in `folder` and begins to write.
    ///
    /// # Errors
    /// The folder or the newest file in it cannot be used.
    pub async fn open(
        folder: PathBuf,
        retention: Retention,
        clock: Clock,
        tasks: &TaskSet,
    ) -> Result<Self, LogFailed> {
        metrics::describe();
        seen::describe();
        let (waiting, taken) = mpsc::channel(WAITING);
        let uncounted = Uncounted::default();
        let (writer, numbers) =
            Writer::open(&folder, retention, clock.clone(), uncounted.clone()).await?;
        telemetry::start(&folder, uncounted, clock.clone(), tasks).await?;
        let numbers = Arc::new(Mutex::new(numbers));
        let stopping = tasks.stopping();
        let told = Arc::clone(&numbers);
        tasks.spawn("log of calls", async move {
            writer.run(taken, &told, stopping).await;
            Ok(())
        });
        Ok(Self {
            folder: Arc::new(folder),
            clock,
            numbers,
            waiting,
        })
    }

    /// What is found of an organisation's calls.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn search(&self, query: &RecordsQuery) -> Result<Records, LogFailed> {
        let mut found = match search::search(&self.folder, query).await {
            Ok(found) => found,
            Err(LogFailed::TooMuch) => {
                return Ok(Records {
                    is_too_much: true,
                    ..Records::default()
                });
            }
            Err(failed) => return Err(failed),
        };
        found.lost = lock(&self.numbers).lost(
            query.from_ms.unwrap_or(0)..query.to_ms.unwrap_or(u64::MAX),
            self.clock.unix_ms(),
        );
        Ok(found)
    }

    /// What an organisation's calls come to; none for a question that this version does not know.
    ///
    /// # Errors
    /// The sums cannot be read, or it takes too long.
    pub async fn telemetry(&self, query: &TelemetryQuery) -> Result<Option<Telemetry>, LogFailed> {
        let Some(mut told) = telemetry::answer(&self.folder, query).await? else {
            return Ok(None);
        };
        let during = query.from_ms..query.to_ms;
        told.lost += lock(&self.numbers).lost(during, self.clock.unix_ms());
        Ok(Some(told))
    }

    /// What came of an organisation's calls, or is to come from now on.
    ///
    /// # Errors
    /// A file cannot be read, or the question is not whole.
    pub async fn arrivals(&self, query: &ArrivalsQuery) -> Result<Arrivals, LogFailed> {
        search::arrivals(&self.folder, query).await
    }

    /// Hands calls to the writer; waits while that has enough to do.
    async fn write(&self, calls: Vec<Call>) -> Result<(), Status> {
        let closed = |_| Status::unavailable("the region server stops");
        self.waiting.send(calls).await.map_err(closed)
    }
}

/// Takes what Envoys tell of calls that are over.
#[derive(Debug)]
pub struct AccessLogs {
    region: String,
    store: Store,
    log: CallLog,
    owners: Mutex<BTreeMap<String, Owner>>,
    stopping: CancellationToken,
}

impl AccessLogs {
    /// Of the region's nodes, into `log`.
    #[must_use]
    pub fn new(region: &str, store: Store, log: CallLog, stopping: CancellationToken) -> Self {
        Self {
            region: region.to_owned(),
            store,
            log,
            owners: Mutex::default(),
            stopping,
        }
    }

    async fn take(&self, node_id: &str, entries: HttpAccessLogEntries) -> Result<(), Status> {
        let mut calls = Vec::with_capacity(entries.log_entry.len());
        for entry in entries.log_entry {
            let Some(told) = Told::of(entry) else {
                continue;
            };
            let owner = self.owner(told.route()).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a call is recorded without its target");
                Owner::default()
            });
            let call = told.into_call((&self.region, node_id), owner);
            calls.extend(call.inspect(|call| seen::call(&call.record)));
        }
        self.log.write(calls).await
    }

    /// Whose proxy a route belongs to. Its name changes with what the proxy has.
    async fn owner(&self, route: &str) -> Result<Owner, StoreFailed> {
        if let Some(owner) = self.known().get(route) {
            return Ok(owner.clone());
        }
        let proxy_id = route.split('/').next().unwrap_or_default();
        let mut tx = self.store.begin().await?;
        let Some((organisation_id, target_id)) = owner_fetch(&mut tx, proxy_id).await? else {
            return Ok(Owner::default());
        };
        let owner = Owner {
            organisation_id,
            target_id,
        };
        let mut owners = self.known();
        if owners.len() >= OWNERS {
            owners.clear();
        }
        owners.insert(route.to_owned(), owner.clone());
        Ok(owner)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Owner>> {
        // Nothing that holds the lock can leave it half-changed.
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl AccessLogService for AccessLogs {
    async fn stream_access_logs(
        &self,
        request: Request<Streaming<StreamAccessLogsMessage>>,
    ) -> Result<Response<StreamAccessLogsResponse>, Status> {
        let names = identity::names(&request)?;
        let mut inbound = request.into_inner();
        let mut node_id = None;
        loop {
            // Envoy keeps this stream open for good, so the end of the process would wait for it.
            let message = tokio::select! {
                message = inbound.message() => message?,
                () = self.stopping.cancelled() => None,
            };
            let Some(message) = message else {
                return Ok(Response::new(StreamAccessLogsResponse {}));
            };
            let StreamAccessLogsMessage {
                identifier,
                log_entries,
            } = message;
            // Envoy names itself in a stream's first message only.
            if let Some(node) = identifier.and_then(|identifier| identifier.node) {
                node_id = Some(identity::node_id(&node, &names, &self.region)?);
            }
            let missing = || Status::invalid_argument("the first message names the node");
            let node_id = node_id.as_deref().ok_or_else(missing)?;
            match log_entries {
                Some(LogEntries::HttpLogs(entries)) => self.take(node_id, entries).await?,
                Some(LogEntries::TcpLogs(_)) | None => {}
            }
        }
    }
}
