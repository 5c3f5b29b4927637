//! What is answered when a request comes in.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::target::Target;
use serde_json::json;

use super::{about, accepted_by, ended, later, text};
use crate::expect;

#[tokio::test]
async fn a_request_is_answered_before_it_is_made() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let reply = gateway
        .call(&later(&proxy, "POST", "/x?a=1").body("hello"))
        .await?;
    let id = accepted_by(&reply)?;
    let body = reply.json()?;
    ensure!(text(&body, "status")? == "queued", "{body}");
    let url = text(&body, "statusUrl")?;
    ensure!(
        url.ends_with(&format!("/requests/{}/{id}", proxy.id)),
        "{url}"
    );
    ensure!(reply.header("location")? == url, "{:?}", reply.head);
    ensure!(
        reply.header("requestrocket-async-request-id")? == id,
        "{:?}",
        reply.head
    );
    ensure!(reply.header("requestrocket-proxy-code")? == "proxy-access-granted");
    ensure!(reply.header("requestrocket-request-id")? != id);
    let status = ended(&gateway, &proxy, &id).await?;
    ensure!(status["status"] == "succeeded", "{status}");
    let seen = target.requests();
    ensure!(seen.len() == 1, "{seen:?}");
    ensure!(
        seen[0].method() == "POST" && seen[0].path() == "/x?a=1",
        "{seen:?}"
    );
    ensure!(seen[0].body == b"hello", "{seen:?}");
    // Whoever takes it twice can tell.
    let keys = seen[0].head.all("idempotency-key");
    ensure!(keys == [id.clone()], "{keys:?}");
    Ok(())
}

#[tokio::test]
async fn the_same_key_is_the_same_request_and_nothing_else() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let keyed = |body: &str| {
        let request = later(&proxy, "POST", "/x").with("idempotency-key", "\"one\"");
        request.body(body.to_owned())
    };
    let first = gateway.call(&keyed("a")).await?;
    let id = accepted_by(&first)?;
    let again = gateway.call(&keyed("a")).await?;
    ensure!(accepted_by(&again)? == id, "{}", again.text());
    ensure!(
        again.header("idempotent-replayed")? == "true",
        "{:?}",
        again.head
    );
    let other = gateway.call(&keyed("b")).await?;
    ensure!(
        other.status == 422 && other.code() == "IDEMPOTENCY_KEY_REUSED",
        "{}",
        other.text()
    );
    ended(&gateway, &proxy, &id).await?;
    let seen = target.requests();
    ensure!(seen.len() == 1, "{seen:?}");
    ensure!(
        seen[0].head.all("idempotency-key") == ["\"one\""],
        "{seen:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let too_long = (16_usize << 20) + 1;
    let post = || later(&proxy, "POST", "/x");
    for (request, status, code) in [
        (
            post().with("content-length", too_long.to_string()),
            413,
            "REQUEST_TOO_LARGE",
        ),
        (
            post().with("requestrocket-ordering-key", ""),
            400,
            "INVALID_ORDERING",
        ),
        (
            post().with("requestrocket-ordering-policy", "stop"),
            400,
            "INVALID_ORDERING",
        ),
        (
            post().with("idempotency-key", ""),
            400,
            "INVALID_IDEMPOTENCY_KEY",
        ),
        (
            post().with("requestrocket-callback-url", "https://x.test/"),
            400,
            "INVALID_CALLBACK",
        ),
        (later(&proxy, "HEAD", "/x"), 405, ""),
        (later(&proxy, "OPTIONS", "/x"), 405, "METHOD_NOT_ALLOWED"),
        (about(&proxy, "POST", "x"), 405, "METHOD_NOT_ALLOWED"),
        (about(&proxy, "GET", "x?wait=31"), 400, "INVALID_WAIT"),
        (about(&proxy, "GET", "x"), 404, "NOT_FOUND"),
        (about(&proxy, "DELETE", "x"), 404, "NOT_FOUND"),
    ] {
        let reply = gateway.call(&request).await?;
        let got = (reply.status, reply.code());
        ensure!(
            got == (status, code.to_owned()),
            "{request:?}: {got:?} {}",
            reply.text()
        );
    }
    ensure!(target.count() == 0, "{:?}", target.requests());
    Ok(())
}

#[tokio::test]
async fn a_limit_counts_a_request_once() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let meter = json!({
        "meterName": "calls", "meterType": "request_count", "limits": { "month": 1 },
    });
    let path = format!("proxies/{}/meters", proxy.id);
    gateway.api.applied("POST", &path, &meter).await?;
    let reply = gateway.call(&later(&proxy, "POST", "/x").body("a")).await?;
    let id = accepted_by(&reply)?;
    let status = ended(&gateway, &proxy, &id).await?;
    ensure!(status["status"] == "succeeded", "{status}");
    let more = gateway.call(&later(&proxy, "POST", "/x").body("a")).await?;
    expect::error(&more, 429, "rate-limit-exceeded", "RATE_LIMITED")?;
    Ok(())
}
