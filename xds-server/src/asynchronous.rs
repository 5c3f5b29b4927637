//! Asynchronous requests between the queue and Envoys: how they come in, what their callers ask
//! about them, and how they get to their targets.

pub mod couriers;

mod answer;
mod arrivals;
mod body;
mod connections;
mod intake;
mod outcome;
mod question;

#[cfg(test)]
mod tests;

pub use couriers::Couriers;

use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;

use self::body::Room;
use crate::queue::Queue;
use crate::xds::snapshot::Snapshot;

/// Bytes of bodies that are taken at once, of all callers; what is more is refused.
const ROOM_BYTES: usize = 128 << 20;

/// Answers what Envoys hand over.
#[derive(Clone, Debug)]
pub struct Arrivals {
    queue: Queue,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    room: Room,
    /// Of the region, as callers know it, without a slash at its end.
    base_url: Arc<str>,
}

impl Arrivals {
    /// Puts what comes into `queue`, by what `snapshots` brings.
    #[must_use]
    pub fn new(queue: Queue, snapshots: watch::Receiver<Arc<Snapshot>>, base_url: &str) -> Self {
        Self {
            queue,
            snapshots,
            room: Room::of(ROOM_BYTES),
            base_url: base_url.trim_end_matches('/').into(),
        }
    }

    /// For everything that is no service of gRPC.
    pub(crate) fn router(self) -> Router {
        arrivals::router(self)
    }
}

/// Headers that are about one connection (RFC 9110 §7.6.1), or a length that is counted anew.
const HOP_BY_HOP: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header belongs to what a caller says, or a target: not to a connection, nor to the
/// gateway.
fn is_end_to_end(name: &str) -> bool {
    let is_own = ["requestrocket-", "x-rr-", "x-envoy-"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    !is_own && !HOP_BY_HOP.contains(&name)
}
