//! Refusing a call.

use requestrocket_policy::denial::{Denial, Refusal};

use super::{Call, Flow, Progress, Shared, waiting::Waiting};
use crate::host::{Host, HostFailure};

impl Call {
    /// Refuses a call that was looked at, and notes for its record what is known of it.
    pub(super) fn refuse_judged(
        &mut self,
        host: &impl Host,
        shared: &Shared,
        waiting: &Waiting,
        refusal: &Refusal,
    ) -> Flow {
        shared.keep(host, waiting);
        self.refuse(host, refusal)
    }

    /// The one place that answers callers.
    pub(super) fn refuse(&mut self, host: &impl Host, refusal: &Refusal) -> Flow {
        self.progress = match self.progress {
            Progress::Answering(..) | Progress::Over => Progress::Over,
            Progress::Fresh
            | Progress::Waiting(_)
            | Progress::HandedOver
            | Progress::Forwarded(_)
            | Progress::Valve(_)
            | Progress::Try(_)
            | Progress::Done => Progress::Done,
        };
        let reply = match host.random() {
            Ok(random) => refusal.response(&request_id(random)),
            Err(HostFailure) => Denial::GatewayFault.response(""),
        };
        if host.send_reply(&reply).is_err() {
            // Nothing more can be done: the stream stays held until it times out.
            host.warn("a refusal could not be sent");
        }
        Flow::Ended
    }
}

fn request_id(random: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(random)
        .into_uuid()
        .to_string()
}
