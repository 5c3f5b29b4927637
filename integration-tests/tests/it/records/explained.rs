//! Why a call passed is known when its rules are gone, and what others would have made of it.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Reply;
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::target::{Script, Target, head, send};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use super::{all, check, of};

async fn target() -> Result<Target> {
    let script = |_: &_| {
        let lines = [
            ("content-type", "application/json"),
            ("content-length", "15"),
        ];
        Script::AfterRequest(vec![head("200 OK", &lines), send(r#"{"secret":true}"#)])
    };
    Target::answering(script).await
}

/// Once the region has written what was in force.
async fn explained(gateway: &Gateway, proxy: &Proxy, reply: &Reply) -> Result<Value> {
    of(gateway, proxy, reply).await?;
    let id = reply.header("requestrocket-request-id")?;
    let path = format!("proxies/{}/requests/{id}/explain", proxy.id);
    wait::until("the explanation", || async {
        let told = gateway.api.get(&path).await?.succeeded()?.json;
        Ok((told["configurationKnown"] == true).then_some(told))
    })
    .await
}

fn layer<'a>(told: &'a Value, name: &str) -> Result<&'a Value> {
    let layers = told["layers"].as_array().context("layers")?;
    let found = layers.iter().find(|layer| layer["layer"] == name);
    found.with_context(|| told.to_string())
}

#[tokio::test]
async fn a_call_is_explained_by_rules_that_are_gone() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let rule = json!({ "effect": "deny", "path": { "pattern": "^/denied" } });
    let rule = gateway.rule(&proxy, Layer::Proxy, &rule).await?;
    let filter = json!({ "operation": "destroy", "paths": ["$.secret"] });
    let filter = gateway.filter(&proxy, Layer::Target, &filter).await?;
    let denied = gateway.call(&proxy.get("/denied")).await?;
    let passed = gateway.call(&proxy.get("/passed")).await?;
    gateway
        .detach(&format!("proxies/{}/rules/{rule}", proxy.id))
        .await?;
    let again = gateway.call(&proxy.get("/denied")).await?;
    ensure!((denied.status, again.status) == (403, 200));
    let told = explained(&gateway, &proxy, &denied).await?;
    check(
        &told,
        &json!({"effect": "deny", "code": "RULE_DENIED", "filters": [], "unknown": []}),
    )?;
    let decided = layer(&told, "proxy")?;
    ensure!(
        decided["decidedBy"] == rule && decided["rules"][0]["matched"] == true,
        "{told}"
    );
    let told = explained(&gateway, &proxy, &passed).await?;
    let applied = json!([{"stage": "target", "filterId": filter, "operation": "destroy",
        "applied": true}]);
    let removed = json!([{"stage": "target", "removed": 1}]);
    check(
        &told,
        &json!({"effect": "allow", "filters": applied, "removed": removed}),
    )?;
    let failed = &layer(&told, "proxy")?["rules"][0]["failed"][0];
    ensure!(failed["condition"] == "path", "{told}");
    let told = explained(&gateway, &proxy, &again).await?;
    ensure!(layer(&told, "proxy")?["rules"] == json!([]), "{told}");
    let neighbour = gateway.neighbour().await?;
    let id = denied.header("requestrocket-request-id")?;
    let path = format!("proxies/{}/requests/{id}/explain", proxy.id);
    ensure!(neighbour.api.get(&path).await?.status == 404);
    Ok(())
}

#[tokio::test]
async fn proposed_rules_and_filters_are_rehearsed_on_what_was_called() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let rule = json!({ "effect": "deny", "path": { "pattern": "^/denied" } });
    gateway.rule(&proxy, Layer::Proxy, &rule).await?;
    let mut posted = None;
    for path in ["/a", "/denied", "/b"] {
        gateway.call(&proxy.get(path)).await?;
        posted = Some(
            gateway
                .call(&proxy.request("POST", path).body("{}"))
                .await?,
        );
    }
    all(&gateway, &proxy, 6).await?;
    let rehearse = async |proposal: Value| {
        let mut body = json!({"from": "0", "to": "2100-01-01T00:00:00Z"});
        for (name, value) in proposal.as_object().context("an object")? {
            body[name] = value.clone();
        }
        let path = format!("proxies/{}/rehearse", proxy.id);
        gateway.api.send("POST", &path, &body).await?.succeeded()
    };
    let posts = json!({"rules": [{"effect": "deny", "methods": ["POST"]}]});
    let told = rehearse(posts).await?.json;
    // Two POSTs that passed, and a GET that was denied.
    check(&told, &json!({"calls": 6, "changed": 3, "unknown": 0}))?;
    let last = posted.context("a call")?;
    let newest = last.header("requestrocket-request-id")?.clone();
    ensure!(
        told["examples"][0] == json!({"requestId": newest}),
        "{told}"
    );
    let bodies = json!({"rules": [rule, {"effect": "deny", "body": [{"path": "$.a"}]}]});
    let told = rehearse(bodies).await?.json;
    check(&told, &json!({"calls": 6, "changed": 0, "unknown": 2}))?;
    let filters = json!({"filters": [{"operation": "destroy", "paths": ["$.secret"],
        "path": {"pattern": "^/a"}}]});
    let told = rehearse(filters).await?.json;
    check(&told, &json!({"calls": 6, "changed": 2, "unknown": 0}))?;
    let path = format!("proxies/{}/rehearse", proxy.id);
    let refused = gateway.api.send("POST", &path, &json!({})).await?;
    ensure!(
        refused.status == 400 && refused.text.contains("rules"),
        "{}",
        refused.text
    );
    let other = gateway.neighbour().await?;
    let stranger = other.api.send("POST", &path, &json!({})).await?;
    ensure!(stranger.status == 404, "{}", stranger.text);
    Ok(())
}
