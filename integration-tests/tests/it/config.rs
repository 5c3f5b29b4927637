//! From the Core API's answer to enforcement, without a failed request elsewhere.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::target::{Target, respond};
use requestrocket_integration_tests::traffic::Traffic;
use serde_json::{Value, json};

use crate::expect;

#[tokio::test]
async fn what_was_applied_is_enforced_at_once() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let first = Target::answering(|_| respond("200 OK", &[], b"first")).await?;
    let second = Target::answering(|_| respond("200 OK", &[], b"second")).await?;
    for _ in 0..20 {
        let proxy = gateway.proxy_to(&first.url()).await?;
        assert_eq!(gateway.call(&proxy.get("/")).await?.text(), "first");
        let path = format!("targets/{}", proxy.target_id);
        gateway
            .api
            .applied("PATCH", &path, &json!({ "targetBaseURL": second.url() }))
            .await?;
        assert_eq!(gateway.call(&proxy.get("/")).await?.text(), "second");
        gateway
            .api
            .applied("DELETE", &format!("proxies/{}", proxy.id), &Value::Null)
            .await?;
        expect::denied(
            &gateway.call(&proxy.get("/")).await?,
            403,
            "CREDENTIAL_INVALID",
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn put_and_patch_change_what_they_name_on_the_wire() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let other = gateway.target(&format!("{}/other", target.url())).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let path = format!("proxies/{}", proxy.id);
    gateway
        .api
        .applied(
            "PATCH",
            &path,
            &json!({ "proxyTargetId": other["targetId"] }),
        )
        .await?;
    expect::ok(&gateway.call(&proxy.get("/x")).await?)?;
    assert_eq!(target.last()?.path(), "/other/x");
    let body = json!({
        "proxyName": "put", "proxyRegion": gateway.region, "proxyProxyCredentialIds": proxy.credential_ids,
        "proxyTargetId": proxy.target_id, "proxyTargetCredentialId": proxy.target_credential_id,
    });
    gateway.api.applied("PUT", &path, &body).await?;
    expect::ok(&gateway.call(&proxy.get("/y")).await?)?;
    assert_eq!(target.last()?.path(), "/y");
    let none = json!({ "proxyProxyCredentialIds": [] });
    let answer = gateway.api.send("PATCH", &path, &none).await?;
    ensure!(
        answer.status == 400,
        "a proxy needs a credential: {}",
        answer.text
    );
    let fresh = gateway
        .credential("proxy", &Secret::api_key("the-only-one-now"))
        .await?;
    let only = json!({ "proxyProxyCredentialId": fresh["credentialId"] });
    gateway.api.applied("PATCH", &path, &only).await?;
    expect::denied(
        &gateway.call(&proxy.get("/")).await?,
        403,
        "CREDENTIAL_INVALID",
    )?;
    let request = Request::get(&proxy.path("/")).with("authorization", "the-only-one-now");
    expect::ok(&gateway.call(&request).await?)
}

/// No blip on proxies that were not touched.
#[tokio::test]
async fn x11_two_hundred_changes_do_not_fail_one_request_elsewhere() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let innocent = gateway.proxy_to(&target.url()).await?;
    let traffic = Traffic::start(&gateway.address, &innocent.get("/steady"), 4);
    traffic.more(20).await?;
    let mut changes = 0;
    while changes < 200 {
        let proxy = gateway.proxy_to(&target.url()).await?;
        let path = format!("proxies/{}", proxy.id);
        for body in [
            json!({ "proxyTimeoutSeconds": 5 }),
            json!({ "proxyAlias": unique("busy") }),
            json!({ "proxyActive": false }),
            json!({ "proxyActive": true }),
        ] {
            gateway.api.send("PATCH", &path, &body).await?.succeeded()?;
        }
        let target_path = format!("targets/{}", proxy.target_id);
        gateway
            .api
            .send(
                "PATCH",
                &target_path,
                &json!({ "targetBaseURL": format!("{}/v2", target.url()) }),
            )
            .await?
            .succeeded()?;
        gateway.api.applied("DELETE", &path, &Value::Null).await?;
        // Two credentials, a target and a proxy were made too.
        changes += 10;
    }
    traffic.more(20).await?;
    let granted = traffic.finish().await?;
    ensure!(granted > 100, "only {granted} requests went through");
    Ok(())
}

