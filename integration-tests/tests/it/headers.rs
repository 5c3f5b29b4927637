//! Which headers pass, which are ours, which never reach the other side.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::target::{Target, respond};

use crate::scene::Agrees;
use crate::{expect, scene};

type Scene = scene::Scene<Agrees>;

/// What looks like ours is dropped on the way in, in every spelling.
#[tokio::test]
async fn reserved_request_headers_never_reach_the_target() -> Result<()> {
    let scene = Scene::start().await?;
    let mut request = scene.proxy.get("/");
    for name in [
        "requestrocket-proxy-code",
        "RequestRocket-Proxy-Message",
        "REQUESTROCKET-REQUEST-ID",
        "requestrocket_proxy_code",
        "requestrocket-anything",
        "Requestrocket_Any-thing",
        "x-rr-scope",
        "x-rr-request-id",
        "X-RR-Anything",
        "x_rr_scope",
        "X-RR_anything",
        "x_envoy_original_path",
        "x_envoy-retry-on",
        "proxy_authorization",
        "x-envoy-original-path",
        "x-envoy-retry-on",
        "x-envoy-max-retries",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-external-address",
        "x-envoy-internal",
        "x-envoy-attempt-count",
        "x-envoy-decorator-operation",
    ] {
        request = request.with(name, "forged").with(name, "twice");
    }
    let seen = scene.seen(&request).await?;
    for (name, value) in &seen.head.lines {
        let reserved = ["requestrocket", "x-rr-", "x-envoy-"];
        let name = name.to_ascii_lowercase().replace('_', "-");
        ensure!(
            !reserved.iter().any(|prefix| name.starts_with(prefix)),
            "`{name}` came through"
        );
        ensure!(
            value != b"forged" && value != b"twice",
            "`{name}` was forged"
        );
    }
    Ok(())
}

/// The target's copies are replaced by ours, exactly one of each.
#[tokio::test]
async fn reserved_response_headers_of_the_target_are_dropped() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| {
        let forged = [
            ("requestrocket-proxy-code", "forged"),
            ("RequestRocket-Proxy-Code", "forged"),
            ("requestrocket_proxy_code", "forged"),
            ("requestrocket-proxy-message", "forged"),
            ("requestrocket-request-id", "forged"),
            ("requestrocket-proxy-warning", "forged"),
            ("requestrocket-own", "forged"),
            ("x-rr-own", "forged"),
            ("X_RR_own", "forged"),
            ("x_envoy_own", "forged"),
            ("x-envoy-upstream-service-time", "forged"),
            ("x-other", "passes"),
            ("server", "target/1.0"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ];
        respond("200 OK", &forged, b"")
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::ok(&reply)?;
    ensure!(
        reply.head.lines.iter().all(|(_, value)| value != b"forged"),
        "{:?}",
        reply.head
    );
    assert_eq!(reply.header("x-other")?, "passes");
    assert_eq!(reply.header("server")?, "target/1.0");
    assert_eq!(reply.head.all("set-cookie"), ["a=1", "b=2"]);
    Ok(())
}

/// A target may read `X_Key` as `X-Key`: a twin goes where its name would go, and no trailer comes
/// behind the filter's back.
#[tokio::test]
async fn twins_with_underscores_are_taken_for_what_the_target_may_take_them_for() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let secret = Secret::new(
        "apiKey",
        serde_json::json!({ "key": "of-the-target", "name": "x-api-key" }),
    );
    let plan = ProxyPlan::to(&target.url()).caller(Secret::api_key("of-the-caller"));
    let proxy = gateway.proxy(&plan.injecting(secret)).await?;
    let twins = [("x_api_key", "callers"), ("X-Api_Key", "callers")];
    let request = proxy
        .get("/")
        .with("x_forwarded_for", "192.0.2.1")
        .with("x_other", "stays");
    let request = twins
        .iter()
        .fold(request, |request, (name, value)| request.with(name, *value));
    expect::ok(&gateway.call(&request).await?)?;
    let seen = target.last()?.head;
    let folded: Vec<_> = seen
        .lines
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase().replace('_', "-"))
        .filter(|name| name == "x-api-key" || name == "x-forwarded-for")
        .collect();
    assert_eq!(folded.len(), 2, "{seen:?}");
    assert_eq!(seen.all("x-api-key"), ["of-the-target"]);
    assert_eq!(seen.all("x_other"), ["stays"]);
    let text = format!(
        "POST {} HTTP/1.1\r\nhost: g\r\nauthorization: {}\r\ntransfer-encoding: chunked\r\n\r\n\
         2\r\nhi\r\n0\r\nx_api_key: callers\r\nx-http-method-override: DELETE\r\nx: y\r\n\r\n",
        proxy.path("/t"),
        proxy.authorization,
    );
    let reply = gateway.raw("POST", text.as_bytes()).await?;
    ensure!(reply.is_some_and(|reply| reply.status == 200));
    let seen = target.last()?;
    assert_eq!(seen.body, b"hi");
    ensure!(seen.trailers.lines.is_empty(), "{:?}", seen.trailers);
    Ok(())
}

