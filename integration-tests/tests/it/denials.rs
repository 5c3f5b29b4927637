//! The error table, and that strangers learn nothing from it.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::target::{Target, echo_body};
use serde_json::json;

use crate::expect;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// An answer without what is allowed to differ: the request id and the date.
fn comparable(reply: &Reply) -> Result<String> {
    let id = reply.header("requestrocket-request-id")?;
    let lines: Vec<String> = reply
        .head
        .lines
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("date"))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
        .collect();
    let text = format!(
        "{}\n{}\n{}",
        reply.head.start_line,
        lines.join("\n"),
        reply.text()
    );
    Ok(text.replace(&id, "ID"))
}

/// Nobody learns which proxies exist.
#[tokio::test]
async fn an_unknown_proxy_answers_like_a_wrong_credential() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let inactive = gateway
        .proxy(&ProxyPlan::to(&target.url()).with("proxyActive", false))
        .await?;
    for method in ["GET", "POST", "HEAD", "OPTIONS", "DELETE"] {
        for authorization in [Some("wrong"), Some("Bearer wrong"), Some("Basic !!"), None] {
            let send = |path: String| {
                let request = Request::new(method, &path);
                authorization.map_or(request.clone(), |value| {
                    request.with("authorization", value)
                })
            };
            let known = gateway.call(&send(proxy.path("/x"))).await?;
            let wanted = if authorization.is_some() { 403 } else { 401 };
            ensure!(known.status == wanted, "{method}: {}", known.status);
            let known = comparable(&known)?;
            let others = [
                inactive.path("/x"),
                format!("/api/{UNKNOWN}/x"),
                format!("/api/{UNKNOWN}"),
                "/api/no-such-alias/x".to_owned(),
                "/api/".to_owned(),
                "/api".to_owned(),
                "/api//x".to_owned(),
                "/".to_owned(),
                "/favicon.ico".to_owned(),
                "/API/x".to_owned(),
                format!("/api/{}", proxy.id.to_uppercase()),
            ];
            for path in others {
                let reply = gateway.call(&send(path.clone())).await?;
                assert_eq!(
                    comparable(&reply)?,
                    known,
                    "{method} {path} {authorization:?}"
                );
            }
            // Which methods may be made later does not depend on the proxy either.
            let later = send(format!("/async/{}/x", proxy.id));
            let later = comparable(&gateway.call(&later).await?)?;
            let unknown = send("/async/no-such-proxy/x".to_owned());
            let unknown = comparable(&gateway.call(&unknown).await?)?;
            assert_eq!(unknown, later, "{method} {authorization:?}");
        }
    }
    ensure!(target.count() == 0, "the target was asked");
    Ok(())
}

#[tokio::test]
async fn an_inactive_proxy_says_so_to_its_callers_only() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let path = format!("proxies/{}", proxy.id);
    gateway
        .api
        .applied("PATCH", &path, &json!({ "proxyActive": false }))
        .await?;
    expect::denied(&gateway.call(&proxy.get("/")).await?, 403, "PROXY_INACTIVE")?;
    let stranger = Request::get(&proxy.path("/")).with("authorization", "wrong");
    expect::denied(&gateway.call(&stranger).await?, 403, "CREDENTIAL_INVALID")?;
    expect::denied(
        &gateway.call(&Request::get(&proxy.path("/"))).await?,
        401,
        "CREDENTIAL_MISSING",
    )?;
    ensure!(
        gateway.api.status(&proxy.id).await?["proxyStatus"] == "inactive",
        "status"
    );
    gateway
        .api
        .applied("PATCH", &path, &json!({ "proxyActive": true }))
        .await?;
    expect::ok(&gateway.call(&proxy.get("/")).await?)
}

#[tokio::test]
async fn an_incomplete_proxy_is_503_to_its_callers_only() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    for removed in ["target", "credential"] {
        let proxy = gateway.proxy_to(&target.url()).await?;
        let path = match removed {
            "target" => format!("targets/{}", proxy.target_id),
            _ => format!("credentials/{}", proxy.target_credential_id),
        };
        let answer = gateway.api.raw("DELETE", &path, &[], Vec::new()).await?;
        ensure!(
            (answer.status, answer.code()) == (409, "RESOURCE_IN_USE"),
            "{}",
            answer.text
        );
        ensure!(
            answer.text.contains(&proxy.id),
            "the proxy is not named: {}",
            answer.text
        );
        gateway
            .api
            .applied("DELETE", &format!("{path}?force=true"), &json!(null))
            .await?;
        let reply = gateway.call(&proxy.get("/")).await?;
        expect::failed(&reply, 503, "PROXY_INCOMPLETE").with_context(|| removed.to_owned())?;
        let stranger = Request::get(&proxy.path("/")).with("authorization", "wrong");
        expect::denied(&gateway.call(&stranger).await?, 403, "CREDENTIAL_INVALID")?;
        ensure!(
            gateway.api.status(&proxy.id).await?["proxyStatus"] == "incomplete",
            "status"
        );
    }
    ensure!(
        target.count() == 0,
        "an incomplete proxy reached the target"
    );
    Ok(())
}

