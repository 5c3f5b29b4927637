//! Waiting for a state with a deadline, so that no test sleeps.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How long a state may take to come before a test gives up; generous, since it costs only failing tests.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks `probe` until it answers `Some`, at most [`PATIENCE`] long.
pub async fn until<T, F>(what: &str, probe: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    until_within(PATIENCE, what, probe).await
}

/// Asks `probe` until it answers `Some`; its last error is part of the final one.
pub async fn until_within<T, F>(
    limit: Duration,
    what: &str,
    mut probe: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + limit;
    let mut tick = interval(Duration::from_millis(15));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    while Instant::now() < end {
        tick.tick().await;
        match probe().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error).with_context(|| format!("waited {limit:?} for {what}")),
        None => bail!("waited {limit:?} for {what}"),
    }
}

/// Windows in which calls are counted, by their length in seconds. Days and months end when an hour
/// does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Minute = 60,
    Hour = 3_600,
}

/// Waits until the running window has this many seconds left, so that what a test counts does not
/// begin in one and end in the next. A stack has the clock of its tests.
#[expect(
    clippy::disallowed_methods,
    reason = "these tests see the processes from outside, and so have no clock of theirs"
)]
pub async fn for_window(window: Window, needed: u64) -> Result<()> {
    let limit = Duration::from_secs(needed) + PATIENCE;
    until_within(limit, "a fresh window", || async {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let left = window as u64 - now % window as u64;
        Ok((left >= needed).then_some(()))
    })
    .await
}

/// Gives `work` at most `limit`.
pub async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.with_context(|| what.to_owned()),
        Err(_) => bail!("{what}: not done within {limit:?}"),
    }
}
