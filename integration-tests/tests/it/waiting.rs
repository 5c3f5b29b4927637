//! Calls whose body is still on its way while the configuration changes: they are judged by what is
//! in force when the body is there, and no secret goes where it was not configured to go.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Connection, Reply};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, id, unique};
use requestrocket_integration_tests::http2;
use requestrocket_integration_tests::target::Target;
use serde_json::json;

use crate::destination::Destination;

const BODY: &str = r#"{"model":"small"}"#;

/// A proxy with a body rule, an alias and an injected secret.
struct Scene {
    gateway: Gateway,
    target: Target,
    proxy: Proxy,
    alias: String,
    secret: String,
}

impl Scene {
    async fn new() -> Result<Self> {
        let gateway = Gateway::shared().await?;
        let target = Target::start().await?;
        let (alias, secret) = (unique("waiting"), unique("secret-of-the-first-target"));
        let plan = ProxyPlan::to(&target.url())
            .injecting(Secret::api_key(&secret))
            .with("proxyAlias", alias.clone());
        let proxy = gateway.proxy(&plan).await?;
        let rule = json!({
            "effect": "deny",
            "methods": ["POST"],
            "body": [{ "path": "$.model", "value": { "pattern": "^large$" } }],
        });
        gateway.rule(&proxy, Layer::Proxy, &rule).await?;
        Ok(Self {
            gateway,
            target,
            proxy,
            alias,
            secret,
        })
    }

    /// A call that the filter has judged once: its head and a part of its body are there.
    async fn waiting(&self) -> Result<Connection> {
        let mut call = self.proxy.request("POST", "/chat");
        call.path = format!("/api/{}/chat", self.alias);
        let parts = BODY.as_bytes().split_at(9);
        let connection = Connection::begin(&self.gateway.address, call, [parts.0, parts.1]).await?;
        // A later call is answered meanwhile: the first one has been in the filter by then.
        self.gateway.call(&self.proxy.get("/meanwhile")).await?;
        Ok(connection)
    }

    async fn finish(&self, mut connection: Connection) -> Result<Reply> {
        connection.send(&BODY.as_bytes()[9..]).await?;
        connection.answer("POST").await?.context("closed")
    }

    async fn change(&self, method: &str, path: &str, body: &serde_json::Value) -> Result<()> {
        self.gateway.api.applied(method, path, body).await?;
        Ok(())
    }

    fn proxy_record(&self) -> String {
        format!("proxies/{}", self.proxy.id)
    }

    fn credential_record(&self) -> String {
        format!("credentials/{}", self.proxy.credential_ids[0])
    }

    fn chats(&self) -> usize {
        let seen = self.target.requests();
        seen.iter().filter(|one| one.path() == "/chat").count()
    }
}

#[tokio::test]
async fn a_call_that_waited_while_nothing_changed_passes() -> Result<()> {
    let scene = Scene::new().await?;
    let reply = scene.finish(scene.waiting().await?).await?;
    ensure!(reply.status == 200, "{}", reply.text());
    let seen = scene.target.last()?;
    ensure!(seen.body == BODY.as_bytes() && seen.path() == "/chat");
    ensure!(seen.head.all("authorization") == std::slice::from_ref(&scene.secret));
    Ok(())
}

#[tokio::test]
async fn an_alias_that_goes_to_another_organisation_takes_no_secret_along() -> Result<()> {
    let scene = Scene::new().await?;
    let waiting = scene.waiting().await?;
    let none = json!(null);
    scene.change("DELETE", &scene.proxy_record(), &none).await?;
    for credential in [
        &scene.proxy.credential_ids[0],
        &scene.proxy.target_credential_id,
    ] {
        scene
            .change("DELETE", &format!("credentials/{credential}"), &none)
            .await?;
    }
    let other = scene.gateway.neighbour().await?;
    let stranger = Target::start().await?;
    let plan = ProxyPlan::to(&stranger.url()).with("proxyAlias", scene.alias.clone());
    other.proxy(&plan).await?;
    let reply = scene.finish(waiting).await?;
    ensure!(reply.code() == "CREDENTIAL_INVALID", "{}", reply.text());
    ensure!(stranger.count() == 0, "a stranger's target was asked");
    ensure!(scene.chats() == 0, "the target was asked");
    Ok(())
}

