//! Records outlive the region server, and none is lost while it is away for a moment.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use tokio::process::Command;

use crate::expect;

#[tokio::test]
async fn a_restart_of_the_region_server_loses_no_record() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::unrecorded().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut calls = 0;
    let mut call = async |count: usize| -> Result<()> {
        for _ in 0..count {
            expect::ok(&gateway.call(&proxy.get("/")).await?)?;
        }
        calls += count;
        Ok(())
    };
    for _ in 0..2 {
        call(40).await?;
        stack.kill(stack.xds_pid()?).await?;
        call(40).await?;
        stack.revive().await?;
    }
    call(1).await?;
    let gateway = Gateway::of(&stack)?;
    let records = super::all(&gateway, &proxy, calls).await?;
    ensure!(records.len() == 161, "{}", records.len());
    // Also of calls that only seem to last until now.
    let missing = stack.region_metric("rr_calls_without_record").await?;
    ensure!(missing == 0.0, "{missing} calls have no record");
    let page = gateway.api.get("requests?limit=1").await?.succeeded()?;
    ensure!(page.json["completeness"]["lost"] == 0, "{}", page.text);
    verify(&stack).await
}

/// Also while the server runs.
async fn verify(stack: &Stack) -> Result<()> {
    let folder = stack.data_dir().join("regions").join(&stack.region()?.name);
    let verify = Command::new(binaries::path("requestrocket-xds-server")?)
        .arg("--config")
        .arg(folder.join("settings.toml"))
        .args(["log", "verify"])
        .output();
    let verified = verify.await?;
    let said = String::from_utf8_lossy(&verified.stdout);
    ensure!(verified.status.success(), "{verified:?}");
    ensure!(said.lines().all(|day| day.contains(" ok: ")), "{said}");
    ensure!(!said.is_empty(), "no day");
    Ok(())
}
