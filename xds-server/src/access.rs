//! Whose open calls may go on, by the newest snapshot.
//!
//! Invariant: who is told here that its calls end would be refused if it called now.

mod callers;

use std::sync::Arc;

use requestrocket_policy::access::{Access, Caller, MAX_CALLERS};
use requestrocket_process::clock::Clock;
use requestrocket_proto::access::v1::access_check_server::AccessCheck;
use requestrocket_proto::access::v1::{self as wire, CheckRequest, CheckResponse};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use crate::xds::snapshot::Snapshot;

pub use callers::Callers;

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
        let now_ms = self.clock.unix_ms();
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
