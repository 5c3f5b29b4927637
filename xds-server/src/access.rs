//! Whose open calls may go on, by the newest snapshot.
//!
//! Invariant: who is told here that its calls end would be refused if it called now.

use std::sync::Arc;

use requestrocket_policy::access::{Access, Caller, MAX_CALLERS};
use requestrocket_policy::id::CredentialId;
use requestrocket_process::clock::{Clock, unix_ms};
use requestrocket_proto::access::v1::access_check_server::AccessCheck;
use requestrocket_proto::access::v1::{self as wire, CheckRequest, CheckResponse};
use requestrocket_proto::policy::v1::{SecretDigest, proxy_credential::Presented};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use crate::records::region_config::{CallerConfig, ProxyConfig};
use crate::xds::snapshot::Snapshot;

/// Who may call a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callers {
    /// None: they may.
    closed: Option<Access>,
    /// Credentials in force, each with the moment (Unix time in milliseconds) when it ends.
    credentials: Box<[(CredentialId, u64)]>,
}

impl Callers {
    /// Of this proxy.
    #[must_use]
    pub fn of(config: &ProxyConfig) -> Self {
        let closed = match (config.is_active, config.is_suspended) {
            (false, _) => Some(Access::Inactive),
            (true, true) => Some(Access::Suspended),
            (true, false) => None,
        };
        let credentials = config.proxy_credentials.iter().filter_map(|credential| {
            let id = credential.credential_id.parse().ok()?;
            Some((id, ends_ms(credential)?))
        });
        Self {
            closed,
            credentials: credentials.collect(),
        }
    }

    /// Whether calls with this credential may go on. In the order of a call's checks: what depends
    /// on the proxy comes after the credential.
    #[must_use]
    pub fn access(&self, credential: CredentialId, now_ms: u64) -> Access {
        let mut credentials = self.credentials.iter();
        let is_in_force = credentials.any(|(id, ends_ms)| *id == credential && now_ms < *ends_ms);
        if is_in_force {
            self.closed.unwrap_or(Access::Granted)
        } else {
            Access::Revoked
        }
    }
}

/// When the last secret of a credential ends; none when nobody can present any.
fn ends_ms(credential: &CallerConfig) -> Option<u64> {
    let last = match &credential.presented {
        Presented::ApiKey(one) => last_end_ms(&one.digests),
        Presented::Bearer(one) => last_end_ms(&one.digests),
        Presented::BasicAuth(one) => last_end_ms(&one.digests),
        Presented::Jwt(one) => last_end_ms(&one.digests),
        // Nobody here knows the tokens.
        Presented::SignedToken(_) => Some(u64::MAX),
    };
    let previous = credential.previous.iter().map(|one| one.ends_at_ms);
    let last = last.into_iter().chain(previous).max();
    let ends = last.map(|last| last.min(end_or_never(credential.ends_at_ms)));
    ends.filter(|_| credential.is_active)
}

fn last_end_ms(digests: &[SecretDigest]) -> Option<u64> {
    let ends = digests.iter();
    ends.map(|digest| end_or_never(digest.valid_until_ms)).max()
}

/// As messages say it: 0 is never.
fn end_or_never(at_ms: u64) -> u64 {
    if at_ms == 0 { u64::MAX } else { at_ms }
}

/// Answers nodes that ask about calls that last.
#[derive(Debug)]
pub struct AccessChecks {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    clock: Clock,
}

impl AccessChecks {
    /// By what `snapshots` brings.
    #[must_use]
    pub fn new(snapshots: watch::Receiver<Arc<Snapshot>>, clock: Clock) -> Self {
        Self { snapshots, clock }
    }

    fn answer(&self, callers: &[Caller]) -> Vec<wire::Access> {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        let now_ms = u64::try_from(unix_ms(self.clock.now())).unwrap_or(0);
        let access = |caller: &Caller| {
            // A region that knows nothing yet has revoked nothing.
            snapshot.revision()?;
            let found = snapshot.callers(&caller.proxy.to_string());
            Some(found.map_or(Access::Revoked, |callers| {
                callers.access(caller.credential, now_ms)
            }))
        };
        let answers = callers.iter().map(access);
        answers
            .map(|one| one.map_or(wire::Access::Unspecified, Access::to_wire))
            .collect()
    }
}

#[tonic::async_trait]
impl AccessCheck for AccessChecks {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let CheckRequest { callers } = request.into_inner();
        if callers.len() > MAX_CALLERS {
            return Err(Status::invalid_argument("too many callers"));
        }
        let callers: Option<Vec<_>> = callers.iter().map(Caller::from_wire).collect();
        let callers = callers.ok_or(Status::invalid_argument("ids must be of 16 bytes"))?;
        let accesses = self.answer(&callers).into_iter().map(i32::from).collect();
        Ok(Response::new(CheckResponse { accesses }))
    }
}

#[cfg(test)]
mod tests;
