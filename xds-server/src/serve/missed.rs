//! Looks for calls whose records never came.

use std::time::Duration;

use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;

use crate::access_log::CallLog;
use crate::notices::{HOUR_MS, NoticeRegister};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// Begins to look, until the process is to stop.
pub(super) fn start(log: &CallLog, notices: &NoticeRegister, clock: &Clock, tasks: &TaskSet) {
    let (log, notices, clock) = (log.clone(), notices.clone(), clock.clone());
    let stopping = tasks.stopping();
    tasks.spawn("missed calls", async move {
        loop {
            look(&log, &notices, clock.unix_ms());
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stopping.cancelled() => return Ok(()),
            }
        }
    });
}

/// At this hour and the one before, whose last calls are missed in this one.
fn look(log: &CallLog, notices: &NoticeRegister, now_ms: u64) {
    let hour_ms = now_ms - now_ms % HOUR_MS;
    for hour_ms in [hour_ms.saturating_sub(HOUR_MS), hour_ms] {
        let calls = log.lost(hour_ms..hour_ms.saturating_add(HOUR_MS));
        notices.lost(hour_ms, calls);
    }
}
