//! Rules on the four attachments: which one decides, and what a denial says.

mod bodies;
mod conditions;
mod evaluation;
mod shapes;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, Secret, unique};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::{Target, echo_body};
use serde_json::{Value, json};

use crate::scene::Echoes;
use crate::{expect, scene};

type Scene = scene::Scene<Echoes>;

impl Scene {
    /// The call reaches the target, and the answer the caller.
    async fn passes(&self, request: &Request) -> Result<Reply> {
        let before = self.target.count();
        let reply = self.gateway.call(request).await?;
        expect::ok(&reply)?;
        ensure!(
            self.target.count() == before + 1,
            "the target was not asked"
        );
        Ok(reply)
    }

    /// The call is denied by that rule of that layer before the target is asked.
    async fn denied(&self, request: &Request, layer: Layer, rule_id: &str) -> Result<()> {
        let before = self.target.count();
        let reply = self.gateway.call(request).await?;
        expect::rule_denied(&reply, layer, rule_id)?;
        ensure!(self.target.count() == before, "the target was asked");
        Ok(())
    }

    async fn rule(&self, layer: Layer, rule: &Value) -> Result<String> {
        self.gateway.rule(&self.proxy, layer, rule).await
    }
}

fn denying(path: &str) -> Value {
    json!({ "effect": "deny", "path": { "pattern": path } })
}

fn allowing(path: &str) -> Value {
    json!({ "effect": "allow", "path": { "pattern": path } })
}

#[tokio::test]
async fn a_rule_denies_on_each_of_the_four_attachments() -> Result<()> {
    let scene = Scene::start().await?;
    for layer in Layer::ALL {
        let rule = scene.rule(layer, &denying("^/secret")).await?;
        let call = scene.proxy.get("/secret/plans");
        scene.denied(&call, layer, &rule).await?;
        scene.passes(&scene.proxy.get("/open/secret")).await?;
        let path = format!("{}/rules/{rule}", scene.proxy.record(layer));
        scene.gateway.detach(&path).await?;
        scene.passes(&call).await.context(layer.word())?;
    }
    Ok(())
}

#[tokio::test]
async fn every_layer_must_allow_by_a_rule_or_by_its_default() -> Result<()> {
    let scene = Scene::start().await?;
    for layer in Layer::ALL {
        let default = |effect| scene.gateway.default_effect(&scene.proxy, layer, effect);
        default("deny").await?;
        scene
            .denied(&scene.proxy.get("/"), layer, "default")
            .await?;
        let rule = scene.rule(layer, &allowing("^/ok")).await?;
        scene.passes(&scene.proxy.get("/ok")).await?;
        scene
            .denied(&scene.proxy.get("/no"), layer, "default")
            .await?;
        default("allow").await?;
        scene.passes(&scene.proxy.get("/no")).await?;
        let path = format!("{}/rules/{rule}", scene.proxy.record(layer));
        scene.gateway.detach(&path).await?;
    }
    Ok(())
}

#[tokio::test]
async fn of_several_denying_layers_the_first_is_named() -> Result<()> {
    let scene = Scene::start().await?;
    let mut rules = Vec::new();
    for layer in Layer::ALL {
        rules.push((layer, scene.rule(layer, &denying("^/")).await?));
    }
    let call = scene.proxy.get("/");
    for (layer, rule) in rules {
        scene.denied(&call, layer, &rule).await?;
        let path = format!("{}/rules/{rule}", scene.proxy.record(layer));
        scene.gateway.detach(&path).await?;
    }
    scene.passes(&call).await?;
    Ok(())
}

