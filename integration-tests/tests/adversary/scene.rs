//! A stack, the innocent, and what must hold after anything was done to them.

use std::sync::Once;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::caller::{self, Request};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::machine::{is_gone, raise_open_files};
use requestrocket_integration_tests::stack::{Stack, authority};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use crate::innocent::Innocent;
use crate::measure::{COLUMNS, Measured, row};

/// Whoever holds it has the stack for itself, so that a failure has one cause.
static TURN: Mutex<()> = Mutex::const_new(());

/// One case at a time on the stack that all share.
pub(crate) struct Scene {
    pub(crate) gateway: Gateway,
    pub(crate) innocent: Innocent,
    stack: &'static Stack,
    alone: Measured,
    _turn: MutexGuard<'static, ()>,
}

impl Scene {
    pub(crate) async fn new() -> Result<Self> {
        let turn = TURN.lock().await;
        raise_open_files()?;
        let stack = Gateway::shared_stack().await?;
        let gateway = Gateway::of(stack)?;
        let innocent = Innocent::new(&gateway).await?;
        let alone = innocent.alone().await?;
        Ok(Self {
            gateway,
            innocent,
            stack,
            alone,
            _turn: turn,
        })
    }

    /// Does something beside innocent calls, and looks at what became of them.
    pub(crate) async fn beside<T>(
        &self,
        case: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let before = self.watchdog_misses().await?;
        let outcome = self.innocent.beside(work).await;
        // Whatever failed, failed for this then.
        self.is_the_same_envoy().context(case.to_owned())?;
        let (done, beside) = outcome.context(case.to_owned())?;
        let misses = self.watchdog_misses().await?.saturating_sub(before);
        print(&row(case, &self.alone, &beside, misses));
        let failures = &beside.failures;
        ensure!(
            failures.is_empty(),
            "{case}: {} of {} innocent calls failed, first {:?}",
            failures.len(),
            beside.count(),
            failures.first()
        );
        self.innocent.witness.check().context(case.to_owned())?;
        Ok(done)
    }

    fn is_the_same_envoy(&self) -> Result<()> {
        ensure!(!is_gone(self.stack.envoy_pid()?), "Envoy ended");
        Ok(())
    }

    /// What Envoy has in use of its heap.
    pub(crate) async fn heap_bytes(&self) -> Result<u64> {
        let page = Request::get("/memory");
        let reply = caller::call(authority(self.stack.admin()?), &page).await?;
        let memory: Value = serde_json::from_str(&reply.text())?;
        let allocated = memory["allocated"].as_str().context("no bytes")?;
        Ok(allocated.parse()?)
    }

    /// How often a worker did not come back to its loop for half a second.
    async fn watchdog_misses(&self) -> Result<u64> {
        let page = Request::get("/stats?filter=worker_.*watchdog_miss");
        let reply = caller::call(authority(self.stack.admin()?), &page).await?;
        let text = reply.text();
        let counts = text.lines().filter_map(|line| line.rsplit_once(": "));
        counts
            .map(|(_, count)| Ok(count.trim().parse::<u64>()?))
            .sum()
    }
}

/// Whether the long form was asked for, as `make adversary` does.
pub(crate) fn is_long() -> bool {
    binaries::variable("REQUESTROCKET_TEST_ADVERSARY").is_some_and(|value| value == "long")
}

/// One of two, by the form.
pub(crate) fn sized<T>(short: T, long: T) -> T {
    if is_long() { long } else { short }
}

fn print(row: &str) {
    static HEAD: Once = Once::new();
    HEAD.call_once(|| eprintln!("{COLUMNS}\n|---|---|---|---|---|---|---|"));
    eprintln!("{row}");
}