#[tokio::test]
async fn another_target_gets_the_secret_that_is_meant_for_it() -> Result<()> {
    let scene = Scene::new().await?;
    let waiting = scene.waiting().await?;
    let second = Target::start().await?;
    let target = scene.gateway.target(&second.url()).await?;
    let secret = unique("secret-of-the-second-target");
    let credential = scene
        .gateway
        .credential("target", &Secret::api_key(&secret))
        .await?;
    let change = json!({
        "proxyTargetId": id(&target, "targetId")?,
        "proxyTargetCredentialId": id(&credential, "credentialId")?,
    });
    scene
        .change("PATCH", &scene.proxy_record(), &change)
        .await?;
    let reply = scene.finish(waiting).await?;
    ensure!(reply.status == 200, "{}", reply.text());
    ensure!(scene.chats() == 0, "the former target was asked");
    ensure!(second.last()?.head.all("authorization") == [secret]);
    ensure!(second.last()?.body == BODY.as_bytes());
    Ok(())
}

#[tokio::test]
async fn what_is_forbidden_while_a_body_comes_is_forbidden_to_it() -> Result<()> {
    let deny = json!({ "effect": "deny", "priority": 1000, "methods": ["POST"] });
    let inactive = |member: &str| json!({ member: false });
    for what in ["credential", "proxy", "rule", "deleted credential"] {
        let scene = Scene::new().await?;
        let waiting = scene.waiting().await?;
        let credential = scene.credential_record();
        let code = match what {
            "credential" => {
                let change = inactive("credentialActive");
                scene.change("PATCH", &credential, &change).await?;
                "CREDENTIAL_INVALID"
            }
            "proxy" => {
                let change = inactive("proxyActive");
                scene
                    .change("PATCH", &scene.proxy_record(), &change)
                    .await?;
                "PROXY_INACTIVE"
            }
            "rule" => {
                scene
                    .gateway
                    .rule(&scene.proxy, Layer::Target, &deny)
                    .await?;
                "RULE_DENIED"
            }
            _ => {
                scene.change("DELETE", &credential, &json!(null)).await?;
                "CREDENTIAL_INVALID"
            }
        };
        let reply = scene.finish(waiting).await?;
        ensure!(reply.code() == code, "{what}: {}", reply.text());
        ensure!(scene.chats() == 0, "{what}: the target was asked");
    }
    Ok(())
}

#[tokio::test]
async fn a_filter_that_comes_while_a_body_is_sent_redacts_its_answer() -> Result<()> {
    let scene = Scene::new().await?;
    let waiting = scene.waiting().await?;
    scene.gateway.destroy(&scene.proxy, &["$.*"]).await?;
    let reply = scene.finish(waiting).await?;
    ensure!(reply.status == 200, "{}", reply.text());
    ensure!(reply.text() == "{}", "{}", reply.text());
    Ok(())
}

/// A call with a part of its body on the way, over either protocol.
enum Call {
    Http1(Connection),
    Http2(http2::Call),
}

impl Call {
    async fn begin(scene: &Scene, is_http2: bool) -> Result<Self> {
        if !is_http2 {
            return Ok(Self::Http1(scene.waiting().await?));
        }
        let url = format!("http://{}/api/{}/chat", scene.gateway.address, scene.alias);
        let request = http::Request::post(url)
            .header("authorization", &scene.proxy.authorization)
            .body(())?;
        let mut call = http2::Call::open(&scene.gateway.address, request).await?;
        call.send(BODY.as_bytes()[..9].into(), false)?;
        scene.gateway.call(&scene.proxy.get("/meanwhile")).await?;
        Ok(Self::Http2(call))
    }