#[tokio::test]
async fn priority_decides_and_at_equal_priority_deny() -> Result<()> {
    // Each rule: effect, priority, path. The wanted one by its place, None for the default.
    type Rules = &'static [(&'static str, u32, &'static str)];
    let cases: &[(Rules, &str, Option<usize>)] = &[
        (
            &[("deny", 500, "^/v"), ("allow", 501, "^/v1")],
            "/v1",
            Some(1),
        ),
        (
            &[("deny", 500, "^/v"), ("allow", 501, "^/v1")],
            "/v2",
            Some(0),
        ),
        (
            &[("allow", 500, "^/v"), ("deny", 500, "^/v1")],
            "/v1",
            Some(1),
        ),
        (
            &[("deny", 500, "^/v1"), ("allow", 500, "^/v")],
            "/v1",
            Some(0),
        ),
        (
            &[("allow", 0, "^/v"), ("deny", 1000, "^/v1/x")],
            "/v1",
            Some(0),
        ),
        (
            &[("deny", 0, "^/v"), ("allow", 1, "^/other")],
            "/v1",
            Some(0),
        ),
        (&[("allow", 1000, "^/x"), ("deny", 999, "^/y")], "/v1", None),
    ];
    let scene = Scene::start().await?;
    for (number, (rules, path, wanted)) in cases.iter().enumerate() {
        let mut ids = Vec::new();
        for (effect, priority, pattern) in *rules {
            let path = json!({ "pattern": pattern });
            let rule = json!({ "effect": effect, "priority": priority, "path": path });
            ids.push(scene.rule(Layer::Proxy, &rule).await?);
        }
        let call = scene.proxy.get(path);
        match wanted.map(|at| (rules[at].0, &ids[at])) {
            Some(("deny", rule)) => scene.denied(&call, Layer::Proxy, rule).await,
            _ => scene.passes(&call).await.map(drop),
        }
        .with_context(|| format!("case {number}"))?;
        for rule in ids {
            let path = format!("proxies/{}/rules/{rule}", scene.proxy.id);
            scene.gateway.detach(&path).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_inactive_rule_does_nothing() -> Result<()> {
    let scene = Scene::start().await?;
    let rule = scene.rule(Layer::Target, &denying("^/")).await?;
    let path = format!("{}/rules/{rule}", scene.proxy.record(Layer::Target));
    let call = scene.proxy.get("/");
    for round in 0..2 {
        scene.denied(&call, Layer::Target, &rule).await?;
        let off = json!({ "ruleActive": false });
        scene.gateway.api.applied("PATCH", &path, &off).await?;
        scene.passes(&call).await.context(round)?;
        let on = json!({ "ruleActive": true });
        scene.gateway.api.applied("PATCH", &path, &on).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_first_layer_is_that_of_the_credential_that_was_used() -> Result<()> {
    let keys = [unique("first-key"), unique("second-key")];
    let secrets = keys.each_ref().map(|key| Secret::api_key(key));
    let scene = Scene::with(|plan| plan.callers(&secrets)).await?;
    let second = format!("credentials/{}", scene.proxy.credential_ids[1]);
    let path = format!("{second}/rules");
    let made = scene
        .gateway
        .api
        .applied("POST", &path, &denying("^/x"))
        .await?;
    let rule = made.text_at("/ruleId").to_owned();
    let by = |key: &str| Request::get(&scene.proxy.path("/x")).with("authorization", key);
    scene.passes(&by(&keys[0])).await?;
    scene
        .denied(&by(&keys[1]), Layer::ProxyCredential, &rule)
        .await
}

#[tokio::test]
async fn a_rule_of_a_shared_record_holds_for_every_proxy_that_uses_it() -> Result<()> {
    let scene = Scene::start().await?;
    let body = json!({
        "proxyName": unique("sibling"),
        "proxyRegion": scene.gateway.region,
        "proxyProxyCredentialIds": scene.proxy.credential_ids,
        "proxyTargetId": scene.proxy.target_id,
        "proxyTargetCredentialId": scene.proxy.target_credential_id,
    });
    let made = scene.gateway.api.applied("POST", "proxies", &body).await?;
    let sibling = Proxy {
        id: made.text_at("/proxyId").to_owned(),
        ..scene.proxy.clone()
    };
    let shared = [
        Layer::ProxyCredential,
        Layer::TargetCredential,
        Layer::Target,
    ];
    for layer in shared {
        let rule = scene.rule(layer, &denying("^/x")).await?;
        for proxy in [&scene.proxy, &sibling] {
            scene.denied(&proxy.get("/x"), layer, &rule).await?;
        }
        let path = format!("{}/rules/{rule}", scene.proxy.record(layer));
        scene.gateway.detach(&path).await?;
    }
    let own = scene.rule(Layer::Proxy, &denying("^/x")).await?;
    scene
        .denied(&scene.proxy.get("/x"), Layer::Proxy, &own)
        .await?;
    scene.passes(&sibling.get("/x")).await?;
    Ok(())
}

/// All layers are compiled at once, on the first call of each worker.
#[tokio::test]
async fn a_proxy_with_as_many_patterns_as_it_may_have_is_served() -> Result<()> {
    let scene = Scene::start().await?;
    let mut attached = 0;
    for layer in Layer::ALL.into_iter().cycle() {
        let names: Vec<_> = (0..10)
            .map(|name| json!({ "name": { "pattern": format!(r"\w\w\w\w{attached}-{name}") } }))
            .collect();
        let rule = json!({ "effect": "deny", "query": names });
        let path = format!("{}/rules", scene.proxy.record(layer));
        let answer = scene.gateway.api.send("POST", &path, &rule).await?;
        if answer.code() == "LIMIT_REACHED" {
            break;
        }
        answer.succeeded()?;
        attached += 1;
        ensure!(attached < 100, "there is no end");
    }
    ensure!(attached > 8, "only {attached}");
    for _ in 0..20 {
        scene.passes(&scene.proxy.get("/x")).await?;
    }
    let denied = scene.rule(Layer::Proxy, &denying("^/x$")).await?;
    scene
        .denied(&scene.proxy.get("/x"), Layer::Proxy, &denied)
        .await
}

#[tokio::test]
async fn a_denial_says_nothing_of_the_rule_but_its_id() -> Result<()> {
    let scene = Scene::start().await?;
    let rule = json!({
        "effect": "deny",
        "path": { "pattern": "^/hidden-pattern" },
        "notes": "hidden-note",
    });
    scene.rule(Layer::Proxy, &rule).await?;
    let reply = scene
        .gateway
        .call(&scene.proxy.get("/hidden-pattern"))
        .await?;
    expect::denied(&reply, 403, "RULE_DENIED")?;
    let all = format!("{:?}{}", reply.head, reply.text());
    ensure!(!all.contains("hidden"), "{all}");
    let head = scene.proxy.request("HEAD", "/hidden-pattern");
    let reply = scene.gateway.call(&head).await?;
    ensure!((reply.status, reply.body.len()) == (403, 0), "{reply:?}");
    Ok(())
}

/// Who is no caller learns nothing of rules, and what stops a call earlier comes first.
#[tokio::test]
async fn rules_come_after_authentication_and_the_account() -> Result<()> {
    let scene = Scene::start().await?;
    scene.rule(Layer::Proxy, &denying("^/")).await?;
    let stranger = Request::get(&scene.proxy.path("/")).with("authorization", "wrong");
    let reply = scene.gateway.call(&stranger).await?;
    expect::denied(&reply, 403, "CREDENTIAL_INVALID")?;
    let off = json!({ "proxyActive": false });
    let path = format!("proxies/{}", scene.proxy.id);
    scene.gateway.api.applied("PATCH", &path, &off).await?;
    let reply = scene.gateway.call(&scene.proxy.get("/")).await?;
    expect::denied(&reply, 403, "PROXY_INACTIVE")
}

#[tokio::test]
async fn what_is_applied_is_enforced_by_every_envoy() -> Result<()> {
    let stack = Stack::start(&["--envoys-per-region", "2", "--envoy-threads", "1"]).await?;
    let region = stack.region()?.name.clone();
    let gateways = Gateway::of_region(&stack, &region)?;
    let target = Target::answering(echo_body).await?;
    let proxy = gateways[0].proxy_to(&target.url()).await?;
    let call = proxy.get("/x");
    for round in 0..8 {
        let layer = Layer::ALL[round % Layer::ALL.len()];
        let rule = gateways[0].rule(&proxy, layer, &denying("^/x")).await?;
        for gateway in &gateways {
            expect::rule_denied(&gateway.call(&call).await?, layer, &rule)
                .with_context(|| format!("round {round}"))?;
        }
        let path = format!("{}/rules/{rule}", proxy.record(layer));
        let moved = json!({ "path": { "pattern": "^/y" } });
        gateways[0].api.applied("PATCH", &path, &moved).await?;
        for gateway in &gateways {
            expect::ok(&gateway.call(&call).await?).with_context(|| format!("round {round}"))?;
        }
        gateways[0].detach(&path).await?;
    }
    Ok(())
}