#[tokio::test]
async fn the_peer_is_appended_to_x_forwarded_for_and_nothing_else_is_added() -> Result<()> {
    let scene = Scene::start().await?;
    let plain = scene
        .seen(&scene.proxy.get("/").with("x-mine", "1"))
        .await?;
    let mut names: Vec<String> = plain
        .head
        .lines
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["host", "x-forwarded-for", "x-mine"]);
    assert_eq!(plain.head.all("x-forwarded-for"), ["127.0.0.1"]);
    let empty = scene.proxy.get("/").with("x-forwarded-for", "");
    let seen = scene.seen(&empty).await?;
    assert_eq!(seen.head.all("x-forwarded-for"), ["127.0.0.1"]);
    let clean = scene
        .proxy
        .get("/")
        .with("x-forwarded-for", "203.0.113.7, 10.0.0.1")
        .with("x-forwarded-proto", "gopher")
        .with("x-forwarded-host", "evil.test")
        .with("forwarded", "for=192.0.2.1")
        .with("x-request-id", "mine-and-only-mine");
    let reply = scene.gateway.call(&clean).await?;
    expect::ok(&reply)?;
    let seen = scene.target.last()?;
    assert_eq!(
        seen.head.all("x-forwarded-for"),
        ["203.0.113.7, 10.0.0.1, 127.0.0.1"]
    );
    assert_eq!(seen.head.all("x-forwarded-proto"), ["gopher"]);
    assert_eq!(seen.head.all("x-forwarded-host"), ["evil.test"]);
    assert_eq!(seen.head.all("forwarded"), ["for=192.0.2.1"]);
    assert_eq!(seen.head.all("x-request-id"), ["mine-and-only-mine"]);
    ensure!(
        reply.header("requestrocket-request-id")? != "mine-and-only-mine",
        "the caller's id was taken"
    );
    Ok(())
}

#[tokio::test]
async fn hop_by_hop_headers_stay_on_their_hop() -> Result<()> {
    let scene = Scene::start().await?;
    let request = scene
        .proxy
        .get("/")
        .with("connection", "keep-alive, x-nominated")
        .with("keep-alive", "timeout=5")
        .with("proxy-connection", "keep-alive")
        .with("proxy-authorization", "Basic c2VjcmV0OnNlY3JldA==")
        .with("te", "gzip")
        .with("upgrade", "h2c")
        .with("x-nominated", "one hop only");
    let reply = scene.gateway.call(&request).await?;
    ensure!(matches!(reply.status, 200 | 400), "{reply:?}");
    if reply.status == 200 {
        let seen = scene.target.last()?;
        for name in [
            "connection",
            "keep-alive",
            "proxy-connection",
            "proxy-authorization",
            "te",
            "upgrade",
            "x-nominated",
        ] {
            ensure!(
                seen.head.all(name).is_empty(),
                "`{name}` reached the target: {:?}",
                seen.head
            );
        }
    }
    for (name, value) in [
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic c2VjcmV0"),
        ("proxy-connection", "close"),
        ("upgrade", "h2c"),
        ("te", "deflate"),
    ] {
        let seen = scene.seen(&scene.proxy.get("/").with(name, value)).await?;
        ensure!(
            seen.head.all(name).is_empty(),
            "`{name}` reached the target"
        );
    }
    Ok(())
}

