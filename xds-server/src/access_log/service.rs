//! Takes what Envoys tell of calls that are over, and all of it when the process ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use envoy_types::pb::envoy::service::accesslog::v3::access_log_service_server::AccessLogService;
use envoy_types::pb::envoy::service::accesslog::v3::stream_access_logs_message::{
    HttpAccessLogEntries, LogEntries,
};
use envoy_types::pb::envoy::service::accesslog::v3::{
    StreamAccessLogsMessage, StreamAccessLogsResponse,
};
use requestrocket_process::tasks::TaskSet;
use tokio::time::sleep;
use tonic::{Request, Response, Status, Streaming};

use super::record::{Owner, Told};
use super::{Inlet, Listeners, seen};
use crate::node_api::identity;
use crate::store::{Store, StoreFailed, proxy::owner_fetch};
use crate::terms::KnownTerms;

/// Routes whose owners are remembered.
const OWNERS: usize = 100_000;
/// While nothing comes for so long, nothing of what an Envoy sent is on its way: half of the time
/// between two of its messages.
const QUIET: Duration = Duration::from_millis(25);
/// What the end of the process waits for an Envoy to pause.
const PATIENCE: Duration = Duration::from_secs(1);
/// And then to hear that its stream ends: at once, but where the machine has no time for it.
const LAST: Duration = Duration::from_secs(4);

/// The service that Envoys tell of calls.
#[derive(Debug)]
pub struct AccessLogs {
    taking: Arc<Taking>,
    tasks: TaskSet,
}

#[derive(Debug)]
struct Taking {
    region: String,
    store: Store,
    inlet: Inlet,
    told: Listeners,
    /// Hears under which versions calls came.
    terms: KnownTerms,
    owners: Mutex<BTreeMap<String, Owner>>,
}

/// What one worker of an Envoy tells.
struct Stream {
    taking: Arc<Taking>,
    /// Of the certificate.
    names: Vec<String>,
    /// Envoy names itself in a stream's first message only.
    node_id: Option<String>,
    inbound: Streaming<StreamAccessLogsMessage>,
}

/// Whether more may come on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    MayCome,
    Ended,
}

impl AccessLogs {
    /// Of the region's nodes, into the log behind `inlet`; `terms` hears under which versions calls came.
    #[must_use]
    pub fn new(
        region: &str,
        store: Store,
        (inlet, told, terms): (Inlet, Listeners, KnownTerms),
        tasks: TaskSet,
    ) -> Self {
        let taking = Arc::new(Taking {
            region: region.to_owned(),
            store,
            inlet,
            told,
            terms,
            owners: Mutex::default(),
        });
        Self { taking, tasks }
    }
}

#[tonic::async_trait]
impl AccessLogService for AccessLogs {
    async fn stream_access_logs(
        &self,
        request: Request<Streaming<StreamAccessLogsMessage>>,
    ) -> Result<Response<StreamAccessLogsResponse>, Status> {
        let mut stream = Stream {
            taking: Arc::clone(&self.taking),
            names: identity::names(&request)?,
            node_id: None,
            inbound: request.into_inner(),
        };
        let stopping = self.tasks.stopping();
        if stream.read_until(stopping.cancelled()).await? == More::MayCome {
            // Envoy keeps this stream open for good: only the answer ends it. What Envoy holds back
            // in its own buffers by then is lost, and in a pause it holds nothing back.
            stream.read_until_quiet().await?;
            self.tasks.spawn("the end of an access log", async move {
                stream.read_to_its_end().await;
                Ok(())
            });
        }
        Ok(Response::new(StreamAccessLogsResponse {}))
    }
}

impl Stream {
    /// Takes what comes until `end`.
    async fn read_until(&mut self, end: impl Future<Output = ()>) -> Result<More, Status> {
        tokio::pin!(end);
        loop {
            let message = tokio::select! {
                message = self.inbound.message() => message?,
                () = &mut end => return Ok(More::MayCome),
            };
            let Some(message) = message else {
                return Ok(More::Ended);
            };
            self.take(message).await?;
        }
    }

    /// Takes what was sent already.
    async fn read_until_quiet(&mut self) -> Result<(), Status> {
        let patience = sleep(PATIENCE);
        tokio::pin!(patience);
        loop {
            let message = tokio::select! {
                message = self.inbound.message() => message?,
                () = sleep(QUIET) => return Ok(()),
                () = &mut patience => return Ok(()),
            };
            let Some(message) = message else {
                return Ok(());
            };
            self.take(message).await?;
        }
    }

    /// Takes what an Envoy sent before it heard of the answer. That it resets the stream then is
    /// its way to end it.
    async fn read_to_its_end(mut self) {
        if let Err(error) = self.read_until(sleep(LAST)).await {
            tracing::debug!(%error, "an access log ended");
        }
    }

    async fn take(&mut self, message: StreamAccessLogsMessage) -> Result<(), Status> {
        let StreamAccessLogsMessage {
            identifier,
            log_entries,
        } = message;
        if let Some(node) = identifier.and_then(|identifier| identifier.node) {
            let node_id = identity::node_id(&node, &self.names, &self.taking.region)?;
            self.node_id = Some(node_id);
        }
        let missing = || Status::invalid_argument("the first message names the node");
        let node_id = self.node_id.as_deref().ok_or_else(missing)?;
        match log_entries {
            Some(LogEntries::HttpLogs(entries)) => self.taking.take(node_id, entries).await,
            Some(LogEntries::TcpLogs(_)) | None => Ok(()),
        }
    }
}

impl Taking {
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
            let given = owner.given.clone();
            let call = told.into_call((&self.region, node_id), owner);
            calls.extend(call.inspect(|call| {
                seen::call(&call.record);
                self.told.call(&call.record, &given);
            }));
        }
        self.inlet.write(calls).await
    }

    /// Whose proxy a route belongs to. Its name changes with what the proxy has.
    async fn owner(&self, route: &str) -> Result<Owner, StoreFailed> {
        if let Some(owner) = self.known().get(route) {
            return Ok(owner.clone());
        }
        self.terms.called(route);
        let proxy_id = route.split('/').next().unwrap_or_default();
        let mut tx = self.store.begin().await?;
        let Some(found) = owner_fetch(&mut tx, proxy_id).await? else {
            return Ok(Owner::default());
        };
        let (organisation_id, target_id, given) = found;
        let owner = Owner {
            organisation_id,
            target_id,
            given,
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