#[tokio::test]
async fn a_suspended_organisation_is_402_until_it_is_reinstated() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let made = gateway
        .api
        .create(
            "/clients",
            &json!({ "clientName": "Suspended for a while" }),
        )
        .await?;
    let organisation = made["clientId"].as_str().context("clientId")?;
    let other = Gateway {
        api: gateway.api.in_organisation(organisation),
        file: gateway.file.clone(),
        address: gateway.address.clone(),
        region: gateway.region.clone(),
    };
    let target = Target::start().await?;
    let proxy = other.proxy_to(&target.url()).await?;
    expect::ok(&other.call(&proxy.get("/")).await?)?;
    let operator = other
        .api
        .with_authorization(Some(&gateway.file.operator_token));
    let path = format!("/clients/{organisation}");
    operator
        .applied("PATCH", &path, &json!({ "clientStatus": "suspended" }))
        .await?;
    let reply = other.call(&proxy.get("/")).await?;
    expect::error(&reply, 402, "billing-suspended", "BILLING_SUSPENDED")?;
    let stranger = Request::get(&proxy.path("/")).with("authorization", "wrong");
    expect::denied(&other.call(&stranger).await?, 403, "CREDENTIAL_INVALID")?;
    operator
        .applied("PATCH", &path, &json!({ "clientStatus": "active" }))
        .await?;
    expect::ok(&other.call(&proxy.get("/")).await?)
}

/// Seven methods pass; nobody learns more from any other.
#[tokio::test]
async fn other_methods_are_405_before_authentication() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for method in ["TRACE", "PROPFIND", "PURGE", "LINK", "SEARCH", "M-SEARCH"] {
        for request in [
            proxy.request(method, "/x"),
            Request::new(method, &proxy.path("/x")),
        ] {
            let Some(reply) = gateway.raw(method, &request.bytes()).await? else {
                continue;
            };
            if method != "TRACE" && reply.status == 400 {
                // The codec may refuse what it does not know.
                continue;
            }
            expect::denied(&reply, 405, "METHOD_NOT_ALLOWED").with_context(|| method.to_owned())?;
            let allow = reply.header("allow")?;
            let mut allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(
                allowed,
                ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
            );
        }
    }
    for line in [
        "CONNECT gateway.test:443",
        &format!("CONNECT {}", proxy.path("/x")),
        "get /",
        "G@T /",
        "PRI *",
    ] {
        let bytes = format!(
            "{line} HTTP/1.1\r\nhost: gateway.test\r\nauthorization: {}\r\n\r\n",
            proxy.authorization
        );
        let reply = gateway.raw("CONNECT", bytes.as_bytes()).await?;
        let status = reply.map_or(0, |reply| reply.status);
        ensure!(
            matches!(status, 0 | 400 | 404 | 405),
            "`{line}` was answered {status}"
        );
    }
    ensure!(target.count() == 0, "the target was asked");
    Ok(())
}

#[tokio::test]
async fn the_seven_methods_pass_with_their_bodies() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(echo_body).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
        let reply = gateway
            .call(&proxy.request(method, "/m").body("twelve bytes"))
            .await?;
        expect::ok(&reply).with_context(|| method.to_owned())?;
        let seen = target.last()?;
        assert_eq!(
            (seen.method(), seen.body.as_slice()),
            (method, b"twelve bytes".as_slice())
        );
        let body = if method == "HEAD" { "" } else { "twelve bytes" };
        assert_eq!(reply.text(), body, "{method}");
        assert_eq!(reply.header("content-length")?, "12", "{method}");
    }
    Ok(())
}

#[tokio::test]
async fn errors_to_head_have_headers_and_no_body() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for (request, status) in [
        (Request::new("HEAD", &proxy.path("/")), 401),
        (
            Request::new("HEAD", &proxy.path("/")).with("authorization", "x"),
            403,
        ),
    ] {
        let mut connection = gateway.connect().await?;
        let reply = connection.call(&request).await?;
        ensure!(reply.status == status, "{reply:?}");
        reply.header("requestrocket-request-id")?;
        reply.header("requestrocket-proxy-code")?;
        // A body would be taken for the head of the next answer.
        expect::ok(&connection.call(&proxy.get("/")).await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn request_ids_are_never_the_same_and_messages_are_fixed() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).injecting(Secret::none()))
        .await?;
    let mut ids = std::collections::BTreeSet::new();
    let mut messages = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let granted = gateway
            .call(&proxy.get("/").with("requestrocket-request-id", "mine"))
            .await?;
        let denied = gateway
            .call(&Request::get(&proxy.path("/")).with("authorization", "x"))
            .await?;
        expect::ok(&granted)?;
        expect::denied(&denied, 403, "CREDENTIAL_INVALID")?;
        ids.insert(granted.header("requestrocket-request-id")?);
        ids.insert(denied.header("requestrocket-request-id")?);
        messages.insert(denied.header("requestrocket-proxy-message")?);
    }
    assert_eq!((ids.len(), messages.len()), (40, 1));
    Ok(())
}