#[tokio::test]
async fn all_other_headers_pass_as_they_are() -> Result<()> {
    let scene = Scene::start().await?;
    let request = scene
        .proxy
        .get("/")
        .with("x-empty", "")
        .with("x_under_score", "stays")
        .with("x-twice", "1")
        .with("x-twice", "2")
        .with("x-bytes", b"caf\xc3\xa9 \xff\xfe")
        .with("cookie", "a=1; b=2")
        .with("referer", "https://caller.test/?q")
        .with("user-agent", "own/1")
        .with("accept-encoding", "br;q=0.5")
        .with("x-http-method-override", "DELETE")
        .with("range", "bytes=0-1");
    let seen = scene.seen(&request).await?;
    for (name, value) in &request.lines {
        if !name.eq_ignore_ascii_case("authorization") && name != "x-twice" {
            let found = seen
                .head
                .lines
                .iter()
                .find(|(found, _)| found.eq_ignore_ascii_case(name));
            ensure!(
                found.is_some_and(|(_, found)| found == value),
                "`{name}` became {found:?}"
            );
        }
    }
    let twice = seen.head.all("x-twice").join(",").replace(' ', "");
    assert_eq!(twice, "1,2");
    Ok(())
}

/// The target's host, whatever the caller calls it.
#[tokio::test]
async fn the_host_is_always_the_targets() -> Result<()> {
    let scene = Scene::start().await?;
    let wanted = scene.target.address.to_string();
    for host in [
        "gateway.test",
        "evil.test:1",
        "169.254.169.254",
        "XN--BCHER-KVA.example",
        "",
    ] {
        let seen = scene.seen(&scene.proxy.get("/").with("host", host)).await?;
        assert_eq!(seen.head.all("host"), [wanted.as_str()], "for `{host}`");
    }
    let absolute = scene.proxy.get("/meta");
    let absolute = Request {
        path: format!("http://169.254.169.254{}", absolute.path),
        ..absolute
    };
    let reply = scene.gateway.call(&absolute).await?;
    ensure!(matches!(reply.status, 200 | 400 | 403), "{reply:?}");
    for seen in scene.target.requests() {
        assert_eq!(seen.head.all("host"), [wanted.as_str()]);
    }
    let two = format!(
        "GET {} HTTP/1.1\r\nhost: one.test\r\nhost: two.test\r\nauthorization: {}\r\n\r\n",
        scene.proxy.path("/two"),
        scene.proxy.authorization,
    );
    let before = scene.target.count();
    let reply = scene.gateway.raw("GET", two.as_bytes()).await?;
    ensure!(
        reply.as_ref().is_none_or(|reply| reply.status == 400),
        "{reply:?}"
    );
    assert_eq!(scene.target.count(), before, "two hosts reached the target");
    Ok(())
}

/// Envoy itself would say 426.
#[tokio::test]
async fn a_caller_of_http_1_0_is_told_that_its_request_is_bad() -> Result<()> {
    let scene = Scene::start().await?;
    let request = scene.proxy.get("/").bytes();
    let old = String::from_utf8(request)?.replace("HTTP/1.1", "HTTP/1.0");
    let mut connection = scene.gateway.connect().await?;
    connection.send(old.as_bytes()).await?;
    let reply = connection.answer("GET").await?.context("closed")?;
    expect::error(&reply, 400, "proxy-access-denied", "BAD_REQUEST")?;
    assert_eq!(scene.target.count(), 0);
    Ok(())
}
