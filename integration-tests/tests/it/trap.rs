//! F1 and F2: a trap inside the filter fails that request closed and nothing else.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;

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
    let stack = Stack::start(&["--filter-wasm", &filter.to_string_lossy()]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut recovered = 0;
    for round in 0..20 {
        let trapped = gateway
            .call(&proxy.get(&format!("/trapped/{round}")).with(TRAP, "1"))
            .await?;
        ensure!(
            matches!(trapped.status, 500 | 503),
            "round {round}: {trapped:?}"
        );
        let next = gateway.call(&proxy.get("/next")).await?;
        recovered += usize::from(next.status == 200);
        wait::until("the filter to work again", || async {
            Ok((gateway.call(&proxy.get("/later")).await?.status == 200).then_some(()))
        })
        .await?;
        // F2: after a trap nobody gets in without a credential.
        let stranger =
            requestrocket_integration_tests::caller::Request::get(&proxy.path("/stranger"));
        expect::denied(&gateway.call(&stranger).await?, 401, "CREDENTIAL_MISSING")?;
    }
    let leaked = target
        .requests()
        .into_iter()
        .find(|seen| seen.path().starts_with("/trapped") || seen.path() == "/stranger");
    ensure!(leaked.is_none(), "the target received {leaked:?}");
    ensure!(
        recovered >= 15,
        "only {recovered} of 20 next requests worked at once"
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
