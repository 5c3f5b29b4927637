//! One attached stream: batches in, acknowledgements and the fleet's status out.

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
    loop {
        tokio::select! {
            batch = next_batch(&mut inbound, &mut inbox) => {
                if let Some(ready) = batch? {
                    unsaid.stored = Some(apply(link, ready).await?);
                }
            }
            Ok(()) = link.fleet.changed() => unsaid.fleet = true,
            permit = outbox.reserve(), if unsaid.is_any() => {
                let permit = permit.map_err(|_| LinkFailed::Closed)?;
                if let Some(next) = unsaid.next(&mut link.fleet) {
                    permit.send(next);
                }
            }
        }
    }
}

async fn next_batch(
    inbound: &mut Streaming<ControlMessage>,
    inbox: &mut Inbox,
) -> Result<Option<Ready>, LinkFailed> {
    let ControlMessage { kind } = inbound.message().await?.ok_or(LinkFailed::Closed)?;
    match kind {
        Some(control_message::Kind::Batch(batch)) => Ok(inbox.take(batch)?),
        Some(control_message::Kind::Query(_)) | None => {
            Err(ProtocolViolation::UnknownMessage.into())
        }
    }
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
