//! When work that is done now and then is due.

use std::time::Duration;

use tokio::time::Interval;
use tokio_util::sync::CancellationToken;

/// Rounds of such work, until the process is to stop.
pub(super) struct Rounds {
    ticks: Interval,
    stopping: CancellationToken,
}

impl Rounds {
    /// The first at once, then one every `period`.
    pub(super) fn every(period: Duration, stopping: CancellationToken) -> Self {
        Self {
            ticks: tokio::time::interval(period),
            stopping,
        }
    }

    /// Waits for the next; false: there is none any more.
    pub(super) async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.ticks.tick() => true,
            () = self.stopping.cancelled() => false,
        }
    }
}
