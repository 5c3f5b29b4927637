//! What only a region sees is told to people, each within 15 s of its cause and once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, id, unique};
use requestrocket_integration_tests::target::{Target, answer, respond};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::expect;

/// Within this everybody is told.
const SOON: Duration = Duration::from_secs(15);

/// What the organisation was told about that record, the oldest first.
async fn told(gateway: &Gateway, resource: &str) -> Result<Vec<Value>> {
    let list = "notifications?limit=100&order=asc";
    let page = gateway.api.get(list).await?.json;
    let all = page["data"].as_array().into_iter().flatten();
    let about = all.filter(|one| one["resource"]["id"] == resource);
    Ok(about.cloned().collect())
}

async fn kinds(gateway: &Gateway, resource: &str) -> Result<Vec<String>> {
    let told = told(gateway, resource).await?;
    told.iter().map(|one| id(one, "kind")).collect()
}

/// Waits until it was told these kinds.
async fn until_told(gateway: &Gateway, resource: &str, want: &[&str]) -> Result<()> {
    wait::until_within(SOON, &format!("{want:?}"), || async {
        let kinds = kinds(gateway, resource).await?;
        ensure!(kinds.len() <= want.len(), "{kinds:?}");
        Ok((kinds == want).then_some(()))
    })
    .await
}

/// So many calls, which are granted.
async fn granted(gateway: &Gateway, proxy: &Proxy, calls: usize) -> Result<()> {
    for _ in 0..calls {
        expect::ok(&gateway.call(&proxy.get("/")).await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_meter_is_told_of_near_its_limit_and_at_it_once() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| respond("200 OK", &[], b"")).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let meter = json!({
        "meterName": "Calls", "meterType": "request_count", "limits": {"month": 10},
    });
    let meter = gateway.meter(&proxy, &meter).await?;
    granted(&gateway, &proxy, 7).await?;
    granted(&gateway, &proxy, 1).await?;
    until_told(&gateway, &meter, &["meter-near-limit"]).await?;
    granted(&gateway, &proxy, 2).await?;
    expect::rate_limited(&gateway.call(&proxy.get("/")).await?, &meter, "month")?;
    until_told(&gateway, &meter, &["meter-near-limit", "meter-exceeded"]).await?;
    for one in told(&gateway, &meter).await? {
        ensure!(
            one["type"] == "client" && one["resource"]["type"] == "meter",
            "{one}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_target_that_sends_a_secret_back_is_told_of_once() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let given = request.head.all("authorization").join(",");
        respond("200 OK", &[("x-given", &given)], b"")
    })
    .await?;
    let secret = unique("canary-echoed");
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key(&secret));
    let proxy = gateway.proxy(&plan).await?;
    granted(&gateway, &proxy, 3).await?;
    let credential = proxy.target_credential_id.clone();
    until_told(&gateway, &credential, &["secret-echo"]).await?;
    let said = told(&gateway, &credential).await?;
    ensure!(!json!(said).to_string().contains(&secret), "{said:?}");
    ensure!(said[0]["severity"] == "critical", "{said:?}");
    Ok(())
}

#[tokio::test]
async fn a_provider_that_gives_no_token_is_told_of_and_so_is_its_return() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let is_well = Arc::new(AtomicBool::new(false));
    let well = Arc::clone(&is_well);
    let provider = Target::answering(move |_| {
        if well.load(Ordering::SeqCst) {
            answer::json(json!({"access_token": "t1", "expires_in": 3600}).to_string())
        } else {
            respond("503 Service Unavailable", &[], b"")
        }
    })
    .await?;
    let secret = json!({
        "grantType": "client_credentials", "tokenUrl": format!("{}/token", provider.url()),
        "clientId": "me", "clientSecret": "canary-client-secret",
    });
    let credential = gateway
        .credential("target", &Secret::new("oauth2", secret))
        .await?;
    let credential = id(&credential, "credentialId")?;
    until_told(&gateway, &credential, &["credential-failing"]).await?;
    is_well.store(true, Ordering::SeqCst);
    let both = ["credential-failing", "credential-recovered"];
    // The next attempt may be half a minute off.
    wait::until_within(Duration::from_mins(1), "its return", || async {
        Ok((kinds(&gateway, &credential).await? == both).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_second_secret_that_targets_refuse_is_told_of() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        if request
            .head
            .all("authorization")
            .join(",")
            .contains("second-secret")
        {
            respond("401 Unauthorized", &[], b"")
        } else {
            respond("200 OK", &[], b"")
        }
    })
    .await?;
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key(&unique("first-secret")));
    let proxy = gateway.proxy(&plan).await?;
    granted(&gateway, &proxy, 1).await?;
    let next = json!({ "credentialSecret": {"key": unique("second-secret")}, "switchAt": null });
    let path = format!("credentials/{}", proxy.target_credential_id);
    let body = json!({ "credentialNext": next });
    gateway.api.applied("PATCH", &path, &body).await?;
    let switch = json!({ "slot": "next" });
    gateway
        .api
        .applied("POST", &format!("{path}/switch"), &switch)
        .await?;
    for _ in 0..5 {
        let refused = gateway.call(&proxy.get("/")).await?;
        ensure!(refused.status == 401, "{}", refused.status);
    }
    let want = ["credential-switched-back"];
    until_told(&gateway, &proxy.target_credential_id, &want).await
}
