//! What a call costs before its caller is let in, and what it waits for after.

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use serde_json::{Value, json};

use crate::expect;

/// An Envoy with one worker, so that nobody else compiles anything.
struct Scene {
    stack: Stack,
    gateway: Gateway,
    target: Target,
    proxy: Proxy,
}

impl Scene {
    async fn start() -> Result<Self> {
        let stack = Stack::start(&["--envoy-threads", "1"]).await?;
        let gateway = Gateway::of(&stack)?;
        let target = Target::start().await?;
        let proxy = gateway.proxy_to(&target.url()).await?;
        gateway.rule(&proxy, Layer::Proxy, &heavy(0)).await?;
        gateway.rule(&proxy, Layer::Target, &heavy(1)).await?;
        Ok(Self {
            stack,
            gateway,
            target,
            proxy,
        })
    }

    /// Policies that the Envoy has compiled.
    async fn compiled(&self) -> Result<u64> {
        let page = "/stats?filter=rr_policy_compiled_total";
        let client = reqwest::Client::builder().no_proxy().build()?;
        let page = format!("{}{page}", self.stack.admin()?);
        let stats = client.get(page).send().await?.text().await?;
        match stats.trim().rsplit_once(": ") {
            Some((_, count)) => count.parse().context("a count"),
            None => Ok(0),
        }
    }

    async fn call(&self, request: &Request) -> Result<Reply> {
        self.gateway.call(request).await
    }

    fn presenting(&self, value: &str) -> Request {
        let path = format!("/api/{}/x", self.proxy.id);
        Request::get(&path).with("authorization", value)
    }
}

/// A rule that is heavy when compiled: a policy with it takes many steps.
fn heavy(n: usize) -> Value {
    let value = |k: usize| json!({ "pattern": format!(r"^\w\w\w\w\w\w{n}-{k}$") });
    let headers: Vec<Value> = (0..20)
        .map(|k| json!({ "name": { "pattern": format!("^x-heavy-{k}$") }, "value": value(k) }))
        .collect();
    json!({ "effect": "deny", "headers": headers })
}

#[tokio::test]
async fn only_callers_who_are_let_in_have_a_policy_compiled() -> Result<()> {
    let scene = Scene::start().await?;
    let before = scene.compiled().await?;
    for _ in 0..20 {
        let path = format!("/api/{}/x", scene.proxy.id);
        expect::denied(
            &scene.call(&Request::get(&path)).await?,
            401,
            "CREDENTIAL_MISSING",
        )?;
        let wrong = scene.call(&scene.presenting("wrong")).await?;
        expect::denied(&wrong, 403, "CREDENTIAL_INVALID")?;
    }
    let after = scene.compiled().await?;
    ensure!(after == before, "{before} became {after}");
    // Many at once wait for the same policy, and all get on.
    let requests: Vec<Request> = (0..30).map(|n| scene.proxy.get(&format!("/{n}"))).collect();
    for reply in join_all(requests.iter().map(|request| scene.call(request))).await {
        expect::ok(&reply?)?;
    }
    let after = scene.compiled().await?;
    ensure!(after == before + 1, "{before} became {after}");
    ensure!(scene.target.count() == 30, "the target was not asked");
    Ok(())
}

#[tokio::test]
async fn a_call_with_a_body_waits_for_a_heavy_policy_too() -> Result<()> {
    let scene = Scene::start().await?;
    let rule = json!({
        "effect": "deny",
        "methods": ["POST"],
        "body": [{ "path": "$.model", "value": { "pattern": "^large$" } }],
    });
    let rule = scene
        .gateway
        .rule(&scene.proxy, Layer::Proxy, &rule)
        .await?;
    let post = |body: &'static str| scene.proxy.request("POST", "/chat").body(body);
    // The first one finds nothing compiled; a head of its own is judged before the body comes.
    let denied = scene.call(&post(r#"{"model":"large"}"#)).await?;
    expect::rule_denied(&denied, Layer::Proxy, &rule)?;
    expect::ok(&scene.call(&post(r#"{"model":"small"}"#)).await?)?;
    // What is attached later is compiled anew, and enforced at once.
    let more = heavy(2);
    scene
        .gateway
        .rule(&scene.proxy, Layer::TargetCredential, &more)
        .await?;
    let before = scene.compiled().await?;
    expect::ok(&scene.call(&post(r#"{"model":"small"}"#)).await?)?;
    ensure!(
        scene.compiled().await? == before + 1,
        "it was not compiled anew"
    );
    Ok(())
}
