//! One attached stream: batches and queries in; acknowledgements, the fleet's status and answers
//! out.

use std::convert::Infallible;
use std::time::Duration;

use requestrocket_proto::region::v1::region_link_client::RegionLinkClient;
use requestrocket_proto::region::v1::{
    ControlMessage, FleetStatus, Hello, NodeStatus, RegionMessage, Stored, control_message,
    region_message,
};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use super::inbox::{Inbox, ProtocolViolation, Ready};
use super::queries::Queries;
use super::{LinkFailed, RegionLink, publish};
use crate::metrics;

/// The control plane sends far less in one message.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// Between the hello and the first sign of an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What has to be said next; only the newest of each kind counts.
#[derive(Debug)]
struct Unsaid {
    stored: Option<u64>,
    fleet: bool,
}

/// Attaches and stays attached until something ends it.
pub(super) async fn run(
    link: &mut RegionLink,
    channel: Channel,
    hello: Hello,
) -> Result<Infallible, LinkFailed> {
    let mut inbox = Inbox::new(hello.stored_revision);
    let (outbox, outgoing) = mpsc::channel(1);
    // The channel is empty: this does not wait.
    let _ = outbox
        .send(message(region_message::Kind::Hello(hello)))
        .await;
    let mut client = RegionLinkClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let attached = client.attach(ReceiverStream::new(outgoing));
    let attached = timeout(ANSWER_TIMEOUT, attached)
        .await
        .map_err(|_| LinkFailed::Silent)?;
    let mut inbound = attached?.into_inner();
    tracing::info!("control plane is connected");
    metrics::link_up();
    let mut unsaid = Unsaid {
        stored: None,
        fleet: true,
    };
    let mut queries = Queries::new(link.meters.clone());
    loop {
        tokio::select! {
            incoming = next_message(&mut inbound), if queries.has_place() => match incoming? {
                control_message::Kind::Batch(batch) => {
                    if let Some(ready) = inbox.take(batch)? {
                        unsaid.stored = Some(apply(link, ready).await?);
                    }
                }
                control_message::Kind::Query(query) => queries.ask(query),
            },
            Ok(()) = link.fleet.changed() => unsaid.fleet = true,
            () = queries.progress() => {}
            permit = outbox.reserve(), if unsaid.is_any() || queries.is_any() => {
                let permit = permit.map_err(|_| LinkFailed::Closed)?;
                if let Some(next) = unsaid.next(&mut link.fleet) {
                    permit.send(next);
                } else if let Some(answer) = queries.next() {
                    permit.send(message(region_message::Kind::Answer(answer)));
                }
            }
        }
    }
}

async fn next_message(
    inbound: &mut Streaming<ControlMessage>,
) -> Result<control_message::Kind, LinkFailed> {
    let ControlMessage { kind } = inbound.message().await?.ok_or(LinkFailed::Closed)?;
    kind.ok_or_else(|| ProtocolViolation::UnknownMessage.into())
}

/// Stores, then publishes; gives back what may be acknowledged.
async fn apply(link: &RegionLink, ready: Ready) -> Result<u64, LinkFailed> {
    let (revision, update) = match ready {
        Ready::Delta { revision, changes } => {
            (revision, link.ingest.apply_delta(revision, changes).await?)
        }
        Ready::Full { revision, changes } => {
            tracing::info!(revision, changes = changes.len(), "full sync");
            (revision, link.ingest.apply_full(revision, changes).await?)
        }
    };
    publish(&link.publisher, revision, update);
    Ok(revision)
}

impl Unsaid {
    fn is_any(&self) -> bool {
        self.stored.is_some() || self.fleet
    }

    fn next(&mut self, fleet: &mut watch::Receiver<Vec<NodeStatus>>) -> Option<RegionMessage> {
        if let Some(revision) = self.stored.take() {
            return Some(message(region_message::Kind::Stored(Stored { revision })));
        }
        if !std::mem::take(&mut self.fleet) {
            return None;
        }
        let nodes = fleet.borrow_and_update().clone();
        Some(message(region_message::Kind::FleetStatus(FleetStatus {
            nodes,
        })))
    }
}

fn message(kind: region_message::Kind) -> RegionMessage {
    RegionMessage { kind: Some(kind) }
}