/// The changed proxy itself: a change that keeps it valid fails no request of its own.
#[tokio::test]
async fn a_proxy_under_load_can_be_changed_without_a_failed_request() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let traffic = Traffic::start(&gateway.address, &proxy.get("/busy"), 2);
    traffic.more(20).await?;
    for round in 0..30 {
        let body = json!({ "proxyTimeoutSeconds": 10 + round, "proxyName": unique("renamed") });
        gateway
            .api
            .applied("PATCH", &format!("proxies/{}", proxy.id), &body)
            .await?;
        traffic.more(2).await?;
    }
    traffic.finish().await?;
    Ok(())
}

#[tokio::test]
async fn status_names_the_version_each_node_has() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let answer = gateway
        .api
        .applied(
            "PATCH",
            &format!("proxies/{}", proxy.id),
            &json!({ "proxyName": "seen" }),
        )
        .await?;
    let version: u64 = answer
        .header("requestrocket-config-version")
        .parse()
        .context("config version")?;
    let status = gateway.api.status(&proxy.id).await?;
    assert_eq!(status["proxyId"], json!(proxy.id));
    assert_eq!(status["proxyStatus"], "applied");
    ensure!(
        status["desiredVersion"]
            .as_u64()
            .is_some_and(|desired| desired <= version),
        "{status}"
    );
    let nodes = status["nodes"].as_array().context("nodes")?;
    ensure!(nodes.len() == 1, "{status}");
    let node = &nodes[0];
    ensure!(
        node["connected"] == true && node["state"] == "acknowledged",
        "{status}"
    );
    ensure!(
        node["version"].as_u64() >= status["desiredVersion"].as_u64(),
        "{status}"
    );
    ensure!(
        node["rejection"].is_null() && node["at"].is_string(),
        "{status}"
    );
    let listed = gateway
        .api
        .get(&format!("proxies/{}", proxy.id))
        .await?
        .succeeded()?
        .json;
    assert_eq!(listed["proxyStatus"], "applied");
    let regions = gateway.api.get("/regions").await?.succeeded()?.json;
    let region = &regions["data"][0];
    ensure!(
        region["regionConnected"] == true && region["envoys"] == 1,
        "{regions}"
    );
    ensure!(
        region["regionBaseURL"].as_str().is_some_and(
            |url| listed["proxyBaseURL"].as_str() == Some(&format!("{url}/api/{}", proxy.id))
        ),
        "{listed}"
    );
    Ok(())
}

#[tokio::test]
async fn unknown_waits_are_refused_and_versions_grow() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy(&ProxyPlan::to(&target.url())).await?;
    let path = format!("proxies/{}", proxy.id);
    for wait in [
        "wait=done",
        "wait=applied&waitSeconds=0",
        "wait=applied&waitSeconds=31",
        "wait=applied&waitSeconds=x",
    ] {
        let answer = gateway
            .api
            .send(
                "PATCH",
                &format!("{path}?{wait}"),
                &json!({ "proxyName": "n" }),
            )
            .await?;
        ensure!(answer.status == 400, "{wait}: {}", answer.status);
    }
    let mut last = 0;
    for _ in 0..3 {
        let answer = gateway
            .api
            .send("PATCH", &path, &json!({ "proxyName": unique("n") }))
            .await?
            .succeeded()?;
        let version: u64 = answer.header("requestrocket-config-version").parse()?;
        ensure!(version > last, "{version} after {last}");
        last = version;
    }
    Ok(())
}
