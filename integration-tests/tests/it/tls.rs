//! HTTPS targets: verified, with the right name, over HTTP/1.1 and HTTP/2; and HTTP/2 callers.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use requestrocket_integration_tests::certificates::{Authority, Identity, self_signed, trusted};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::http2;
use requestrocket_integration_tests::target::{Style, Target, echo_body};

use crate::expect;

async fn https_target(identity: Identity, protocols: &[&str]) -> Result<Target> {
    let acceptor = identity.acceptor(protocols)?;
    Target::with_style(Style::Tls(acceptor), echo_body).await
}

#[tokio::test]
async fn a_verified_https_target_is_reached_with_its_name() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for protocols in [&[][..], &["http/1.1"]] {
        let target = https_target(trusted()?.identity(&["localhost"])?, protocols).await?;
        let plan = ProxyPlan::to(&format!("{}/base", target.https_url()))
            .injecting(Secret::api_key("tls-key"));
        let proxy = gateway.proxy(&plan).await?;
        let reply = gateway
            .call(&proxy.request("POST", "/x").body("over tls"))
            .await?;
        expect::ok(&reply)?;
        assert_eq!(reply.text(), "over tls");
        let seen = target.last()?;
        assert_eq!(seen.sni.as_deref(), Some("localhost"));
        assert_eq!(seen.path(), "/base/x");
        assert_eq!(
            seen.head.all("host"),
            [format!("localhost:{}", target.address.port())]
        );
        assert_eq!(seen.head.all("authorization"), ["tls-key"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_target_that_cannot_prove_its_name_is_502_and_gets_nothing() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let stranger = Authority::new("Somebody else")?;
    for (name, identity) in [
        ("wrong name", trusted()?.identity(&["other.test"])?),
        ("no name", trusted()?.identity(&[])?),
        ("address only", trusted()?.identity(&["127.0.0.1"])?),
        ("self-signed", self_signed(&["localhost"])?),
        ("unknown authority", stranger.identity(&["localhost"])?),
    ] {
        let target = https_target(identity, &["http/1.1"]).await?;
        let plan = ProxyPlan::to(&target.https_url()).injecting(Secret::api_key("must-not-leak"));
        let proxy = gateway.proxy(&plan).await?;
        let reply = gateway.call(&proxy.get("/")).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").with_context(|| name.to_owned())?;
        ensure!(target.count() == 0, "{name}: the target received a request");
    }
    Ok(())
}

#[tokio::test]
async fn plain_and_tls_are_never_mixed_up() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let plain = Target::start().await?;
    let proxy = gateway.proxy_to(&plain.https_url()).await?;
    expect::failed(
        &gateway.call(&proxy.get("/")).await?,
        502,
        "TARGET_UNREACHABLE",
    )?;
    ensure!(plain.count() == 0, "an https target was spoken to in clear");
    let tls = https_target(trusted()?.identity(&["localhost"])?, &[]).await?;
    let proxy = gateway
        .proxy_to(&format!("http://localhost:{}", tls.address.port()))
        .await?;
    expect::failed(
        &gateway.call(&proxy.get("/")).await?,
        502,
        "TARGET_UNREACHABLE",
    )?;
    let proxy = gateway.proxy_to(&tls.https_url()).await?;
    expect::ok(&gateway.call(&proxy.get("/")).await?)
}

#[tokio::test]
async fn an_http2_target_is_spoken_to_in_http2() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let acceptor = trusted()?.identity(&["localhost"])?.acceptor(&["h2"])?;
    let target = http2::Target::start(acceptor).await?;
    let plan =
        ProxyPlan::to(&format!("{}/two", target.https_url())).injecting(Secret::api_key("h2-key"));
    let proxy = gateway.proxy(&plan).await?;
    for number in 0..3 {
        let body = format!("number {number}");
        let reply = gateway
            .call(
                &proxy
                    .request("PUT", "/x?y=1")
                    .with("x-mine", "1")
                    .body(body.clone()),
            )
            .await?;
        ensure!(reply.status == 200, "{reply:?}");
        expect::granted(&reply)?;
        assert_eq!(reply.header("x-spoken")?, "h2");
        assert_eq!(reply.text(), body);
        let seen = target.last()?;
        assert_eq!(seen.sni.as_deref(), Some("localhost"));
        ensure!(seen.uri.ends_with("/two/x?y=1"), "{}", seen.uri);
        assert_eq!(seen.headers["authorization"], "h2-key");
        assert_eq!(seen.headers["x-mine"], "1");
        assert_eq!(seen.body, body.as_bytes());
        ensure!(
            !seen
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("x-envoy")
                    || name.as_str().starts_with("x-rr")),
            "{:?}",
            seen.headers
        );
    }
    Ok(())
}

