//! Targets that are spoken to in HTTP/2: what they are told, and what they refuse.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::certificates::trusted;
use requestrocket_integration_tests::external::NodeTarget;
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::http2;
use serde_json::Value;

use crate::expect;

async fn target(script: &str) -> Result<NodeTarget> {
    NodeTarget::start(&trusted()?.identity(&["localhost"])?, script).await
}

/// Answers with the head that it got.
const HEADS: &str = "
const server = http2.createSecureServer(tls);
server.on('stream', (stream, headers) => {
  stream.respond({ ':status': 200, 'content-type': 'application/json' });
  stream.end(JSON.stringify(headers));
});
listen(server);
";

async fn over_http2(gateway: &Gateway, proxy: &Proxy, scheme: &str, te: &str) -> Result<Value> {
    let request = http::Request::builder()
        .uri(format!("{scheme}://gateway.test{}", proxy.path("/")))
        .header("authorization", &proxy.authorization)
        .header("te", te)
        .body(())?;
    let reply = http2::call(&gateway.address, request, Bytes::new()).await?;
    ensure!(reply.status == 200, "{reply:?}");
    Ok(serde_json::from_slice(&reply.body)?)
}

#[tokio::test]
async fn the_scheme_is_that_of_the_targets_connection() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target(HEADS).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    let plain = gateway.call(&proxy.get("/")).await?.json()?;
    assert_eq!(plain[":scheme"], "https");
    for scheme in ["http", "https"] {
        let seen = over_http2(&gateway, &proxy, scheme, "trailers").await?;
        assert_eq!(seen[":scheme"], "https", "a caller said {scheme}");
    }
    let absolute = Request {
        path: format!("http://gateway.test{}", proxy.path("/")),
        ..proxy.get("/")
    };
    assert_eq!(gateway.call(&absolute).await?.json()?[":scheme"], "https");
    Ok(())
}

/// gRPC needs it.
#[tokio::test]
async fn te_trailers_reaches_an_http2_target_and_no_other_te_does() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target(HEADS).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    let seen = over_http2(&gateway, &proxy, "http", "trailers").await?;
    assert_eq!(seen["te"], "trailers");
    for (te, connection) in [("trailers", "te"), ("trailers", "close"), ("gzip", "te")] {
        let request = proxy.get("/").with("te", te).with("connection", connection);
        let reply = gateway.call(&request).await?;
        expect::ok(&reply).context(te)?;
        let want = (te == "trailers").then_some("trailers");
        assert_eq!(reply.json()?["te"].as_str(), want, "{te} {connection}");
    }
    Ok(())
}

/// Refuses the first stream of each path; tells how often it was asked.
const REFUSING: &str = "
const server = http2.createSecureServer(tls);
const asked = new Map();
server.on('stream', (stream, headers) => {
  const path = headers[':path'];
  const times = (asked.get(path) ?? 0) + 1;
  asked.set(path, times);
  stream.on('error', () => {});
  if (times === 1 || path.startsWith('/always')) {
    stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    return;
  }
  const body = [];
  stream.on('data', (piece) => body.push(piece));
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify({ times, headers, body: Buffer.concat(body).toString() }));
  });
});
listen(server);
";

#[tokio::test]
async fn a_refused_stream_is_sent_again_as_it_was() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target(REFUSING).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        let body = if method == "POST" { "a body" } else { "" };
        let request = proxy
            .request(method, &format!("/{method}"))
            .with("x-forwarded-for", "203.0.113.7")
            .with("x-forwarded-proto", "gopher")
            .body(body);
        let reply = gateway.call(&request).await?;
        expect::ok(&reply).context(method)?;
        let seen = reply.json()?;
        assert_eq!(seen["times"], 2, "{seen}");
        assert_eq!(seen["body"], body);
        let headers = &seen["headers"];
        assert_eq!(
            headers["x-forwarded-for"], "203.0.113.7, 127.0.0.1",
            "{headers}"
        );
        assert_eq!(headers["x-forwarded-proto"], "gopher", "{headers}");
        ensure!(!headers.to_string().contains("x-envoy"), "{headers}");
    }
    let reply = gateway
        .call(&proxy.request("POST", "/always").body("x"))
        .await?;
    expect::failed(&reply, 502, "TARGET_UNREACHABLE")
}

/// Allows fewer streams at a time than there are calls.
const NARROW: &str = "
const server = http2.createSecureServer({ ...tls, settings: { maxConcurrentStreams: 10 } });
server.on('stream', (stream) => {
  stream.on('error', () => {});
  setTimeout(() => { stream.respond({ ':status': 200 }); stream.end('done'); }, 5);
});
listen(server);
";

#[tokio::test]
async fn more_calls_than_streams_are_all_answered() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target(NARROW).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    for method in ["GET", "POST"] {
        let calls = (0..60).map(async |_| gateway.call(&proxy.request(method, "/").body("")).await);
        let replies = try_join_all(calls).await?;
        for reply in &replies {
            expect::ok(reply).context(method)?;
        }
    }
    Ok(())
}

/// Goes away at the second stream of each connection, which it has not looked at.
const LEAVING: &str = "
const server = http2.createSecureServer(tls);
server.on('session', (session) => {
  let streams = 0;
  session.on('error', () => {});
  session.on('stream', (stream) => {
    stream.on('error', () => {});
    streams += 1;
    if (streams === 2) session.goaway(http2.constants.NGHTTP2_NO_ERROR, 1);
    if (streams > 1) return;
    stream.respond({ ':status': 200 });
    stream.end('done');
  });
});
listen(server);
";

#[tokio::test]
async fn streams_above_the_last_of_a_goaway_are_sent_again() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target(LEAVING).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    for round in 0..10 {
        let method = if round % 2 == 0 { "GET" } else { "POST" };
        let reply = gateway.call(&proxy.request(method, "/").body("x")).await?;
        expect::ok(&reply).with_context(|| format!("round {round}"))?;
    }
    Ok(())
}
