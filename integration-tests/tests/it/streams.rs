//! Server-sent events and WebSockets: passed through as they come.

use anyhow::{Context, Result, ensure};
use futures::{SinkExt as _, StreamExt as _};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret};
use requestrocket_integration_tests::target::{
    Gate, Script, Step, Target, chunk, head, respond, send,
};
use requestrocket_integration_tests::wire::{Framing, Part};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::expect;

#[tokio::test]
async fn each_event_arrives_before_the_next_one_is_sent() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let gate = Gate::default();
    let held = gate.clone();
    let target = Target::answering(move |_| {
        let mut steps = vec![head(
            "200 OK",
            &[
                ("content-type", "text/event-stream"),
                ("transfer-encoding", "chunked"),
            ],
        )];
        for number in 0..5 {
            steps.push(chunk(&format!(
                "id: {number}\ndata: {{\"n\":{number}}}\n\n"
            )));
            steps.push(Step::Wait(held.clone()));
        }
        steps.push(send("0\r\n\r\n"));
        Script::AfterRequest(steps)
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    connection
        .send(
            &proxy
                .get("/events")
                .with("accept", "text/event-stream")
                .bytes(),
        )
        .await?;
    let reply = connection.answer_head().await?.context("closed")?;
    expect::granted(&reply)?;
    assert_eq!(reply.header("content-type")?, "text/event-stream");
    let mut framing = Framing::Chunked;
    for number in 0..5 {
        let Part::Data(event) = connection.part(&mut framing).await? else {
            anyhow::bail!("the stream ended")
        };
        assert_eq!(event, format!("id: {number}\ndata: {{\"n\":{number}}}\n\n"));
        // Only now may the target send the next one.
        gate.open();
    }
    ensure!(
        matches!(connection.part(&mut framing).await?, Part::End(_)),
        "no end"
    );
    Ok(())
}

/// A stream has no size cap.
#[tokio::test]
async fn an_event_stream_may_exceed_the_response_limit() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let kind = if request.path() == "/sse" {
            "text/event-stream; charset=utf-8"
        } else {
            "application/x-ndjson"
        };
        let mut steps = vec![head(
            "200 OK",
            &[("content-type", kind), ("transfer-encoding", "chunked")],
        )];
        steps.extend((0..40).map(|_| chunk(&format!("data: {}\n\n", "x".repeat(1000)))));
        steps.push(send("0\r\n\r\n"));
        Script::AfterRequest(steps)
    })
    .await?;
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).with("proxyMaxResponseBytes", 4096))
        .await?;
    for path in ["/sse", "/ndjson"] {
        let reply = gateway.call(&proxy.get(path)).await?;
        expect::ok(&reply).with_context(|| path.to_owned())?;
        ensure!(reply.body.len() == 40 * 1008, "{} bytes", reply.body.len());
    }
    Ok(())
}

/// A WebSocket server that gives every message back.
pub(crate) struct EchoServer {
    pub(crate) url: String,
    _tasks: JoinSet<()>,
}

impl EchoServer {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/socket", listener.local_addr()?);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                sessions.spawn(echo(stream));
            }
        });
        Ok(Self { url, _tasks: tasks })
    }
}

async fn echo(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        if !message.is_close() && socket.send(message).await.is_err() {
            return;
        }
    }
}

pub(crate) async fn handshake(
    gateway: &Gateway,
    proxy: &Proxy,
    authorization: Option<&str>,
) -> Result<tokio_tungstenite::WebSocketStream<TcpStream>, Error> {
    let mut request =
        format!("ws://{}{}", gateway.address, proxy.path("/chat?room=1")).into_client_request()?;
    if let Some(value) = authorization.and_then(|value| value.parse().ok()) {
        request.headers_mut().insert("authorization", value);
    }
    let stream = TcpStream::connect(&gateway.address).await?;
    let (socket, response) = tokio_tungstenite::client_async(request, stream).await?;
    assert_eq!(
        response.headers()["requestrocket-proxy-code"],
        "proxy-access-granted"
    );
    assert!(response.headers().contains_key("requestrocket-request-id"));
    Ok(socket)
}

#[tokio::test]
async fn a_websocket_carries_messages_both_ways() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let server = EchoServer::start().await?;
    let plan = ProxyPlan::to(&server.url).injecting(Secret::api_key("socket-key"));
    let proxy = gateway.proxy(&plan).await?;
    let mut socket = handshake(&gateway, &proxy, Some(&proxy.authorization)).await?;
    for message in [
        Message::text("hello"),
        Message::binary(vec![0, 255, 1]),
        Message::text("x".repeat(100_000)),
    ] {
        socket.send(message.clone()).await?;
        let back = socket.next().await.context("closed")??;
        ensure!(back == message, "a message changed");
    }
    socket.close(None).await?;
    Ok(())
}

#[tokio::test]
async fn a_websocket_needs_a_credential() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let server = EchoServer::start().await?;
    let proxy = gateway.proxy_to(&server.url).await?;
    for (authorization, status) in [(None, 401), (Some("wrong"), 403)] {
        match handshake(&gateway, &proxy, authorization).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status),
            other => anyhow::bail!("{other:?}"),
        }
    }
    Ok(())
}

/// A target that does not want the upgrade says so with its own status. Envoy drops the body of
/// such an answer, and turns 2xx and 3xx into an answer of its own, so 4xx it is.
#[tokio::test]
async fn a_refused_upgrade_passes_with_its_status() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target =
        Target::answering(|_| respond("426 Upgrade Required", &[("x-why", "not here")], b""))
            .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let reply = gateway
        .call(&upgrade(proxy.get("/no"), "websocket"))
        .await?;
    ensure!(reply.status == 426, "{reply:?}");
    expect::granted(&reply)?;
    assert_eq!(reply.header("x-why")?, "not here");
    assert_eq!(target.last()?.head.all("upgrade"), ["websocket"]);
    Ok(())
}

/// Any other protocol is dropped like every hop-by-hop header.
#[tokio::test]
async fn only_websockets_are_upgraded() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for other in ["h2c", "foo", "TLS/1.2"] {
        expect::ok(&gateway.call(&upgrade(proxy.get("/no"), other)).await?)?;
        ensure!(
            target.last()?.head.all("upgrade").is_empty(),
            "`upgrade: {other}` reached the target"
        );
    }
    Ok(())
}

pub(crate) fn upgrade(request: Request, protocol: &str) -> Request {
    request
        .with("connection", "Upgrade")
        .with("upgrade", protocol)
        .with("sec-websocket-version", "13")
        .with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}
