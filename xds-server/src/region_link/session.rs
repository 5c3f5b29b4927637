//! One attached stream: batches and queries in; acknowledgements, the fleet's status and answers
//! out.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use requestrocket_proto::region::v1::region_link_client::RegionLinkClient;
use requestrocket_proto::region::v1::{
    self as wire, ControlMessage, CredentialUses, FleetStatus, Hello, NodeStatus, RegionMessage,
    SlotFailures, Stored, TargetChecks, Unusable, control_message, region_message,
};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use super::inbox::{Inbox, ProtocolViolation, Ready};
use super::news::News;
use super::queries::Queries;
use super::{LinkFailed, RegionLink};
use crate::last_use::{self, LastUses};
use crate::metrics;
use crate::notices::{self, Notices};
use crate::slots::{self, Slots};
use crate::target_tests::{self, Checks};
use crate::tokens::{self, TokenStates};
use crate::unusable::UnusableProxies;

/// The control plane sends far less in one message.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// Between the hello and the first sign of an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Proxies of one message of what cannot be used.
const PROXIES_A_MESSAGE: usize = 1000;

/// What has to be said next; only the newest of each kind counts.
#[derive(Debug)]
struct Unsaid {
    /// What cannot be used is to be told anew.
    unusable: bool,
    /// What is being told of it.
    parts: VecDeque<Unusable>,
    stored: Option<u64>,
    tokens: News<TokenStates, wire::TokenStates>,
    slots: News<Slots, SlotFailures>,
    uses: News<LastUses, CredentialUses>,
    notices: News<Notices, wire::Notices>,
    checks: News<Checks, TargetChecks>,
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
    let mut unusable = link.writer.unusable();
    let mut unsaid = Unsaid {
        unusable: true,
        parts: VecDeque::new(),
        stored: None,
        tokens: News::new(link.writer.tokens(), tokens::told),
        slots: News::new(link.writer.slots(), slots::told),
        uses: News::new(link.uses.clone(), last_use::told),
        notices: News::new(link.notices.clone(), notices::told),
        checks: News::new(link.checks.clone(), target_tests::told),
        fleet: true,
    };
    let mut queries = Queries::new(link.sources.clone());
    loop {
        tokio::select! {
            incoming = next_message(&mut inbound), if queries.has_place() => match incoming? {
                control_message::Kind::Batch(batch) => {
                    if let Some(ready) = inbox.take(batch)? {
                        unsaid.stored = Some(apply(link, ready).await?);
                        // Before the fleet can say that it has it.
                        unsaid.unusable |= unusable.has_changed().unwrap_or(false);
                    }
                }
                control_message::Kind::Query(query) => queries.ask(query),
            },
            Ok(()) = link.fleet.changed() => unsaid.fleet = true,
            () = unsaid.tokens.changed() => {}
            () = unsaid.slots.changed() => {}
            () = unsaid.uses.changed() => {}
            () = unsaid.notices.changed() => {}
            () = unsaid.checks.changed() => {}
            () = queries.progress() => {}
            permit = outbox.reserve(), if unsaid.is_any() || queries.is_any() => {
                let permit = permit.map_err(|_| LinkFailed::Closed)?;
                if let Some(next) = unsaid.next(&mut unusable, &mut link.fleet) {
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
    match ready {
        Ready::Delta { revision, changes } => {
            link.writer.apply_delta(revision, changes).await?;
            Ok(revision)
        }
        Ready::Full { revision, changes } => {
            tracing::info!(revision, changes = changes.len(), "full sync");
            link.writer.apply_full(revision, changes).await?;
            Ok(revision)
        }
    }
}

impl Unsaid {
    fn is_any(&self) -> bool {
        self.unusable
            || !self.parts.is_empty()
            || self.stored.is_some()
            || self.tokens.is_any()
            || self.slots.is_any()
            || self.uses.is_any()
            || self.notices.is_any()
            || self.checks.is_any()
            || self.fleet
    }

    fn next(
        &mut self,
        unusable: &mut watch::Receiver<UnusableProxies>,
        fleet: &mut watch::Receiver<Vec<NodeStatus>>,
    ) -> Option<RegionMessage> {
        // First: no revision counts as applied before it is known what of it cannot be used.
        if self.parts.is_empty() && std::mem::take(&mut self.unusable) {
            self.parts = parts(&unusable.borrow_and_update());
        }
        if let Some(part) = self.parts.pop_front() {
            return Some(message(region_message::Kind::Unusable(part)));
        }
        if let Some(revision) = self.stored.take() {
            return Some(message(region_message::Kind::Stored(Stored { revision })));
        }
        // Before the fleet can say that it has what it waits for a token with.
        if let Some(states) = self.tokens.next() {
            return Some(message(region_message::Kind::TokenStates(states)));
        }
        if let Some(failures) = self.slots.next() {
            return Some(message(region_message::Kind::SlotFailures(failures)));
        }
        if std::mem::take(&mut self.fleet) {
            let nodes = fleet.borrow_and_update().clone();
            let status = FleetStatus { nodes };
            return Some(message(region_message::Kind::FleetStatus(status)));
        }
        if let Some(notices) = self.notices.next() {
            return Some(message(region_message::Kind::Notices(notices)));
        }
        // Nobody waits for these.
        if let Some(checks) = self.checks.next() {
            return Some(message(region_message::Kind::TargetChecks(checks)));
        }
        let uses = self.uses.next()?;
        Some(message(region_message::Kind::CredentialUses(uses)))
    }
}

/// One message at least.
fn parts(unusable: &UnusableProxies) -> VecDeque<Unusable> {
    let all: Vec<_> = unusable.values().cloned().collect();
    let mut parts: VecDeque<_> = all
        .chunks(PROXIES_A_MESSAGE)
        .map(|proxies| Unusable {
            proxies: proxies.to_vec(),
            is_last: false,
        })
        .collect();
    match parts.back_mut() {
        Some(last) => last.is_last = true,
        None => parts.push_back(Unusable {
            proxies: Vec::new(),
            is_last: true,
        }),
    }
    parts
}

fn message(kind: region_message::Kind) -> RegionMessage {
    RegionMessage { kind: Some(kind) }
}
