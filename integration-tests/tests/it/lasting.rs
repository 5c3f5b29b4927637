//! Calls that last: they end soon after their caller may no longer call, and no others do.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt as _, StreamExt as _};
use requestrocket_integration_tests::caller::{Connection, Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::target::{Gate, Script, Step, Target, chunk, head, send};
use requestrocket_integration_tests::wait;
use requestrocket_integration_tests::wire::{Framing, Part};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::streams::{EchoServer, handshake};

/// What a change may take to end what is open.
const SOON: Duration = Duration::from_secs(5);

/// Sends an event at each opening of the gate.
async fn events(gate: &Gate) -> Result<Target> {
    let held = gate.clone();
    Target::answering(move |_| {
        let mut steps = vec![head(
            "200 OK",
            &[
                ("content-type", "text/event-stream"),
                ("transfer-encoding", "chunked"),
            ],
        )];
        for _ in 0..100 {
            steps.push(chunk("data: {}\n\n"));
            steps.push(Step::Wait(held.clone()));
        }
        steps.push(send("0\r\n\r\n"));
        Script::AfterRequest(steps)
    })
    .await
}

/// One caller's two open calls.
struct Open {
    socket: WebSocketStream<TcpStream>,
    stream: Connection,
    framing: Framing,
}

/// Two proxies with the same two callers: of WebSockets and of events.
struct Scene {
    gateway: Gateway,
    sockets: Proxy,
    streams: Proxy,
    keys: [String; 2],
    gate: Gate,
    _server: EchoServer,
    _target: Target,
}

impl Scene {
    async fn new() -> Result<Self> {
        let gateway = Gateway::shared().await?;
        let (server, gate) = (EchoServer::start().await?, Gate::default());
        let target = events(&gate).await?;
        let keys = [unique("leaver"), unique("stayer")];
        let callers = keys.each_ref().map(|key| Secret::api_key(key));
        let sockets = ProxyPlan::to(&server.url).callers(&callers);
        let sockets = gateway.proxy(&sockets).await?;
        let both = json!(sockets.credential_ids);
        let streams = ProxyPlan::to(&target.url()).with("proxyProxyCredentialIds", both);
        let streams = gateway.proxy(&streams).await?;
        Ok(Self {
            gateway,
            sockets,
            streams,
            keys,
            gate,
            _server: server,
            _target: target,
        })
    }

    /// One for each caller that has been there.
    fn next_events(&self) {
        self.keys.iter().for_each(|_| self.gate.open());
    }

    async fn open(&self, key: &str) -> Result<Open> {
        let socket = handshake(&self.gateway, &self.sockets, Some(key)).await?;
        let mut stream = self.gateway.connect().await?;
        let call = Request::get(&self.streams.path("/events")).with("authorization", key);
        stream.send(&call.bytes()).await?;
        let reply = stream.answer_head().await?.context("closed")?;
        ensure!(reply.status == 200, "{}", reply.status);
        let mut open = Open {
            socket,
            stream,
            framing: Framing::Chunked,
        };
        open.takes_an_event().await?;
        open.echoes("hello").await?;
        Ok(open)
    }
}

impl Open {
    async fn echoes(&mut self, text: &str) -> Result<()> {
        self.socket.send(Message::text(text)).await?;
        let back = self.socket.next().await.context("closed")??;
        ensure!(back == Message::text(text), "{back:?}");
        Ok(())
    }

    async fn takes_an_event(&mut self) -> Result<()> {
        let part = self.stream.part(&mut self.framing).await?;
        ensure!(matches!(part, Part::Data(_)), "the stream ended");
        Ok(())
    }

    /// Both end without an end of their own.
    async fn ends(mut self) -> Result<()> {
        let socket = async {
            while let Some(Ok(message)) = self.socket.next().await {
                ensure!(!message.is_close(), "closed as if nothing was wrong");
            }
            Ok(())
        };
        let stream = async {
            loop {
                match self.stream.part(&mut self.framing).await? {
                    Part::Data(_) => {}
                    Part::Cut => return Ok(()),
                    Part::End(_) => bail!("ended as if it were whole"),
                }
            }
        };
        let both = async { tokio::try_join!(socket, stream).map(drop) };
        wait::within(SOON, "the end of both", both).await
    }
}

/// Makes the change and waits until what was open is not any more.
async fn ended_by(scene: &Scene, change: (&str, &str, Value), open: Open) -> Result<()> {
    let (method, path, body) = change;
    scene.gateway.api.applied(method, path, &body).await?;
    open.ends().await
}

#[tokio::test]
async fn what_a_credential_opened_ends_with_it() -> Result<()> {
    let none = Value::Null;
    for (method, body) in [
        ("PATCH", json!({ "credentialActive": false })),
        ("DELETE", none),
    ] {
        let scene = Scene::new().await?;
        let [leaver, stayer] = &scene.keys;
        let ends = scene.open(leaver).await?;
        let mut stays = scene.open(stayer).await?;
        let record = format!("credentials/{}", scene.sockets.credential_ids[0]);
        ended_by(&scene, (method, &record, body), ends).await?;
        stays.echoes("still here").await?;
        scene.next_events();
        stays.takes_an_event().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_a_credential_opened_ends_when_the_proxy_no_longer_lists_it() -> Result<()> {
    let scene = Scene::new().await?;
    let [leaver, stayer] = &scene.keys;
    let ends = scene.open(leaver).await?;
    let mut stays = scene.open(stayer).await?;
    for proxy in [&scene.sockets, &scene.streams] {
        let left = json!({ "proxyProxyCredentialIds": [scene.sockets.credential_ids[1]] });
        let record = format!("proxies/{}", proxy.id);
        scene.gateway.api.applied("PATCH", &record, &left).await?;
    }
    ends.ends().await?;
    stays.echoes("still here").await
}

#[tokio::test]
async fn what_leads_through_a_proxy_ends_with_it() -> Result<()> {
    for (method, body) in [
        ("PATCH", json!({ "proxyActive": false })),
        ("DELETE", Value::Null),
    ] {
        let scene = Scene::new().await?;
        let [one, other] = &scene.keys;
        let (first, second) = (scene.open(one).await?, scene.open(other).await?);
        for proxy in [&scene.sockets, &scene.streams] {
            let record = format!("proxies/{}", proxy.id);
            scene.gateway.api.applied(method, &record, &body).await?;
        }
        tokio::try_join!(first.ends(), second.ends())?;
    }
    Ok(())
}

/// Other changes of a proxy leave alone what is open.
#[tokio::test]
async fn what_is_open_outlives_other_changes() -> Result<()> {
    let scene = Scene::new().await?;
    let mut open = scene.open(&scene.keys[0]).await?;
    for proxy in [&scene.sockets, &scene.streams] {
        let change = json!({ "proxyTimeoutSeconds": 7 });
        let record = format!("proxies/{}", proxy.id);
        scene.gateway.api.applied("PATCH", &record, &change).await?;
    }
    // What ended with this is looked at together with what the change might have ended.
    let leaver = scene.open(&scene.keys[1]).await?;
    let record = format!("credentials/{}", scene.sockets.credential_ids[1]);
    ended_by(&scene, ("DELETE", &record, Value::Null), leaver).await?;
    open.echoes("still here").await?;
    scene.next_events();
    open.takes_an_event().await
}

/// A handshake that its target leaves unanswered ends with a word, too, and at once.
#[tokio::test]
async fn a_handshake_that_hangs_ends_with_its_credential() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let gate = Gate::default();
    let held = gate.clone();
    let target = Target::answering(move |_| {
        let steps = vec![Step::Wait(held.clone()), Step::Close];
        Script::AfterHead(steps)
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    let call = proxy
        .get("/socket")
        .with("connection", "upgrade")
        .with("upgrade", "websocket")
        .with("sec-websocket-version", "13")
        .with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    connection.send(&call.bytes()).await?;
    target.wait_for("the handshake", |_| true).await?;
    let record = format!("credentials/{}", proxy.credential_ids[0]);
    let none = Value::Null;
    gateway.api.applied("DELETE", &record, &none).await?;
    let answer = wait::within(SOON, "an answer", connection.answer("GET"));
    let reply: Reply = answer.await?.context("closed")?;
    ensure!(reply.code() == "CREDENTIAL_INVALID", "{}", reply.text());
    gate.open();
    Ok(())
}

/// A body that is still on its way ends with a word, because there is no answer yet.
#[tokio::test]
async fn an_upload_ends_with_its_credential() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    let call = proxy.request("POST", "/up").with("content-length", "1000");
    connection.send(&call.bytes()).await?;
    connection.send(b"a part").await?;
    target
        .wait_for("the part", |seen| seen.body_length == 6)
        .await?;
    let record = format!("credentials/{}", proxy.credential_ids[0]);
    let none = Value::Null;
    gateway.api.applied("DELETE", &record, &none).await?;
    let answer = wait::within(SOON, "an answer", connection.answer("POST"));
    let reply: Reply = answer.await?.context("closed")?;
    ensure!(reply.code() == "CREDENTIAL_INVALID", "{}", reply.text());
    Ok(())
}
