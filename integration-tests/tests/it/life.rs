//! Processes die and come back; traffic and configuration survive. Each test has its own stack.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::traffic::Traffic;
use requestrocket_integration_tests::wait;
use serde_json::json;

use crate::expect;

const OUTAGE: [&str; 1] = ["--no-restart"];

#[tokio::test]
async fn killing_core_api_changes_nothing_for_traffic() -> Result<()> {
    let mut stack = Stack::start(&OUTAGE).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let traffic = Traffic::start(&gateway.address, &proxy.get("/steady"), 2);
    traffic.more(20).await?;
    stack.kill(stack.file.pids.core_api).await?;
    traffic.more(200).await?;
    ensure!(
        gateway.api.get("/readyz").await.is_err(),
        "core-api still answers"
    );
    stack.revive().await?;
    traffic.more(50).await?;
    traffic.finish().await?;
    // The region dials again by itself and changes arrive.
    let path = format!("proxies/{}", proxy.id);
    gateway
        .api
        .send("PATCH", &path, &json!({ "proxyActive": false }))
        .await?
        .succeeded()?;
    wait::until("the change to arrive", || async {
        Ok((gateway.call(&proxy.get("/")).await?.status == 403).then_some(()))
    })
    .await
}

#[tokio::test]
async fn killing_xds_server_changes_nothing_and_changes_made_meanwhile_arrive() -> Result<()> {
    let mut stack = Stack::start(&OUTAGE).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let kept = gateway.proxy_to(&target.url()).await?;
    let changed = gateway.proxy_to(&target.url()).await?;
    let traffic = Traffic::start(&gateway.address, &kept.get("/steady"), 2);
    traffic.more(20).await?;
    stack.kill(stack.xds_pid()?).await?;
    traffic.more(200).await?;
    let path = format!("proxies/{}?wait=applied&waitSeconds=1", changed.id);
    let answer = gateway
        .api
        .send("PATCH", &path, &json!({ "proxyActive": false }))
        .await?
        .succeeded()?;
    ensure!(
        answer.header("requestrocket-config-applied") != "true",
        "applied by a dead region"
    );
    let fresh = gateway
        .credential("proxy", &Secret::api_key("made-in-the-outage"))
        .await?;
    let added =
        json!({ "proxyProxyCredentialIds": [kept.credential_ids[0], fresh["credentialId"]] });
    gateway
        .api
        .send("PATCH", &format!("proxies/{}", kept.id), &added)
        .await?
        .succeeded()?;
    expect::ok(&gateway.call(&changed.get("/")).await?).context("the last good configuration")?;
    stack.revive().await?;
    wait::until("the change to arrive", || async {
        Ok((gateway.call(&changed.get("/")).await?.code() == "PROXY_INACTIVE").then_some(()))
    })
    .await?;
    let request = requestrocket_integration_tests::caller::Request::get(&kept.path("/"))
        .with("authorization", "made-in-the-outage");
    wait::until("the new credential to arrive", || async {
        Ok((gateway.call(&request).await?.status == 200).then_some(()))
    })
    .await?;
    traffic.more(50).await?;
    traffic.finish().await?;
    Ok(())
}

#[tokio::test]
async fn a_restarted_envoy_recovers() -> Result<()> {
    let mut stack = Stack::start(&OUTAGE).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key("still-injected"));
    let proxy = gateway.proxy(&plan).await?;
    stack.kill(stack.envoy_pid()?).await?;
    ensure!(
        gateway.call(&proxy.get("/")).await.is_err(),
        "a dead Envoy answered"
    );
    stack.revive().await?;
    served_again(&Gateway::of(&stack)?, &proxy).await?;
    assert_eq!(target.last()?.head.all("authorization"), ["still-injected"]);
    Ok(())
}

/// The region lives from what it stored itself, secrets included.
#[tokio::test]
async fn region_and_envoy_start_again_while_the_control_plane_is_away() -> Result<()> {
    let mut stack = Stack::start(&OUTAGE).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key("from-the-regions-store"));
    let proxy = gateway.proxy(&plan).await?;
    let core_api = stack.file.pids.core_api;
    stack.freeze(core_api)?;
    stack.kill(stack.xds_pid()?).await?;
    stack.kill(stack.envoy_pid()?).await?;
    stack.revive().await?;
    served_again(&Gateway::of(&stack)?, &proxy).await?;
    assert_eq!(
        target.last()?.head.all("authorization"),
        ["from-the-regions-store"]
    );
    stack.thaw(core_api)?;
    let gateway = Gateway::of(&stack)?;
    connected_again(&gateway).await?;
    let fresh = gateway.proxy_to(&target.url()).await?;
    expect::ok(&gateway.call(&fresh.get("/")).await?)
}

