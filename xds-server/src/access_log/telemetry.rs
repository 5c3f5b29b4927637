//! What the calls of each minute, hour and day come to, by organisation, proxy and credential.
//!
//! Invariant: every record that is committed to the log is counted exactly once. The counting reads
//! the log behind its writer, and how far it came is committed with what it counted.

mod answer;
mod follow;
mod metrics;
mod span;
mod store;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use time::Date;
use tokio::sync::Notify;

pub(super) use self::answer::answer;
use self::follow::Follower;
use super::call::LogFailed;
use super::place::Place;

/// Days of the log that hold what may not be counted yet; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Uncounted(Arc<Days>);

#[derive(Debug, Default)]
struct Days {
    days: Mutex<BTreeSet<Date>>,
    changed: Notify,
}

impl Uncounted {
    /// Something was committed to that day.
    pub(super) fn add(&self, day: Date) {
        let days = self.0.days.lock();
        // Nothing that holds the lock can leave it half-changed.
        days.unwrap_or_else(PoisonError::into_inner).insert(day);
        self.0.changed.notify_one();
    }

    /// Waits for such days.
    async fn take(&self) -> BTreeSet<Date> {
        loop {
            let days = {
                let days = self.0.days.lock();
                std::mem::take(&mut *days.unwrap_or_else(PoisonError::into_inner))
            };
            if !days.is_empty() {
                return days;
            }
            self.0.changed.notified().await;
        }
    }
}

/// Counts what there is in the log, and what comes.
pub(super) async fn start(
    place: &Place,
    uncounted: Uncounted,
    clock: Clock,
    tasks: &TaskSet,
) -> Result<(), LogFailed> {
    metrics::describe();
    // Of any day the run before may have left something.
    for day in place.days().await? {
        uncounted.add(day);
    }
    let follower = Follower::open(place, uncounted, clock).await?;
    let stopping = tasks.stopping();
    tasks.spawn("telemetry", async move {
        follower.run(stopping).await;
        Ok(())
    });
    Ok(())
}

#[cfg(test)]
mod tests;
