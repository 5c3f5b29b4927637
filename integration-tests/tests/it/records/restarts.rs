//! Records outlive the region server; none is lost while it is away for a moment, and what is lost
//! with one that is killed is counted.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use tokio::process::Command;

use crate::expect;

/// Calls that a worker numbered and nothing is known of.
const MISSING: &str = "rr_calls_without_record";

#[tokio::test]
async fn a_restart_of_the_region_server_loses_no_record() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let scene = Scene::start(&stack).await?;
    for _ in 0..2 {
        scene.call(40).await?;
        // At once: the last calls are still on their way, and it must take them before it goes.
        stack.terminate(stack.xds_pid()?).await?;
        scene.call(40).await?;
        stack.revive().await?;
    }
    scene.call(1).await?;
    let gateway = Gateway::of(&stack)?;
    // Also of calls that only seem to last until now.
    let missing = missing_of(&stack, &scene.proxy, 161.0).await?;
    ensure!(missing == 0.0, "{missing} calls have no record");
    let page = gateway.api.get("requests?limit=1").await?.succeeded()?;
    ensure!(page.json["completeness"]["lost"] == 0, "{}", page.text);
    verify(&stack).await
}

/// Nobody promises more: what a killed process had been told and not yet written is gone.
#[tokio::test]
async fn what_a_killed_region_server_had_not_written_is_known_to_be_missing() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let scene = Scene::start(&stack).await?;
    scene.call(40).await?;
    stack.kill(stack.xds_pid()?).await?;
    scene.call(40).await?;
    stack.revive().await?;
    // A gap shows when the worker has told of a later call.
    scene.call(40).await?;
    missing_of(&stack, &scene.proxy, 120.0).await?;
    verify(&stack).await
}

/// How many of so many calls have no record, once that is known of each.
async fn missing_of(stack: &Stack, proxy: &Proxy, calls: f64) -> Result<f64> {
    let gateway = Gateway::of(stack)?;
    let path = format!("proxies/{}/requests?limit=1000", proxy.id);
    wait::until("every call to have a record or to be missed", || async {
        let page = gateway.api.get(&path).await?.succeeded()?;
        let recorded = page.json["data"].as_array().map_or(0, Vec::len);
        let recorded = f64::from(u32::try_from(recorded)?);
        let missing = stack.region_metric(MISSING).await?;
        Ok(((recorded + missing - calls).abs() < 0.5).then_some(missing))
    })
    .await
}

/// A proxy and its caller.
struct Scene {
    gateway: Gateway,
    proxy: Proxy,
    _target: Target,
}

impl Scene {
    async fn start(stack: &Stack) -> Result<Self> {
        let gateway = Gateway::of(stack)?;
        let target = Target::unrecorded().await?;
        let proxy = gateway.proxy_to(&target.url()).await?;
        Ok(Self {
            gateway,
            proxy,
            _target: target,
        })
    }

    async fn call(&self, count: usize) -> Result<()> {
        for _ in 0..count {
            expect::ok(&self.gateway.call(&self.proxy.get("/")).await?)?;
        }
        Ok(())
    }
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
