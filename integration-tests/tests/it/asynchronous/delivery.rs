//! How a request gets to its target, and what its caller is told of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::target::answer::json as answer;
use requestrocket_integration_tests::target::{Target, respond};
use serde_json::json;

use super::{about, accepted, ended, later, text};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn the_target_gets_its_credential_and_the_caller_a_redacted_answer() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| answer("{\"shown\":1,\"hidden\":2}")).await?;
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::new(
        "bearer",
        json!({ "token": "target-token-of-this-test" }),
    ));
    let proxy = gateway.proxy(&plan).await?;
    let filter = json!({ "operation": "destroy", "paths": ["$.hidden"] });
    let path = format!("proxies/{}/filters", proxy.id);
    gateway.api.applied("POST", &path, &filter).await?;
    let request = later(&proxy, "PUT", "/x").with("x-own", "1").body("{}");
    let id = accepted(&gateway, &request).await?;
    let status = ended(&gateway, &proxy, &id).await?;
    ensure!(status["status"] == "succeeded", "{status}");
    ensure!(status["response"]["status"] == 200, "{status}");
    // {"shown":1}
    ensure!(status["response"]["body"] == "eyJzaG93biI6MX0=", "{status}");
    ensure!(
        status["attempts"].as_array().map(Vec::len) == Some(1),
        "{status}"
    );
    let seen = &target.requests()[0];
    let authorization = seen.head.all("authorization");
    ensure!(
        authorization == ["Bearer target-token-of-this-test"],
        "{authorization:?}"
    );
    ensure!(seen.head.all("x-own") == ["1"], "{seen:?}");
    // The caller's address, and nobody behind it.
    ensure!(
        seen.head.all("x-forwarded-for") == ["127.0.0.1"],
        "{seen:?}"
    );
    let lines = format!("{:?}", seen.head).to_ascii_lowercase();
    ensure!(
        !lines.contains("x-rr-") && !lines.contains("requestrocket-"),
        "{lines}"
    );
    Ok(())
}

#[tokio::test]
async fn a_target_that_is_down_is_asked_again() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // Asked at the head of a request, and again at its end.
    let target = Target::answering(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => respond("503 Service Unavailable", &[JSON], b"{}"),
        _ => respond("200 OK", &[JSON], b"{}"),
    });
    let target = target.await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let id = accepted(&gateway, &later(&proxy, "POST", "/x").body("a")).await?;
    let status = ended(&gateway, &proxy, &id).await?;
    ensure!(status["status"] == "succeeded", "{status}");
    ensure!(status["attempts"][0]["status"] == 503, "{status}");
    ensure!(status["attempts"][1]["status"] == 200, "{status}");
    let keys: Vec<_> = target
        .requests()
        .iter()
        .map(|it| it.head.all("idempotency-key"))
        .collect();
    ensure!(keys == [vec![id.clone()], vec![id]], "{keys:?}");
    Ok(())
}

#[tokio::test]
async fn who_may_no_longer_call_is_not_called_for() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let down = respond("503 Service Unavailable", &[("retry-after", "3")], b"");
    let target = Target::answering(move |_| down.clone()).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let other = gateway.proxy_to(&target.url()).await?;
    let id = accepted(&gateway, &later(&proxy, "POST", "/x").body("a")).await?;
    target.wait_for("the first attempt", |_| true).await?;
    let credentials = json!({ "proxyProxyCredentialIds": other.credential_ids });
    gateway
        .api
        .applied("PATCH", &format!("proxies/{}", proxy.id), &credentials)
        .await?;
    // Only whoever may use the proxy now may ask.
    let mut asking = proxy.clone();
    asking.authorization.clone_from(&other.authorization);
    let status = ended(&gateway, &asking, &id).await?;
    ensure!(status["status"] == "failed", "{status}");
    ensure!(target.count() == 1, "{:?}", target.requests());
    Ok(())
}

#[tokio::test]
async fn a_request_that_waits_can_be_had_back() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let down = respond("503 Service Unavailable", &[("retry-after", "60")], b"");
    let target = Target::answering(move |_| down.clone()).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let id = accepted(&gateway, &later(&proxy, "POST", "/x").body("a")).await?;
    requestrocket_integration_tests::wait::until("it waits", || async {
        let reply = gateway.call(&about(&proxy, "GET", &id)).await?;
        Ok((text(&reply.json()?, "status")? == "waiting").then_some(()))
    })
    .await?;
    let taken = gateway.call(&about(&proxy, "DELETE", &id)).await?;
    ensure!(taken.status == 204, "{} {}", taken.status, taken.text());
    let status = ended(&gateway, &proxy, &id).await?;
    ensure!(status["status"] == "cancelled", "{status}");
    let again = gateway.call(&about(&proxy, "DELETE", &id)).await?;
    ensure!(again.status == 409, "{} {}", again.status, again.text());
    Ok(())
}
