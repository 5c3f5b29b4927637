//! A trap inside the filter fails that request closed and nothing else.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::http;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use tokio::time::Instant;

use crate::expect;

/// The header on which a filter built with `trap-header` traps.
pub(crate) const TRAP: &str = "rr-test-trap";

/// Where `cargo xtask wasm` puts the filter.
fn filter_folder() -> Result<PathBuf> {
    let programs = binaries::folder()?;
    Ok(programs
        .parent()
        .context("no target folder")?
        .join("filter"))
}

/// The trapping build, from `cargo xtask wasm --trap`.
pub(crate) fn trapping_filter() -> Result<PathBuf> {
    let path = filter_folder()?.join("requestrocket_filter_trap.wasm");
    ensure!(
        path.exists(),
        "{} is missing: run `make it`",
        path.display()
    );
    Ok(path)
}

#[tokio::test]
async fn a_trap_fails_closed_and_the_next_request_works() -> Result<()> {
    let filter = trapping_filter()?;
    // One worker: every request meets the VM that trapped.
    let arguments = [
        "--envoy-threads",
        "1",
        "--filter-wasm",
        &filter.to_string_lossy(),
    ];
    let stack = Stack::start(&arguments).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut recoveries = Vec::new();
    for round in 0..21 {
        let trap = proxy.get(&format!("/trapped/{round}")).with(TRAP, "1");
        let trapped = gateway.call(&trap).await?;
        ensure!(
            matches!(trapped.status, 500 | 503),
            "round {round}: {trapped:?}"
        );
        ensure!(
            trapped.body.is_empty(),
            "a gateway fault is bare: {trapped:?}"
        );
        // Right after a trap nobody gets in without a credential.
        let stranger = gateway
            .call(&Request::get(&proxy.path("/stranger")))
            .await?;
        ensure!(matches!(stranger.status, 401 | 500 | 503), "{stranger:?}");
        let trapped_at = Instant::now();
        wait::until("the filter to work again", || async {
            Ok((gateway.call(&proxy.get("/next")).await?.status == 200).then_some(()))
        })
        .await?;
        recoveries.push(trapped_at.elapsed());
        let stranger = gateway
            .call(&Request::get(&proxy.path("/stranger")))
            .await?;
        expect::denied(&stranger, 401, "CREDENTIAL_MISSING")?;
    }
    let paths = target
        .requests()
        .into_iter()
        .map(|seen| seen.path().to_owned());
    let leaked = paths.into_iter().find(|path| path != "/next");
    ensure!(leaked.is_none(), "the target received {leaked:?}");
    recoveries.sort_unstable();
    ensure!(
        recoveries[10] < Duration::from_millis(50),
        "back after {recoveries:?}"
    );
    Ok(())
}

/// An Envoy that cannot load the filter serves nothing, and says so.
#[tokio::test]
async fn without_a_filter_that_loads_nothing_is_forwarded() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let filter = folder.path().join("filter.wasm");
    std::fs::copy(filter_folder()?.join("requestrocket_filter.wasm"), &filter)?;
    let arguments = ["--no-restart", "--filter-wasm", &filter.to_string_lossy()];
    let stack = Stack::start(&arguments).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    expect::ok(&gateway.call(&proxy.get("/")).await?)?;
    std::fs::write(&filter, b"\0asm\x01\0\0\0 not a module")?;
    stack.kill(stack.envoy_pid()?).await?;
    // It never becomes ready, so there is nothing to wait for but its own word.
    stack.wake()?;
    let rejected = "listener_manager.lds.update_rejected";
    wait::until("Envoy to refuse the listener", || async {
        let stats = admin(&stack, &format!("/stats?filter={rejected}")).await?;
        let count = stats
            .rsplit(' ')
            .next()
            .and_then(|text| text.trim().parse::<u64>().ok());
        Ok(count.is_some_and(|count| count > 0).then_some(()))
    })
    .await?;
    if let Ok(reply) = Gateway::of(&stack)?.call(&proxy.get("/")).await {
        ensure!(reply.status >= 500, "{reply:?}");
    }
    ensure!(
        target.count() == 1,
        "the target was reached without a filter"
    );
    Ok(())
}

async fn admin(stack: &Stack, page: &str) -> Result<String> {
    let client = http::client().build()?;
    let answer = client
        .get(format!("{}{page}", stack.admin()?))
        .send()
        .await?;
    Ok(answer.text().await?)
}
