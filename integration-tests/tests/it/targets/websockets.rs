//! WebSockets to targets that could also be spoken to in HTTP/2, and that refuse them.

use anyhow::{Context, Result, ensure};
use futures::{SinkExt as _, StreamExt as _};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Reply;
use requestrocket_integration_tests::certificates::trusted;
use requestrocket_integration_tests::external::NodeTarget;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::target::{Target, respond};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::expect;
use crate::streams::{handshake, upgrade};

/// Gives every message back, and answers other calls with their HTTP version.
const ECHO: &str = "
const server = http2.createSecureServer({ ...tls, allowHTTP1: true });
server.on('request', (request, response) => response.end(request.httpVersion));
server.on('upgrade', (request, socket) => {
  const accept = crypto.createHash('sha1')
    .update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
    .digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nupgrade: websocket\\r\\n'
    + 'connection: upgrade\\r\\nsec-websocket-accept: ' + accept + '\\r\\n\\r\\n');
  socket.on('data', (frame) => {
    const length = frame[1] & 0x7f;
    const mask = frame.subarray(2, 6);
    const body = frame.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at % 4]);
    socket.write(Buffer.concat([Buffer.from([frame[0], length]), body]));
  });
  socket.on('error', () => {});
});
listen(server);
";

#[tokio::test]
async fn a_websocket_uses_http1_where_other_calls_use_http2() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = NodeTarget::start(&trusted()?.identity(&["localhost"])?, ECHO).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    for round in 0..2 {
        let reply = gateway.call(&proxy.get("/")).await?;
        expect::ok(&reply)?;
        assert_eq!(reply.text(), "2.0", "round {round}");
        let mut socket = handshake(&gateway, &proxy, Some(&proxy.authorization)).await?;
        let message = Message::text(format!("round {round}"));
        socket.send(message.clone()).await?;
        let echo = socket.next().await.context("closed")??;
        ensure!(echo == message, "{echo:?}");
    }
    Ok(())
}

/// What a WebSocket carries is no body, so rules about bodies do not wait for one.
#[tokio::test]
async fn a_handshake_passes_rules_about_bodies() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = NodeTarget::start(&trusted()?.identity(&["localhost"])?, ECHO).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    let rule = json!({

        "effect": "deny", "body": [{"path": "$.model", "value": {"pattern": "^large$"}}],
    });
    gateway.rule(&proxy, Layer::Proxy, &rule).await?;
    let mut socket = handshake(&gateway, &proxy, Some(&proxy.authorization)).await?;
    let message = Message::text(r#"{"model":"large"}"#);
    socket.send(message.clone()).await?;
    let echo = socket.next().await.context("closed")??;
    ensure!(echo == message, "{echo:?}");
    Ok(())
}

/// An answer that is no upgrade is an answer like any other.
#[tokio::test]
async fn a_refused_upgrade_comes_through_whole() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let status = request.path().trim_start_matches('/').replace('-', " ");
        let headers = [
            ("content-type", "text/plain"),
            ("location", "/elsewhere"),
            ("requestrocket-proxy-code", "forged"),
            ("x-why", "not here"),
        ];
        respond(&status, &headers, b"no socket here")
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for status in [
        "200-OK",
        "202-Accepted",
        "302-Found",
        "401-Unauthorized",
        "426-Upgrade-Required",
        "500-Oh",
    ] {
        let request = upgrade(proxy.get(&format!("/{status}")), "websocket");
        let reply: Reply = gateway.call(&request).await?;
        let seen = format!("{status}: {reply:?}");
        ensure!(status.starts_with(&reply.status.to_string()), "{seen}");
        expect::granted(&reply).context(seen.clone())?;
        ensure!(reply.text() == "no socket here" && reply.complete, "{seen}");
        assert_eq!(reply.header("x-why")?, "not here");
        assert_eq!(reply.head.all("upgrade"), Vec::<String>::new());
    }
    Ok(())
}

/// What a caller sends before it knows the answer is no second request.
#[tokio::test]
async fn bytes_sent_before_the_handshake_ended_never_become_a_request() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| respond("200 OK", &[], b"no")).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for status in ["/"] {
        let mut bytes = upgrade(proxy.get(status), "websocket").bytes();
        bytes.extend_from_slice(b"GET /smuggled HTTP/1.1\r\nhost: target\r\n\r\n");
        let mut connection = gateway.connect().await?;
        connection.send(&bytes).await?;
        let reply = connection.answer("GET").await?.context("closed")?;
        ensure!(reply.status == 200, "{reply:?}");
        ensure!(connection.answer("GET").await?.is_none(), "a second answer");
        expect::ok(&gateway.call(&proxy.get("/after")).await?)?;
    }
    let paths: Vec<_> = target
        .requests()
        .iter()
        .map(|one| one.path().to_owned())
        .collect();
    ensure!(!paths.iter().any(|path| path == "/smuggled"), "{paths:?}");
    Ok(())
}

/// A proxy before the target would drop what `Connection` names.
#[tokio::test]
async fn a_callers_connection_names_nothing_of_ours_to_the_target() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| respond("200 OK", &[], b"no")).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let request = proxy
        .get("/")
        .with("connection", "upgrade, authorization, x-forwarded-for")
        .with("upgrade", "websocket");
    expect::ok(&gateway.call(&request).await?)?;
    let requests = target.requests();
    let head = &requests.first().context("no request")?.head;
    assert_eq!(head.all("connection"), ["upgrade"]);
    assert_eq!(head.all("upgrade"), ["websocket"]);
    Ok(())
}
