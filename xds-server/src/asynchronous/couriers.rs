//! Takes attempts to their targets, by one of the Envoys that are connected: so what is injected,
//! redacted, counted and recorded is what it would be for a caller.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Uri};
use http_body_util::Full;
use requestrocket_policy::passage::{DELIVERY_HEADER, Delivery, Sender as Caller};
use requestrocket_process::tasks::TaskSet;
use tokio::sync::watch;
use tokio::time::timeout;

use super::connections::{Connections, InvalidIdentity};
use super::is_end_to_end;
use super::outcome;
use crate::pki::Certificate;
use crate::queue::{Attempt, Carrier, NoWay, Outcome};
use crate::xds::doors::Doors;
use crate::xds::snapshot::Snapshot;

/// Envoy says itself that a target is too slow; this is for an Envoy that says nothing.
const SLACK: Duration = Duration::from_secs(10);
/// To read an answer to its end.
const READING: Duration = Duration::from_secs(15);
const KEY: &str = "idempotency-key";
/// Whoever asks for it again sends it under the same key.
const KEYED: [&str; 2] = ["POST", "PATCH"];

/// Carries attempts.
#[derive(Debug)]
pub struct Couriers {
    doors: Doors,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    connections: Connections,
}

impl Couriers {
    /// To nodes of an authority, to whom the region server is who its certificate says.
    ///
    /// # Errors
    /// The certificate cannot be used.
    pub fn new(
        (own, authority_pem): (&Certificate, &str),
        doors: Doors,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        tasks: &TaskSet,
    ) -> Result<Self, InvalidIdentity> {
        Ok(Self {
            doors,
            snapshots,
            connections: Connections::new(own, authority_pem, tasks.clone())?,
        })
    }

    /// Every node is as good as the next: which is first changes from attempt to attempt.
    fn doors_for(&self, attempt: &Attempt) -> Vec<(Arc<str>, SocketAddr)> {
        let mut doors = self.doors.all();
        self.connections.keep_only(&doors);
        if !doors.is_empty() {
            let bytes = attempt
                .request_id
                .bytes()
                .chain([attempt.number.to_le_bytes()[0]]);
            let chance = bytes.fold(0_usize, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(usize::from(byte))
            });
            let first = chance % doors.len();
            doors.rotate_left(first);
        }
        doors
    }

    fn sends_key(&self, proxy_id: &str) -> bool {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        snapshot.passage(proxy_id).is_none_or(|it| it.sends_key)
    }

    async fn take(&self, attempt: Attempt) -> Outcome {
        let Some(request) = request(&attempt, self.sends_key(&attempt.proxy_id)) else {
            return Outcome::Denied {
                code: "BAD_REQUEST".to_owned(),
            };
        };
        for (node, at) in self.doors_for(&attempt) {
            let mut sender = match self.connections.to(&node, at).await {
                Ok(sender) => sender,
                Err(error) => {
                    tracing::warn!(node = &*node, %error, cause = ?error, "no way to a node");
                    continue;
                }
            };
            let sent = sender.send_request(request.clone());
            return match timeout(attempt.timeout + SLACK, sent).await {
                Ok(Ok(response)) => outcome::of(response, READING).await,
                Ok(Err(error)) => {
                    tracing::info!(node = &*node, %error, "an attempt was cut off");
                    outcome::unreachable("the region's Envoy was cut off")
                }
                Err(_) => outcome::unreachable("no answer in time"),
            };
        }
        Outcome::NoWay(NoWay::Region)
    }
}

impl Carrier for Couriers {
    async fn carry(&self, attempt: Attempt) -> Outcome {
        self.take(attempt).await
    }
}

/// The request as Envoy gets it; none: it is none.
fn request(attempt: &Attempt, sends_key: bool) -> Option<Request<Full<Bytes>>> {
    let Attempt {
        request_id,
        number,
        proxy_id,
        request,
        caller,
        ..
    } = attempt;
    let query = request.query.as_ref().map(|query| format!("?{query}"));
    let query = query.unwrap_or_default();
    let uri = format!("https://deliveries/api/{proxy_id}{}{query}", request.path);
    let delivery = Delivery {
        request: request_id.parse().ok()?,
        attempt: *number,
        sender: Caller::decode(caller)?,
    };
    let mut builder = Request::builder()
        .method(request.method.as_str())
        .uri(uri.parse::<Uri>().ok()?);
    let headers = builder.headers_mut()?;
    for (name, value) in request
        .headers
        .iter()
        .filter(|(name, _)| is_end_to_end(name))
    {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_maybe_shared(value.clone()).ok()?);
    }
    if sends_key && KEYED.contains(&request.method.as_str()) && !headers.contains_key(KEY) {
        headers.insert(KEY, HeaderValue::from_str(request_id).ok()?);
    }
    let delivery = HeaderValue::from_maybe_shared(Bytes::from(delivery.to_header())).ok()?;
    headers.insert(DELIVERY_HEADER, delivery);
    builder.body(Full::new(request.body.clone())).ok()
}