    async fn finish(self, scene: &Scene) -> Result<u16> {
        match self {
            Self::Http1(connection) => Ok(scene.finish(connection).await?.status),
            Self::Http2(mut call) => {
                call.send(BODY.as_bytes()[9..].into(), true)?;
                Ok(call.reply().await?.status)
            }
        }
    }
}

/// The next of a row of numbers that look random (xorshift).
fn next(state: &mut u64, below: u64) -> Result<usize> {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    Ok(usize::try_from(*state % below)?)
}

/// Calls begin, configurations change and bodies end in any order. What arrives anywhere is what
/// was configured for that place when the body ended.
#[tokio::test]
async fn whatever_the_order_a_call_arrives_as_one_configuration_says() -> Result<()> {
    let scene = Scene::new().await?;
    let mut places = Vec::new();
    for _ in 0..3 {
        places.push(Destination::new(&scene.gateway).await?);
    }
    let started = std::time::UNIX_EPOCH.elapsed()?.as_nanos();
    let mut state = u64::try_from(started & u128::from(u64::MAX))? | 1;
    println!("seed {state}");
    let (mut at, mut waiting, mut arrived) = (0, Vec::new(), [0; 3]);
    scene
        .change("PATCH", &scene.proxy_record(), &places[at].change)
        .await?;
    for step in 0..60 {
        match next(&mut state, 3)? {
            0 => waiting.push(Call::begin(&scene, next(&mut state, 2)? == 0).await?),
            1 => {
                at = next(&mut state, 3)?;
                scene
                    .change("PATCH", &scene.proxy_record(), &places[at].change)
                    .await?;
            }
            _ if waiting.is_empty() => {}
            _ => {
                let one = next(&mut state, u64::try_from(waiting.len())?)?;
                let status = waiting.swap_remove(one).finish(&scene).await?;
                ensure!(status == 200, "step {step}: {status}");
                arrived[at] += 1;
            }
        }
    }
    for (number, place) in places.iter().enumerate() {
        let received = place.target.requests();
        let chats: Vec<_> = received
            .iter()
            .filter(|call| call.path() == "/chat")
            .collect();
        ensure!(chats.len() == arrived[number], "destination {number}");
        let is_own = |value: &[String]| value == std::slice::from_ref(&place.secret);
        ensure!(
            received
                .iter()
                .all(|call| is_own(&call.head.all("authorization")))
        );
        ensure!(chats.iter().all(|call| call.body == BODY.as_bytes()));
    }
    Ok(())
}

/// It is the caller's fault and not the target's, which would be 504 some seconds later. Also when a
/// byte comes now and then, and when nobody but the target waits for the body.
#[tokio::test]
async fn a_body_that_never_comes_ends_its_call() -> Result<()> {
    let scene = Scene::new().await?;
    let silent = async {
        let reply = scene.waiting().await?.answer("POST").await?;
        reply.context("closed")
    };
    let (silent, slow) = tokio::try_join!(silent, dribbled(&scene))?;
    for reply in [silent, slow] {
        ensure!(reply.status == 408, "{}", reply.text());
        ensure!(reply.code() == "BAD_REQUEST", "{}", reply.text());
    }
    ensure!(scene.chats() == 0, "the target was asked");
    let seen = scene.target.requests();
    let unjudged = seen.iter().find(|one| one.path() == "/unjudged");
    ensure!(unjudged.is_some_and(|one| !one.complete), "not sent on");
    Ok(())
}

/// A body that no rule looks into, a byte every two seconds.
async fn dribbled(scene: &Scene) -> Result<Reply> {
    let call = scene.proxy.request("PUT", "/unjudged");
    let call = call.with("content-length", "1000");
    let mut wire = scene.gateway.connect().await?;
    wire.send(&call.bytes()).await?;
    let mut dribble = tokio::time::interval(std::time::Duration::from_secs(2));
    loop {
        tokio::select! {
            reply = wire.answer("PUT") => return reply?.context("closed"),
            _ = dribble.tick() => {}
        }
        wire.send(b"x").await?;
    }
}
