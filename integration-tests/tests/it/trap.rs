//! F1 and F2: a trap inside the filter fails that request closed and nothing else.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use tokio::time::Instant;

use crate::expect;

/// The header on which a filter built with `trap-header` traps.
const TRAP: &str = "rr-test-trap";

/// The trapping build, from `cargo xtask wasm --trap`.
fn trapping_filter() -> Result<PathBuf> {
    if let Some(path) = binaries::variable("REQUESTROCKET_TEST_TRAP_WASM") {
        return Ok(path.into());
    }
    let target = binaries::folder()?
        .parent()
        .context("no target folder")?
        .to_owned();
    let path = target.join("filter/requestrocket_filter_trap.wasm");
    ensure!(
        path.exists(),
        "{} is missing: run `cargo xtask wasm --trap`",
        path.display()
    );
    Ok(path)
}

#[tokio::test]
async fn f1_a_trap_fails_closed_and_the_next_request_works() -> Result<()> {
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
        // F2: right after a trap nobody gets in without a credential.
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

/// F2: without a filter that loads, nothing is forwarded.
#[tokio::test]
async fn f2_a_filter_that_does_not_load_lets_nothing_through() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let broken = folder.path().join("broken.wasm");
    std::fs::write(&broken, b"\0asm\x01\0\0\0 not a module")?;
    // Either the stack refuses to start or it refuses every request.
    let Ok(stack) = Stack::start(&["--filter-wasm", &broken.to_string_lossy()]).await else {
        return Ok(());
    };
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    if let Ok(proxy) = gateway.proxy_to(&target.url()).await
        && let Ok(reply) = gateway.call(&proxy.get("/")).await
    {
        ensure!(reply.status >= 500, "{reply:?}");
    }
    ensure!(
        target.count() == 0,
        "the target was reached without a filter"
    );
    Ok(())
}
