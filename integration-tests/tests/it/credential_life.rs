//! The life of credentials: when they end.

use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::callers::Want::{Granted, Invalid};
use crate::callers::judge;
use crate::expect;

const UNAVAILABLE: &str = "TARGET_CREDENTIAL_UNAVAILABLE";

/// So long from now, as the API writes it. A stack has the clock of its tests.
#[expect(
    clippy::disallowed_methods,
    reason = "these tests see the processes from outside, and so have no clock of theirs"
)]
fn moment(from_now: time::Duration) -> Result<String> {
    Ok((OffsetDateTime::from(SystemTime::now()) + from_now).format(&Rfc3339)?)
}

/// Gives a credential an end, on every Envoy.
async fn end(gateway: &Gateway, credential: &str, end: &Value) -> Result<Value> {
    let credential = format!("credentials/{credential}");
    let patch = json!({ "credentialExpiresAt": end });
    Ok(gateway
        .api
        .applied("PATCH", &credential, &patch)
        .await?
        .json)
}

async fn unavailable(gateway: &Gateway, target: &Target, proxy: &Proxy) -> Result<()> {
    let before = target.count();
    let reply = gateway.call(&proxy.get("/in")).await?;
    expect::failed(&reply, 503, UNAVAILABLE)?;
    ensure!(target.count() == before, "the target was asked");
    Ok(())
}

#[tokio::test]
async fn a_callers_credential_lets_in_until_its_end() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let credential = &proxy.credential_ids[0];
    let later = moment(time::Duration::HOUR)?;
    end(&gateway, credential, &json!(later)).await?;
    judge(&gateway, &target, &proxy.get("/in"), Granted).await?;
    let past = moment(-time::Duration::SECOND)?;
    let shown = end(&gateway, credential, &json!(past)).await?;
    ensure!(shown["credentialStatus"] == "expired", "{shown}");
    judge(&gateway, &target, &proxy.get("/in"), Invalid).await?;
    end(&gateway, credential, &Value::Null).await?;
    judge(&gateway, &target, &proxy.get("/in"), Granted).await?;

    // The end comes without anybody changing anything.
    let soon = moment(time::Duration::SECOND)?;
    end(&gateway, credential, &json!(soon)).await?;
    wait::until_within(Duration::from_secs(10), "the end", || async {
        let reply = gateway.call(&proxy.get("/in")).await?;
        Ok((reply.status == 403).then_some(()))
    })
    .await?;
    judge(&gateway, &target, &proxy.get("/in"), Invalid).await
}

#[tokio::test]
async fn a_target_gets_its_credential_until_its_end() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let credential = &proxy.target_credential_id;
    let past = moment(-time::Duration::SECOND)?;
    end(&gateway, credential, &json!(past)).await?;
    unavailable(&gateway, &target, &proxy).await?;
    let later = moment(time::Duration::HOUR)?;
    end(&gateway, credential, &json!(later)).await?;
    judge(&gateway, &target, &proxy.get("/in"), Granted).await?;
    let soon = moment(time::Duration::SECOND)?;
    end(&gateway, credential, &json!(soon)).await?;
    wait::until_within(Duration::from_secs(10), "the end", || async {
        let reply = gateway.call(&proxy.get("/in")).await?;
        Ok((reply.status == 503).then_some(()))
    })
    .await?;
    unavailable(&gateway, &target, &proxy).await
}
