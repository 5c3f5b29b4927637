//! The region's side of the link to the control plane.
//!
//! Invariant: whatever happens on the link, the data plane goes on with what is stored; this task
//! ends only when the process stops.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use requestrocket_policy::secret::SecretText;
use requestrocket_proto::region::v1::{Hello, NodeStatus};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::backoff::{STEADY, next_delay};
pub use self::queries::Sources;
use crate::last_use::LastUses;
use crate::metrics;
use crate::notices::Notices;
use crate::pki::InvalidPki;
use crate::pki::identity::Identity;
use crate::records::ingest::IngestFailed;
use crate::region::RegionWriter;
use crate::store::StoreFailed;
use crate::target_tests::Checks;

mod backoff;
mod connect;
mod enrol;
mod inbox;
mod news;
mod queries;
mod session;

#[cfg(test)]
mod tests;

/// Attempts between two warnings of one outage.
const WARN_EVERY: u32 = 25;

/// What the link needs to know.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Name of the region.
    pub region: String,
    /// Public base URL of the region.
    pub base_url: String,
    /// Where the control plane listens.
    pub control_plane_url: Uri,
    /// Its authority, for enrolment; afterwards the one that came with the identity counts.
    pub control_plane_ca: PathBuf,
    /// Buys the identity.
    pub enrolment_token: Option<SecretText>,
    /// Where the identity is kept.
    pub pki_dir: PathBuf,
    /// To which the control plane seals secrets.
    pub sealing_public_key: Vec<u8>,
}

/// Keeps the region connected.
#[derive(Debug)]
pub struct RegionLink {
    /// Who to be, and where to dial.
    pub config: LinkConfig,
    /// Takes batches in.
    pub writer: Arc<RegionWriter>,
    /// What the control plane is told of the nodes.
    pub fleet: watch::Receiver<Vec<NodeStatus>>,
    /// Who answers the control plane's questions.
    pub sources: Sources,
    /// What the control plane is told of uses of credentials.
    pub uses: watch::Receiver<LastUses>,
    /// What the control plane tells people of.
    pub notices: watch::Receiver<Notices>,
    /// What it is told of how targets answer.
    pub checks: watch::Receiver<Checks>,
}

/// Why a session ended or never began.
#[derive(Debug, thiserror::Error)]
pub enum LinkFailed {
    /// Certificates are unusable.
    #[error(transparent)]
    Pki(#[from] InvalidPki),
    /// There is neither an identity nor a token for one.
    #[error("region is not enrolled and `enrolment_token` is not set")]
    NoToken,
    /// The token is another region's.
    #[error("`enrolment_token` is of region `{0}`")]
    OtherRegion(String),
    /// No connection.
    #[error("control plane cannot be reached")]
    Connect(#[from] tonic::transport::Error),
    /// The control plane refused, or the connection broke.
    #[error("control plane ended the call ({:?}: {})", .0.code(), .0.message())]
    Refused(#[from] Box<tonic::Status>),
    /// It took the call and says nothing.
    #[error("control plane does not answer")]
    Silent,
    /// The stream ended without an error.
    #[error("control plane closed the stream")]
    Closed,
    /// A message that the contract does not allow.
    #[error(transparent)]
    Protocol(#[from] inbox::ProtocolViolation),
    /// The batch was not stored.
    #[error(transparent)]
    Ingest(#[from] IngestFailed),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreFailed),
}

impl From<tonic::Status> for LinkFailed {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl LinkFailed {
    /// One word for it, as in metrics.
    fn word(&self) -> &'static str {
        match self {
            Self::Pki(_) | Self::NoToken | Self::OtherRegion(_) => "identity",
            Self::Connect(_) | Self::Silent => "unreachable",
            Self::Refused(_) => "refused",
            Self::Closed => "closed",
            Self::Protocol(_) => "protocol",
            Self::Ingest(_) | Self::Store(_) => "store",
        }
    }
}

impl RegionLink {
    /// Runs until `stopping`; a session that ends is followed by another.
    pub async fn run(mut self, stopping: CancellationToken) {
        let mut attempt = 0;
        loop {
            let began = Instant::now();
            let failed = tokio::select! {
                failed = self.live() => failed,
                () = stopping.cancelled() => return,
            };
            if began.elapsed() >= STEADY {
                attempt = 0;
            }
            let delay = next_delay(attempt, Uuid::new_v4().as_u128());
            report(&failed, attempt, delay);
            attempt = attempt.saturating_add(1);
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = stopping.cancelled() => return,
            }
        }
    }

    /// One life: enrol if need be, attach, and stay until it ends.
    async fn live(&mut self) -> LinkFailed {
        match self.attach().await {
            Ok(never) => match never {},
            Err(failed) => failed,
        }
    }

    async fn attach(&mut self) -> Result<std::convert::Infallible, LinkFailed> {
        let identity = match Identity::load(&self.config.pki_dir)? {
            Some(identity) => identity,
            None => enrol::enrol(&self.config).await?,
        };
        let channel = connect::attached(&self.config.control_plane_url, &identity).await?;
        let stored_revision = self.writer.stored_revision().await?;
        let hello = Hello {
            stored_revision,
            sealing_public_key: self.config.sealing_public_key.clone().into(),
            base_url: self.config.base_url.clone(),
        };
        session::run(self, channel, hello).await
    }
}

/// An outage is worth a warning at its beginning and about every minute, not at every attempt.
fn report(failed: &LinkFailed, attempt: u32, delay: Duration) {
    metrics::link_down(failed.word());
    let error = error_chain(failed);
    let retry_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    if attempt.is_multiple_of(WARN_EVERY) {
        tracing::warn!(
            error,
            retry_ms,
            "control plane is away; the region goes on without it"
        );
    } else {
        tracing::debug!(error, retry_ms, attempt, "control plane is still away");
    }
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
