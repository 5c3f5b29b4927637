//! The shell of one stream: carries events to the state machine and its responses away.
//!
//! Invariant: all state of the stream is in this task; when it ends, nothing of it is left.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::node_api::{identity, metrics};
use crate::translate::listener::ListenerAddresses;
use crate::xds::doors::{Doors, OpenDoor};
use crate::xds::snapshot::Snapshot;
use crate::xds::status::{Fleet, Seat};
use crate::xds::stream::{Request, Stream, Violation};

/// A node says who it is within this time.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that takes nothing for so long is gone or means ill.
const SEND_TIMEOUT: Duration = Duration::from_mins(1);
const TICK: Duration = Duration::from_secs(5);

pub(super) struct Driver {
    pub(super) region: Arc<str>,
    /// The client certificate's.
    pub(super) names: Vec<String>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) fleet: Fleet,
    pub(super) doors: Doors,
    pub(super) stopping: CancellationToken,
    pub(super) responses: mpsc::Sender<Result<DeltaDiscoveryResponse, Status>>,
}

/// Why a stream ends.
enum End {
    /// The client is gone, or the server stops.
    Quiet,
    /// The client is told.
    Told(Status),
}

impl Driver {
    /// Serves the stream to its end.
    pub(super) async fn run(mut self, mut inbound: Streaming<DeltaDiscoveryRequest>) {
        if let End::Told(status) = self.serve(&mut inbound).await {
            tracing::warn!(names = ?self.names, reason = status.message(), "ADS stream closed");
            // The client may not read any more.
            let _ = self.responses.try_send(Err(status));
        }
    }

    async fn serve(&mut self, inbound: &mut Streaming<DeltaDiscoveryRequest>) -> End {
        let stopping = self.stopping.clone();
        let first = tokio::select! {
            first = timeout(FIRST_REQUEST_TIMEOUT, inbound.message()) => first,
            () = stopping.cancelled() => return End::Quiet,
        };
        let first = match first {
            Ok(Ok(Some(first))) => first,
            Ok(Ok(None) | Err(_)) => return End::Quiet,
            Err(_) => return End::Told(Status::deadline_exceeded("no request came")),
        };
        match self.admit(&first) {
            Ok((seat, _door, stream)) => {
                let _counted = metrics::OpenStream::begin();
                let end = self.drive(inbound, first, &seat, stream).await;
                tracing::info!(node = seat.node_id(), "node left");
                end
            }
            Err(refusal) => End::Told(refusal),
        }
    }

    /// The state of a stream whose first request shows a node of this region.
    fn admit(
        &mut self,
        first: &DeltaDiscoveryRequest,
    ) -> Result<(Seat, Option<OpenDoor>, Stream), Status> {
        let node = first.node.as_ref();
        let node = node.ok_or_else(|| Status::invalid_argument("the first request has no node"))?;
        let node_id = identity::node_id(node, &self.names, &self.region)?;
        let addresses = ListenerAddresses::from_metadata(node.metadata.as_ref())
            .map_err(|problem| Status::invalid_argument(problem.to_string()))?;
        tracing::info!(node = node_id, "node joined");
        // Marked as seen, else `changed` brings the same snapshot once more.
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        let door = addresses.deliveries.map(SocketAddr::from);
        let door = door.map(|at| self.doors.open(&node_id, at));
        let seat = self.fleet.join(node_id);
        Ok((seat, door, Stream::new(addresses, snapshot)))
    }

    async fn drive(
        &mut self,
        inbound: &mut Streaming<DeltaDiscoveryRequest>,
        first: DeltaDiscoveryRequest,
        seat: &Seat,
        mut stream: Stream,
    ) -> End {
        let mut ticks = interval(TICK);
        // Ticks count how long an answer takes: a burst of late ones would call a live client
        // stuck.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut request = Some(first);
        loop {
            if let Some(request) = request.take()
                && let Err(violation) = take_request(&mut stream, request, seat)
            {
                return End::Told(violation.into());
            }
            if let Err(end) = self.send_all(&mut stream, seat).await {
                return end;
            }
            seat.report(stream.standing());
            tokio::select! {
                message = inbound.message() => match message {
                    Ok(Some(message)) => request = Some(message),
                    Ok(None) | Err(_) => return End::Quiet,
                },
                changed = self.snapshots.changed() => match changed {
                    Ok(()) => stream.on_snapshot(Arc::clone(&self.snapshots.borrow_and_update())),
                    Err(_) => return End::Quiet,
                },
                _ = ticks.tick() => if let Err(violation) = stream.on_tick() {
                    return End::Told(violation.into());
                },
                () = seat.replaced().cancelled() => {
                    return End::Told(Status::aborted("a newer stream of this node took over"));
                }
                () = self.stopping.cancelled() => return End::Quiet,
            }
        }
    }

    async fn send_all(&self, stream: &mut Stream, seat: &Seat) -> Result<(), End> {
        loop {
            // Room first: what is sent is decided when it can be.
            let room = tokio::select! {
                room = timeout(SEND_TIMEOUT, self.responses.reserve()) => room,
                // The loop of `drive` tells the client.
                () = seat.replaced().cancelled() => return Ok(()),
                () = self.stopping.cancelled() => return Err(End::Quiet),
            };
            let room = match room {
                Ok(Ok(room)) => room,
                Ok(Err(_)) => return Err(End::Quiet),
                Err(_) => return Err(End::Told(Status::deadline_exceeded("responses not read"))),
            };
            let Some(response) = stream.next_response() else {
                return Ok(());
            };
            metrics::response_sent(&response.type_url);
            room.send(Ok(response));
        }
    }
}

fn take_request(
    stream: &mut Stream,
    request: DeltaDiscoveryRequest,
    seat: &Seat,
) -> Result<(), Violation> {
    let request = Request::from(request);
    if let Some(detail) = &request.error {
        metrics::response_refused(&request.type_url);
        tracing::warn!(
            node = seat.node_id(),
            type_url = request.type_url,
            detail = detail.as_str(),
            "node refused a response"
        );
    }
    stream.on_request(request)
}

impl From<Violation> for Status {
    fn from(violation: Violation) -> Self {
        let text = violation.to_string();
        match violation {
            Violation::Subscription(_) | Violation::TooManyTypes | Violation::TooManyRequests => {
                Self::resource_exhausted(text)
            }
            Violation::AnswerOverdue => Self::deadline_exceeded(text),
        }
    }
}
