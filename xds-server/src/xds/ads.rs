//! Delta ADS over gRPC: each stream gets a task that drives its state machine.

mod driver;

use std::pin::Pin;
use std::sync::Arc;

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryService;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use futures::Stream as FutureStream;
use requestrocket_process::tasks::TaskSet;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::node_api::identity;
use crate::xds::doors::Doors;
use crate::xds::snapshot::Snapshot;
use crate::xds::status::Fleet;

/// The discovery service of one region.
#[derive(Debug)]
pub struct Ads {
    region: Arc<str>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    fleet: Fleet,
    doors: Doors,
    tasks: TaskSet,
}

impl Ads {
    /// A service that tells nodes of `region` what `snapshots` brings.
    #[must_use]
    pub fn new(
        region: &str,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        fleet: Fleet,
        tasks: TaskSet,
    ) -> Self {
        Self {
            region: region.into(),
            snapshots,
            fleet,
            doors: Doors::default(),
            tasks,
        }
    }

    /// Where its nodes take deliveries, as long as they are connected.
    #[must_use]
    pub fn doors(&self) -> Doors {
        self.doors.clone()
    }
}

#[tonic::async_trait]
impl AggregatedDiscoveryService for Ads {
    type StreamAggregatedResourcesStream =
        Pin<Box<dyn FutureStream<Item = Result<DiscoveryResponse, Status>> + Send>>;
    type DeltaAggregatedResourcesStream = ReceiverStream<Result<DeltaDiscoveryResponse, Status>>;

    async fn stream_aggregated_resources(
        &self,
        _: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        // State of the world would repeat every scope of a region with each change of one.
        Err(Status::unimplemented("this server speaks delta xDS only"))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let names = identity::names(&request)?;
        // One response waits for the wire at a time; what follows is decided when it is sent.
        let (responses, outgoing) = mpsc::channel(1);
        let driver = driver::Driver {
            region: Arc::clone(&self.region),
            names,
            snapshots: self.snapshots.clone(),
            fleet: self.fleet.clone(),
            doors: self.doors.clone(),
            stopping: self.tasks.stopping(),
            responses,
        };
        let inbound = request.into_inner();
        self.tasks.spawn("ads stream", async move {
            driver.run(inbound).await;
            Ok(())
        });
        Ok(Response::new(ReceiverStream::new(outgoing)))
    }
}