#[tokio::test]
async fn a_child_that_dies_is_started_again() -> Result<()> {
    let mut stack = Stack::start(&[]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for pid in [
        stack.envoy_pid()?,
        stack.xds_pid()?,
        stack.file.pids.core_api,
    ] {
        stack.kill(pid).await?;
        wait::until("a new process in stack.json", || {
            let reread = stack.reread();
            let pids = [
                stack.envoy_pid(),
                stack.xds_pid(),
                Ok(stack.file.pids.core_api),
            ];
            async move {
                reread?;
                Ok(pids
                    .into_iter()
                    .flatten()
                    .all(|found| found != pid)
                    .then_some(()))
            }
        })
        .await?;
        served_again(&Gateway::of(&stack)?, &proxy).await?;
    }
    let gateway = Gateway::of(&stack)?;
    connected_again(&gateway).await?;
    let other = gateway.proxy_to(&target.url()).await?;
    expect::ok(&gateway.call(&other.get("/")).await?)
}

#[tokio::test]
async fn restarting_the_whole_stack_loses_nothing() -> Result<()> {
    survives_a_restart(&[]).await
}

/// On the server that `scripts/with-postgres` starts for `make it`.
#[tokio::test]
async fn restarting_the_whole_stack_on_postgresql_loses_nothing() -> Result<()> {
    let url = binaries::variable("REQUESTROCKET_TEST_POSTGRES_URL")
        .context("run this through `make it`, which starts a PostgreSQL")?;
    survives_a_restart(&["--database-url", &url]).await
}

/// A proxy that has used five calls of seven, as far as the region knows.
async fn five_of_seven(gateway: &Gateway, target: &Target) -> Result<Proxy> {
    let limit = json!({ "meterName": "m", "meterType": "request_count", "limits": { "day": 7 } });
    let counted = gateway.proxy_to(&target.url()).await?;
    let meter = gateway.meter(&counted, &limit).await?;
    for _ in 0..5 {
        expect::ok(&gateway.call(&counted.get("/")).await?)?;
    }
    wait::until("the region to know of five", || async {
        Ok((gateway.used(&counted, &meter, "day").await? > 4.5).then_some(()))
    })
    .await?;
    Ok(counted)
}

async fn survives_a_restart(arguments: &[&str]) -> Result<()> {
    let mut stack = Stack::start(arguments).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let plan = ProxyPlan::to(&target.url())
        .injecting(Secret::api_key("durable-key"))
        .with("proxyTimeoutSeconds", 7);
    let proxy = gateway.proxy(&plan).await?;
    let counted = five_of_seven(&gateway, &target).await?;
    let revoked = gateway.proxy_to(&target.url()).await?;
    let credential = format!("credentials/{}", revoked.credential_ids[0]);
    gateway
        .api
        .applied("DELETE", &credential, &json!(null))
        .await?;
    let before = gateway
        .api
        .get(&format!("proxies/{}", proxy.id))
        .await?
        .succeeded()?;
    let old = stack.file.clone();
    stack.restart(arguments).await?;
    assert_eq!(
        (&stack.file.user_token, &stack.file.client_id),
        (&old.user_token, &old.client_id)
    );
    let gateway = Gateway::of(&stack)?;
    served_again(&gateway, &proxy).await?;
    assert_eq!(target.last()?.head.all("authorization"), ["durable-key"]);
    expect::denied(
        &gateway.call(&revoked.get("/")).await?,
        403,
        "CREDENTIAL_INVALID",
    )?;
    // Two of seven are left.
    for wanted in [200, 200, 429] {
        let reply = gateway.call(&counted.get("/")).await?;
        ensure!(reply.status == wanted, "{} {}", reply.status, reply.text());
    }
    let after = gateway
        .api
        .get(&format!("proxies/{}", proxy.id))
        .await?
        .succeeded()?;
    for member in [
        "proxyName",
        "proxyTimeoutSeconds",
        "createdAt",
        "updatedAt",
        "proxyProxyCredentialIds",
    ] {
        assert_eq!(after.json[member], before.json[member], "{member}");
    }
    let fresh = gateway.proxy_to(&target.url()).await?;
    expect::ok(&gateway.call(&fresh.get("/")).await?)
}

/// An Envoy that just started has its configuration a moment later.
async fn served_again(gateway: &Gateway, proxy: &Proxy) -> Result<()> {
    wait::until("the proxy to be served again", || async {
        let reply = gateway.call(&proxy.get("/")).await?;
        Ok((reply.status == 200).then_some(()))
    })
    .await
}

/// The region reports to the Core API, and an Envoy to the region.
async fn connected_again(gateway: &Gateway) -> Result<()> {
    wait::until("the region to be connected again", || async {
        let regions = gateway.api.get("/regions").await?.succeeded()?.json;
        let region = &regions["data"][0];
        let is_whole = region["regionConnected"] == true && region["envoys"] == 1;
        Ok(is_whole.then_some(()))
    })
    .await
}
