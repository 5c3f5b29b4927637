//! What the target gets instead of the caller's credential: every target-side credential type.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::target::{Recorded, Target};
use serde_json::json;

use crate::expect;

/// Calls `path` through a proxy with that target credential; gives what the target received.
async fn seen(secret: Secret, path: &str, extra: &[(&str, &str)]) -> Result<Recorded> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).injecting(secret))
        .await?;
    let request = proxy.get(path);
    let request = extra
        .iter()
        .fold(request, |request, (name, value)| request.with(name, value));
    expect::ok(&gateway.call(&request).await?)?;
    ensure!(target.count() == 1, "{} requests", target.count());
    let seen = target.last()?;
    let carried = String::from_utf8_lossy(&seen.bytes).into_owned();
    ensure!(
        !carried.contains(&proxy.authorization),
        "the caller's key went on"
    );
    Ok(seen)
}

#[tokio::test]
async fn an_api_key_goes_into_authorization_by_default() -> Result<()> {
    let seen = seen(Secret::api_key("target-key-0001"), "/x?q=1", &[]).await?;
    assert_eq!(seen.head.all("authorization"), ["target-key-0001"]);
    assert_eq!(seen.path(), "/x?q=1");
    Ok(())
}

#[tokio::test]
async fn an_api_key_goes_into_a_named_header_with_a_prefix_and_replaces_the_callers() -> Result<()>
{
    let secret =
        json!({ "key": "k-0002", "location": "header", "name": "X-Api-Key", "prefix": "Key " });
    let extra = [
        ("x-api-key", "mine"),
        ("X-API-KEY", "mine too"),
        ("x-api-key-2", "stays"),
    ];
    let seen = seen(Secret::new("apiKey", secret), "/", &extra).await?;
    assert_eq!(seen.head.all("x-api-key"), ["Key k-0002"]);
    assert_eq!(seen.head.all("x-api-key-2"), ["stays"]);
    assert!(
        seen.head.all("authorization").is_empty(),
        "the caller's Authorization goes anyway"
    );
    Ok(())
}

#[tokio::test]
async fn an_api_key_in_the_query_replaces_the_callers_and_comes_last() -> Result<()> {
    let secret = json!({ "key": "k&0=3 ü", "location": "query", "name": "key" });
    for (path, wanted) in [
        ("/", "/?key=k%260%3D3%20%C3%BC"),
        ("/a?b=1", "/a?b=1&key=k%260%3D3%20%C3%BC"),
        (
            "/a?key=mine&b=1&key=more&%6Bey=hidden",
            "/a?b=1&key=k%260%3D3%20%C3%BC",
        ),
        ("/a?KEY=stays&b", "/a?KEY=stays&b&key=k%260%3D3%20%C3%BC"),
    ] {
        let seen = seen(Secret::new("apiKey", secret.clone()), path, &[]).await?;
        assert_eq!(seen.path(), wanted, "for {path}");
    }
    Ok(())
}

#[tokio::test]
async fn bearer_basic_and_jwt_go_into_authorization() -> Result<()> {
    for (secret, wanted) in [
        (
            Secret::new("bearer", json!({ "token": "t-0004" })),
            "Bearer t-0004",
        ),
        (
            Secret::new("bearer", json!({ "token": "t-0005", "prefix": "token=" })),
            "token=t-0005",
        ),
        (
            Secret::new(
                "basicAuth",
                json!({ "username": "Aladdin", "password": "open sesame" }),
            ),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        (
            Secret::new("basicAuth", json!({ "username": "sk_1", "password": "" })),
            "Basic c2tfMTo=",
        ),
        (
            Secret::new("key", json!({ "key": "by-its-alias" })),
            "by-its-alias",
        ),
        (
            Secret::new("jwt", json!({ "token": "eyJhbGciOiJub25lIn0.e30.c2ln" })),
            "eyJhbGciOiJub25lIn0.e30.c2ln",
        ),
    ] {
        let seen = seen(secret, "/", &[]).await?;
        assert_eq!(seen.head.all("authorization"), [wanted]);
    }
    Ok(())
}

#[tokio::test]
async fn custom_credentials_inject_every_header_and_parameter() -> Result<()> {
    let secret = json!({
        "headers": { "X-One": "1-custom", "Authorization": "Custom 2", "X-Three": "drei ü" },
        "query": { "four": "4 & more", "five": "5" },
    });
    let extra = [("x-one", "mine"), ("x-other", "stays")];
    let seen = seen(Secret::new("custom", secret), "/p?five=mine&six=6", &extra).await?;
    for (name, value) in [
        ("x-one", "1-custom"),
        ("authorization", "Custom 2"),
        ("x-three", "drei ü"),
        ("x-other", "stays"),
    ] {
        assert_eq!(seen.head.all(name), [value], "{name}");
    }
    let query = seen.path().strip_prefix("/p?six=6&").unwrap_or_default();
    let mut injected: Vec<&str> = query.split('&').collect();
    injected.sort_unstable();
    assert_eq!(injected, ["five=5", "four=4%20%26%20more"]);
    Ok(())
}

#[tokio::test]
async fn none_injects_nothing() -> Result<()> {
    let seen = seen(Secret::none(), "/p?a", &[("x-custom", "stays")]).await?;
    assert!(seen.head.all("authorization").is_empty());
    assert_eq!(seen.path(), "/p?a");
    assert_eq!(seen.head.all("x-custom"), ["stays"]);
    Ok(())
}

#[tokio::test]
async fn a_changed_target_credential_is_used_at_once() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key("old-target-key"));
    let proxy = gateway.proxy(&plan).await?;
    let path = format!("credentials/{}", proxy.target_credential_id);
    let fresh = unique("new-target-key");
    gateway
        .api
        .applied(
            "PATCH",
            &path,
            &json!({ "credentialSecret": { "key": fresh } }),
        )
        .await?;
    expect::ok(&gateway.call(&proxy.get("/")).await?)?;
    assert_eq!(target.last()?.head.all("authorization"), [fresh]);
    Ok(())
}

/// What must not be injected is refused when it is saved.
#[tokio::test]
async fn reserved_names_and_control_bytes_are_refused_when_saved() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for secret in [
        json!({ "headers": { "Host": "x" } }),
        json!({ "headers": { "content-length": "1" } }),
        json!({ "headers": { "Transfer-Encoding": "chunked" } }),
        json!({ "headers": { "connection": "close" } }),
        json!({ "headers": { "RequestRocket-Proxy-Code": "x" } }),
        json!({ "headers": { "x y": "x" } }),
        json!({ "headers": { "x-a": "1\r\nx-b: 2" } }),
        json!({ "headers": { "x-a": "nul\u{0}" } }),
        json!({ "headers": { "x-a\r\nx-b": "1" } }),
        json!({ "headers": { "x-a": "" } }),
        json!({ "query": { "a": "1\n" } }),
        json!({}),
        json!({ "headers": {}, "query": {} }),
    ] {
        let body = json!({
            "credentialName": "naughty", "credentialType": "target", "credentialAuthType": "custom",
            "credentialRegion": gateway.region, "credentialSecret": secret,
        });
        let answer = gateway.api.send("POST", "credentials", &body).await?;
        ensure!(
            answer.status == 400,
            "{secret}: {} {}",
            answer.status,
            answer.text
        );
    }
    Ok(())
}
