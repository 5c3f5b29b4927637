//! Counts outlive the processes that keep them. Each test has its own stack.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use serde_json::json;

use super::{counting, used};
use crate::{expect, trap};

/// Calls until one is refused; how many were granted.
async fn exhaust(gateway: &Gateway, proxy: &Proxy, at_most: usize) -> Result<usize> {
    for granted in 0..at_most {
        let reply = gateway.call(&proxy.get("/")).await?;
        match reply.status {
            200 => {}
            429 => return Ok(granted),
            other => anyhow::bail!("{other}: {}", reply.text()),
        }
    }
    anyhow::bail!("{at_most} calls and no end")
}

async fn grant(gateway: &Gateway, proxy: &Proxy, calls: usize) -> Result<()> {
    for number in 0..calls {
        expect::ok(&gateway.call(&proxy.get("/")).await?)
            .with_context(|| format!("call {number}"))?;
    }
    Ok(())
}

/// A proxy on which nothing counts at `/probe`, and a meter on it.
async fn metered(gateway: &Gateway, target: &Target, limit: u32) -> Result<(Proxy, String)> {
    let proxy = gateway.proxy_to(&target.url()).await?;
    let rule = json!({ "effect": "deny", "path": { "pattern": "^/probe" } });
    gateway.rule(&proxy, Layer::Proxy, &rule).await?;
    let meter = counting(&json!({ "day": limit }));
    let meter = gateway.meter(&proxy, &meter).await?;
    Ok((proxy, meter))
}

/// An Envoy that just started has its configuration a moment later.
async fn serving(gateway: &Gateway, proxy: &Proxy) -> Result<()> {
    wait::until("the proxy to be served again", || async {
        let reply = gateway.call(&proxy.get("/probe")).await?;
        Ok((reply.code() == "RULE_DENIED").then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_restarted_envoy_forgets_nothing() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let (proxy, meter) = metered(&gateway, &target, 20).await?;
    let mut so_far = 0;
    for round in 1..=3 {
        grant(&Gateway::of(&stack)?, &proxy, 4).await?;
        so_far += 4;
        used(&Gateway::of(&stack)?, &proxy, &meter, f64::from(so_far)).await?;
        stack.kill(stack.envoy_pid()?).await?;
        stack.revive().await?;
        let gateway = Gateway::of(&stack)?;
        serving(&gateway, &proxy)
            .await
            .with_context(|| format!("round {round}"))?;
    }
    let gateway = Gateway::of(&stack)?;
    let rest = exhaust(&gateway, &proxy, 30).await?;
    ensure!(rest == 8, "{rest} more after 12 of 20");
    ensure!(
        target.count() == 20,
        "the target was asked {} times",
        target.count()
    );
    used(&gateway, &proxy, &meter, 20.0).await
}

#[tokio::test]
async fn a_restarted_region_server_forgets_nothing() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let (proxy, limited) = metered(&gateway, &target, 100).await?;
    let observed = gateway.meter(&proxy, &counting(&json!({}))).await?;
    grant(&gateway, &proxy, 10).await?;
    used(&gateway, &proxy, &limited, 10.0).await?;
    stack.kill(stack.xds_pid()?).await?;
    // The Envoy goes on with what it may still admit by itself.
    let mut meanwhile = 0;
    for _ in 0..20 {
        let reply = gateway.call(&proxy.get("/")).await?;
        ensure!(matches!(reply.status, 200 | 429), "{}", reply.status);
        meanwhile += u32::from(reply.status == 200);
    }
    stack.revive().await?;
    let admitted = f64::from(10 + meanwhile);
    used(&gateway, &proxy, &limited, admitted).await?;
    used(&gateway, &proxy, &observed, admitted).await?;
    let rest = exhaust(&gateway, &proxy, 120).await?;
    let total = u64::from(10 + meanwhile) + rest as u64;
    ensure!(total == 100, "{total} of 100 were admitted");
    ensure!(
        target.count() == 100,
        "the target was asked {} times",
        target.count()
    );
    used(&gateway, &proxy, &observed, 100.0).await
}

/// Shared data outlives the VM of a worker.
#[tokio::test]
async fn a_trap_resets_no_count() -> Result<()> {
    let filter = trap::trapping_filter()?;
    let filter = filter.to_string_lossy();
    let stack = Stack::start(&["--envoy-threads", "1", "--filter-wasm", &filter]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let (proxy, meter) = metered(&gateway, &target, 30).await?;
    let mut granted = 0;
    for _ in 0..5 {
        grant(&gateway, &proxy, 4).await?;
        granted += 4;
        let trapped = gateway.call(&proxy.get("/").with(trap::TRAP, "1")).await?;
        ensure!(matches!(trapped.status, 500 | 503), "{trapped:?}");
        serving(&gateway, &proxy).await?;
    }
    granted += exhaust(&gateway, &proxy, 30).await?;
    ensure!(granted == 30, "{granted} of 30 were admitted");
    used(&gateway, &proxy, &meter, 30.0).await
}

/// The region does not answer: a body that is longer than Envoy keeps waits all the same, and the
/// call is admitted or refused as without one.
#[tokio::test]
async fn a_region_that_is_silent_costs_no_upload() -> Result<()> {
    let stack = Stack::start(&["--no-restart"]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let (proxy, meter) = metered(&gateway, &target, 5).await?;
    grant(&gateway, &proxy, 2).await?;
    used(&gateway, &proxy, &meter, 2.0).await?;
    stack.freeze(stack.xds_pid()?)?;
    let upload = proxy.request("POST", "/up").body(vec![b'u'; 5 << 20]);
    let mut admitted = 2;
    for number in 0..5 {
        let reply = gateway.call(&upload).await?;
        match reply.status {
            200 => {
                admitted += 1;
                let seen = target.last()?;
                ensure!(
                    seen.complete && seen.body_length == 5 << 20,
                    "call {number}: not whole"
                );
            }
            429 => drop(expect::rate_limited(&reply, &meter, "day")?),
            other => anyhow::bail!("call {number}: {other} {}", reply.text()),
        }
    }
    ensure!(admitted <= 5, "{admitted} of 5 were admitted");
    stack.thaw(stack.xds_pid()?)?;
    let rest = exhaust(&gateway, &proxy, 10).await?;
    ensure!(
        admitted + rest == 5,
        "{admitted} and {rest} of 5 were admitted"
    );
    Ok(())
}
