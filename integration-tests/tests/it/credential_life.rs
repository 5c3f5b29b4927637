//! The life of credentials: when they end, and how secrets give way to others.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use crate::callers::Want::{Granted, Invalid};
use crate::callers::judge;
use crate::expect;

const UNAVAILABLE: &str = "TARGET_CREDENTIAL_UNAVAILABLE";

/// So long from now, as the API writes it. A stack has the clock of its tests.
#[expect(
    clippy::disallowed_methods,
    reason = "these tests see the processes from outside, and so have no clock of theirs"
)]
pub(crate) fn moment(from_now: time::Duration) -> Result<String> {
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

/// A call with this key.
fn with_key(proxy: &Proxy, key: &str) -> Request {
    Request::get(&proxy.path("/in")).with("authorization", key)
}

/// Replaces the secret of the proxy's caller by a new key, on every Envoy.
async fn rotate(gateway: &Gateway, proxy: &Proxy, overlap_seconds: u64) -> Result<String> {
    let key = unique("rotated-key");
    let credential = format!("credentials/{}", proxy.credential_ids[0]);
    let patch = json!({
        "credentialSecret": { "key": key }, "rotation": { "overlapSeconds": overlap_seconds },
    });
    gateway.api.applied("PATCH", &credential, &patch).await?;
    Ok(key)
}

#[tokio::test]
async fn a_former_secret_lets_in_until_its_overlap_ends() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let first = || proxy.get("/in");
    let second = rotate(&gateway, &proxy, 3600).await?;
    judge(&gateway, &target, &first(), Granted).await?;
    judge(&gateway, &target, &with_key(&proxy, &second), Granted).await?;

    let previous = format!(
        "credentials/{}/previous?wait=applied",
        proxy.credential_ids[0]
    );
    let ended = gateway
        .api
        .raw("DELETE", &previous, &[], Vec::new())
        .await?;
    ensure!(ended.status == 204, "{}", ended.text);
    ensure!(ended.header("requestrocket-config-applied") == "true");
    judge(&gateway, &target, &first(), Invalid).await?;
    judge(&gateway, &target, &with_key(&proxy, &second), Granted).await?;

    // The end comes without anybody changing anything.
    let third = rotate(&gateway, &proxy, 1).await?;
    wait::until_within(
        Duration::from_secs(10),
        "the end of the overlap",
        || async {
            let reply = gateway.call(&with_key(&proxy, &second)).await?;
            Ok((reply.status == 403).then_some(()))
        },
    )
    .await?;
    judge(&gateway, &target, &with_key(&proxy, &third), Granted).await?;
    let fourth = rotate(&gateway, &proxy, 0).await?;
    judge(&gateway, &target, &with_key(&proxy, &third), Invalid).await?;
    judge(&gateway, &target, &with_key(&proxy, &fourth), Granted).await
}

#[tokio::test]
async fn no_call_fails_while_a_secret_gives_way_to_another() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut key = proxy.authorization.clone();
    for _ in 0..3 {
        let calling = async {
            for _ in 0..100 {
                expect::ok(&gateway.call(&with_key(&proxy, &key)).await?)?;
            }
            anyhow::Ok(())
        };
        let (called, next) = tokio::join!(calling, rotate(&gateway, &proxy, 60));
        called?;
        key = next?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_revoked_is_refused_by_every_envoy_within_a_second() -> Result<()> {
    let stack = Stack::start(&["--envoys-per-region", "2", "--envoy-threads", "1"]).await?;
    let gateways = Gateway::of_region(&stack, &stack.region()?.name)?;
    ensure!(gateways.len() == 2, "{:?}", stack.file.regions);
    let target = Target::start().await?;
    for revocation in ["inactive", "rotated", "deleted"] {
        let proxy = gateways[0].proxy_to(&target.url()).await?;
        for gateway in &gateways {
            judge(gateway, &target, &proxy.get("/in"), Granted).await?;
        }
        let path = format!("credentials/{}?wait=applied", proxy.credential_ids[0]);
        let (method, body) = match revocation {
            "inactive" => ("PATCH", json!({ "credentialActive": false })),
            "rotated" => (
                "PATCH",
                json!({ "credentialSecret": { "key": unique("key") } }),
            ),
            _ => ("DELETE", Value::Null),
        };
        let began = Instant::now();
        let answer = match method {
            "DELETE" => gateways[0].api.raw(method, &path, &[], Vec::new()).await?,
            _ => gateways[0].api.send(method, &path, &body).await?,
        };
        let took = began.elapsed();
        ensure!(answer.status < 300, "{revocation}: {}", answer.text);
        let applied = answer.header("requestrocket-config-applied");
        ensure!(applied == "true", "{revocation}: {applied}");
        for gateway in &gateways {
            judge(gateway, &target, &proxy.get("/in"), Invalid)
                .await
                .with_context(|| revocation.to_owned())?;
        }
        ensure!(took < Duration::from_secs(1), "{revocation} took {took:?}");
    }
    Ok(())
}

/// A target credential goes where its owner allows it; a change that sends it elsewhere is refused.
#[tokio::test]
async fn a_target_credential_stays_with_its_hosts() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let secret = unique("bound-to-its-host");
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key(&secret));
    let proxy = gateway.proxy(&plan).await?;
    let credential = format!("credentials/{}", proxy.target_credential_id);
    let hosts = json!({"credentialAllowedHosts": ["127.0.0.1", "*.example.com"]});
    gateway.api.applied("PATCH", &credential, &hosts).await?;
    expect::ok(&gateway.call(&proxy.get("/a")).await?)?;
    ensure!(
        target.last()?.head.all("authorization") == [secret.as_str()],
        "not given"
    );
    let elsewhere = json!({"credentialAllowedHosts": ["api.example.com"]});
    let answer = gateway.api.send("PATCH", &credential, &elsewhere).await?;
    ensure!(answer.status == 400, "{answer:?}");
    expect::ok(&gateway.call(&proxy.get("/b")).await?)
}

#[tokio::test]
async fn the_last_use_of_both_sides_is_shown_within_a_minute() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let ids = [&proxy.credential_ids[0], &proxy.target_credential_id];
    let used = async |id: &String| -> Result<Value> {
        let shown = gateway.api.get(&format!("credentials/{id}")).await?;
        Ok(shown.json["credentialLastUsedAt"].clone())
    };
    for id in ids {
        ensure!(used(id).await?.is_null(), "it was used by nobody");
    }
    // A wrong key is no use of any.
    judge(&gateway, &target, &with_key(&proxy, "wrong"), Invalid).await?;
    let before = moment(time::Duration::ZERO)?;
    judge(&gateway, &target, &proxy.get("/in"), Granted).await?;
    for id in ids {
        let at = wait::until_within(Duration::from_mins(1), "the last use", || async {
            Ok(used(id).await?.as_str().map(str::to_owned))
        })
        .await?;
        let [at, before] = [&at, &before].map(|text| OffsetDateTime::parse(text, &Rfc3339));
        // Shown in whole milliseconds.
        ensure!(at? + time::Duration::MILLISECOND >= before?, "{id}");
    }
    Ok(())
}