/// Over HTTP/2 on both sides trailers pass, as gRPC needs them.
#[tokio::test]
async fn http2_callers_get_the_trailers_of_an_http2_target() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let acceptor = trusted()?.identity(&["localhost"])?.acceptor(&["h2"])?;
    let target = http2::Target::start(acceptor).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    let request = http2_request(&gateway, "POST", &proxy.path("/pkg.Service/Method"))
        .header("authorization", &proxy.authorization)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())?;
    let body = Bytes::from(vec![7; 300_000]);
    let reply = http2::call(&gateway.address, request, body.clone()).await?;
    ensure!(
        reply.status == 200 && reply.body == body,
        "{:?}",
        reply.headers
    );
    assert_eq!(reply.trailers["x-end"], "reached");
    assert_eq!(
        reply.headers["requestrocket-proxy-code"],
        "proxy-access-granted"
    );
    assert_eq!(target.last()?.headers["content-type"], "application/grpc");
    Ok(())
}

fn http2_request(gateway: &Gateway, method: &str, path: &str) -> http::request::Builder {
    http::Request::builder()
        .method(method)
        .uri(format!("http://{}{path}", gateway.address))
}

#[tokio::test]
async fn an_http2_caller_gets_the_same_treatment() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(echo_body).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let call = async |method: &str, path: &str, authorization: Option<&str>, body: &'static str| {
        let request = http2_request(&gateway, method, &proxy.path(path));
        let request = authorization.map_or(
            http2_request(&gateway, method, &proxy.path(path)),
            |value| request.header("authorization", value),
        );
        http2::call(
            &gateway.address,
            request.body(())?,
            Bytes::from_static(body.as_bytes()),
        )
        .await
    };
    let own = Some(proxy.authorization.as_str());
    let reply = call("POST", "/x?a=1", own, "over h2").await?;
    ensure!(reply.status == 200 && reply.body == b"over h2", "{reply:?}");
    assert_eq!(
        reply.headers["requestrocket-proxy-code"],
        "proxy-access-granted"
    );
    assert_eq!(
        target.last()?.head.all("host"),
        [target.address.to_string()]
    );
    for (path, authorization, status, code) in [
        ("/", None, 401, "CREDENTIAL_MISSING"),
        ("/", Some("wrong"), 403, "CREDENTIAL_INVALID"),
        ("/a%5cb", own, 400, "PATH_AMBIGUOUS"),
        ("/../../x", own, 400, "PATH_AMBIGUOUS"),
    ] {
        let reply = call("GET", path, authorization, "").await?;
        let body: serde_json::Value = serde_json::from_slice(&reply.body)?;
        ensure!(
            reply.status == status && body["code"] == code,
            "{path}: {reply:?}"
        );
        assert_eq!(
            reply.headers["requestrocket-proxy-code"],
            "proxy-access-denied"
        );
    }
    let reply = call("TRACE", "/", own, "").await?;
    ensure!(reply.status == 405, "{reply:?}");
    assert_eq!(target.count(), 1);
    Ok(())
}

/// The target's host and the framing, over HTTP/2.
#[tokio::test]
async fn http2_oddities_never_reach_the_target() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for (name, value) in [
        ("host", "evil.test"),
        ("transfer-encoding", "chunked"),
        ("connection", "authorization"),
        ("content-length", "5"),
    ] {
        let request = http2_request(&gateway, "POST", &proxy.path("/odd"))
            .header("authorization", &proxy.authorization)
            .header(name, value);
        // A reset stream or a closed connection is as good as a refusal.
        if let Ok(reply) = http2::call(&gateway.address, request.body(())?, Bytes::new()).await {
            ensure!(
                reply.status == 400 || (name == "host" && reply.status == 200),
                "{name}: {}",
                reply.status
            );
        }
    }
    for seen in target.requests() {
        assert_eq!(seen.head.all("host"), [target.address.to_string()]);
    }
    Ok(())
}
