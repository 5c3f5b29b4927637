//! Credentials that change under the caller: switched off, deleted, replaced.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use serde_json::json;
use tokio::time::Instant;

use crate::callers::Want::{Granted, Invalid};
use crate::callers::judge;

#[tokio::test]
async fn an_inactive_credential_is_as_good_as_a_wrong_one() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let credential = format!("credentials/{}", proxy.credential_ids[0]);
    for (active, want) in [(false, Invalid), (true, Granted)] {
        gateway
            .api
            .applied("PATCH", &credential, &json!({ "credentialActive": active }))
            .await?;
        judge(&gateway, &target, &proxy.get("/in"), want).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_credential_is_refused_within_a_second() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let secrets = [
        Secret::api_key(&unique("leaver")),
        Secret::api_key(&unique("stayer")),
    ];
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).callers(&secrets))
        .await?;
    let path = format!("credentials/{}", proxy.credential_ids[0]);
    let answer = gateway.api.raw("DELETE", &path, &[], Vec::new()).await?;
    let deleted = Instant::now();
    ensure!(answer.status == 204, "{}", answer.text);
    wait::until("the deleted credential to be refused", || async {
        Ok((gateway.call(&proxy.get("/in")).await?.status == 403).then_some(()))
    })
    .await?;
    ensure!(
        deleted.elapsed() < Duration::from_secs(1),
        "took {:?}",
        deleted.elapsed()
    );
    judge(&gateway, &target, &proxy.get("/in"), Invalid).await?;
    let stayer = Request::get(&proxy.path("/in")).with(
        "authorization",
        secrets[1].body["key"].as_str().context("key")?,
    );
    judge(&gateway, &target, &stayer, Granted).await?;
    let left = gateway
        .api
        .get(&format!("proxies/{}", proxy.id))
        .await?
        .succeeded()?
        .json;
    ensure!(
        left["proxyProxyCredentialIds"] == json!([proxy.credential_ids[1]]),
        "{left}"
    );
    Ok(())
}

#[tokio::test]
async fn a_new_secret_replaces_the_old_one() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let fresh = unique("rotated-key");
    let path = format!("credentials/{}", proxy.credential_ids[0]);
    gateway
        .api
        .applied(
            "PATCH",
            &path,
            &json!({ "credentialSecret": { "key": fresh } }),
        )
        .await?;
    judge(&gateway, &target, &proxy.get("/in"), Invalid).await?;
    let request = Request::get(&proxy.path("/in")).with("authorization", fresh);
    judge(&gateway, &target, &request, Granted).await
}
