//! A delta xDS client that does what it is told, rightly or wrongly.

use std::collections::HashMap;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use envoy_types::pb::google::rpc;
use requestrocket_xds_server::xds::resource::ResourceKind;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::region::{NodeKeys, REGION, Region};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct DeltaClient {
    requests: mpsc::Sender<DeltaDiscoveryRequest>,
    responses: Streaming<DeltaDiscoveryResponse>,
    node: Option<Node>,
}

impl DeltaClient {
    /// Opens a stream on which the first request names `node_id`.
    pub(crate) async fn open(
        region: &Region,
        keys: &NodeKeys,
        node_id: &str,
    ) -> Result<Self, Status> {
        let node = Node {
            id: node_id.to_owned(),
            cluster: REGION.to_owned(),
            ..Node::default()
        };
        Self::open_as(region, keys, node).await
    }

    pub(crate) async fn open_as(
        region: &Region,
        keys: &NodeKeys,
        node: Node,
    ) -> Result<Self, Status> {
        let mut client = region.connect(Some(keys)).await.unwrap();
        let (requests, outgoing) = mpsc::channel(16);
        let responses = client
            .delta_aggregated_resources(ReceiverStream::new(outgoing))
            .await?
            .into_inner();
        Ok(Self {
            requests,
            responses,
            node: Some(node),
        })
    }

    pub(crate) async fn send(&mut self, request: DeltaDiscoveryRequest) {
        let request = DeltaDiscoveryRequest {
            node: self.node.take(),
            ..request
        };
        self.requests.send(request).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, kind: ResourceKind, names: &[&str]) {
        self.send(subscription(kind, names)).await;
    }

    /// Begins a type as a client that returns with what it holds.
    pub(crate) async fn resume(&mut self, kind: ResourceKind, held: HashMap<String, String>) {
        let names: Vec<&str> = match kind {
            ResourceKind::Route => held.keys().map(String::as_str).collect(),
            ResourceKind::Cluster | ResourceKind::Listener | ResourceKind::Scope => vec!["*"],
        };
        let request = subscription(kind, &names);
        self.send(DeltaDiscoveryRequest {
            initial_resource_versions: held,
            ..request
        })
        .await;
    }

    pub(crate) async fn answer(&mut self, response: &DeltaDiscoveryResponse, error: Option<&str>) {
        let answer = DeltaDiscoveryRequest {
            type_url: response.type_url.clone(),
            response_nonce: response.nonce.clone(),
            error_detail: error.map(|message| rpc::Status {
                code: 13,
                message: message.to_owned(),
                details: Vec::new(),
            }),
            ..DeltaDiscoveryRequest::default()
        };
        self.send(answer).await;
    }

    /// The next response, not yet answered.
    pub(crate) async fn next(&mut self) -> DeltaDiscoveryResponse {
        self.next_or_end().await.expect("stream closed")
    }

    pub(crate) async fn next_or_end(&mut self) -> Result<DeltaDiscoveryResponse, Status> {
        let next = tokio::time::timeout(PATIENCE, self.responses.message()).await;
        let next = next.expect("nothing came");
        next.and_then(|message| message.ok_or_else(|| Status::cancelled("stream ended")))
    }

    /// The next response, acknowledged; names of what it brings.
    pub(crate) async fn take(&mut self) -> Vec<String> {
        let response = self.next().await;
        self.answer(&response, None).await;
        names(&response)
    }

    /// Takes everything as Envoy does; returns what it holds then, by type.
    pub(crate) async fn sync(
        &mut self,
        routes: &[&str],
    ) -> HashMap<String, HashMap<String, String>> {
        let mut held: HashMap<String, HashMap<String, String>> = HashMap::new();
        for (kind, names) in [
            (ResourceKind::Cluster, &["*"][..]),
            (ResourceKind::Listener, &["*"]),
            (ResourceKind::Scope, &["*"]),
            (ResourceKind::Route, routes),
        ] {
            self.subscribe(kind, names).await;
            let response = self.next().await;
            self.answer(&response, None).await;
            let of_type = held.entry(response.type_url).or_default();
            of_type.extend(response.resources.into_iter().map(|r| (r.name, r.version)));
        }
        held
    }
}

pub(crate) fn names(response: &DeltaDiscoveryResponse) -> Vec<String> {
    response
        .resources
        .iter()
        .map(|resource| resource.name.clone())
        .collect()
}

pub(crate) fn subscription(kind: ResourceKind, names: &[&str]) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: kind.type_url(),
        resource_names_subscribe: names.iter().map(|&name| name.to_owned()).collect(),
        ..DeltaDiscoveryRequest::default()
    }
}
