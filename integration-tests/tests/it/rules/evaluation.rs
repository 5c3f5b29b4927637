//! The Core API's evaluation of a sample call says what the gateway would do.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Request;
use serde_json::{Value, json};

use super::{Scene, allowing};

/// The same call for the Core API.
fn sample(call: &Request, path: &str, query: &str) -> Value {
    let headers: Vec<[String; 2]> = call
        .lines
        .iter()
        .filter(|(name, _)| name != "authorization")
        .map(|(name, value)| [name.clone(), String::from_utf8_lossy(value).into_owned()])
        .collect();
    let body = (!call.body.is_empty()).then(|| String::from_utf8_lossy(&call.body).into_owned());
    json!({
        "method": call.method,
        "path": path,
        "headers": headers,
        "query": query,
        "body": body,
    })
}

/// A deny rule on each layer; their ids.
async fn one_on_each(scene: &Scene) -> Result<Vec<String>> {
    let mut rules = Vec::new();
    for (layer, rule) in [
        (Layer::ProxyCredential, json!({ "methods": ["DELETE"] })),
        (
            Layer::TargetCredential,
            json!({ "headers": [{ "name": { "pattern": "^x-b$" } }] }),
        ),
        (
            Layer::Target,
            json!({ "query": [{ "name": { "pattern": "^c$" } }] }),
        ),
        (Layer::Proxy, json!({ "body": [{ "path": "$.d" }] })),
    ] {
        let mut rule = rule;
        rule["effect"] = "deny".into();
        rules.push(scene.rule(layer, &rule).await?);
    }
    Ok(rules)
}

#[tokio::test]
async fn evaluation_and_enforcement_are_one() -> Result<()> {
    let scene = Scene::start().await?;
    let rules = one_on_each(&scene).await?;
    let call = |method: &str, query: &str| scene.proxy.request(method, &format!("/p?{query}"));
    let cases = [
        (call("GET", "a"), "a", None),
        (call("DELETE", "a"), "a", Some(0)),
        (call("GET", "a").with("X-B", "1"), "a", Some(1)),
        (call("GET", "c=1"), "c=1", Some(2)),
        (call("POST", "a").body(r#"{"d":1}"#), "a", Some(3)),
        (call("POST", "a").body(r#"{"e":1}"#), "a", None),
        (
            call("DELETE", "c").with("x-b", "1").body(r#"{"d":1}"#),
            "c",
            Some(0),
        ),
    ];
    for (call, query, decided) in cases {
        let label = format!("{} {query} {:?}", call.method, call.lines);
        let answer = scene
            .gateway
            .evaluate(&scene.proxy, &sample(&call, "/p", query))
            .await?;
        let verdict = answer.succeeded()?.json;
        let effect = if decided.is_some() { "deny" } else { "allow" };
        ensure!(verdict["effect"] == effect, "{label}: {verdict}");
        let names: Vec<&str> = layers(&verdict)?
            .iter()
            .filter_map(|entry| entry["layer"].as_str())
            .collect();
        ensure!(names == Layer::ALL.map(Layer::word), "{label}: {verdict}");
        match decided {
            None => drop(scene.passes(&call).await.context(label)?),
            Some(at) => {
                let layer = Layer::ALL[at];
                scene
                    .denied(&call, layer, &rules[at])
                    .await
                    .context(label.clone())?;
                let entry = &layers(&verdict)?[at];
                ensure!(
                    entry["decidedBy"] == rules[at].as_str(),
                    "{label}: {verdict}"
                );
                ensure!(entry["effect"] == "deny", "{label}: {verdict}");
            }
        }
    }
    Ok(())
}

fn layers(verdict: &Value) -> Result<&Vec<Value>> {
    verdict["layers"].as_array().context("no layers")
}

#[tokio::test]
async fn what_did_not_match_is_said_with_its_place() -> Result<()> {
    let scene = Scene::start().await?;
    let rule = json!({
        "effect": "deny",
        "headers": [
            { "name": { "pattern": "^x-a$" } },
            { "name": { "pattern": "^x-b$" }, "value": { "pattern": "^1$" } },
        ],
    });
    let rule = scene.rule(Layer::Proxy, &rule).await?;
    let call = json!({ "method": "GET", "path": "/", "headers": [["x-a", "1"], ["x-b", "2"]] });
    let verdict = scene
        .gateway
        .evaluate(&scene.proxy, &call)
        .await?
        .succeeded()?
        .json;
    let entry = &layers(&verdict)?[3];
    ensure!(
        entry["decidedBy"] == "default" && entry["effect"] == "allow",
        "{verdict}"
    );
    let found = &entry["rules"][0];
    ensure!(
        found["ruleId"] == rule.as_str() && found["matched"] == false,
        "{verdict}"
    );
    let failed = found["failed"].as_array().context("failed")?;
    ensure!(failed.len() == 1, "{verdict}");
    let condition = failed[0]["condition"].as_str().unwrap_or_default();
    ensure!(condition.starts_with("headers[1]"), "{verdict}");
    ensure!(
        failed[0]["problem"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{verdict}"
    );
    Ok(())
}

/// Claims come from the sample: the one place where they can be tried without a token.
#[tokio::test]
async fn claims_of_a_sample_are_evaluated() -> Result<()> {
    let scene = Scene::start().await?;
    let rule = json!({
        "effect": "deny",
        "claims": [{ "path": "$.realm_access.roles[*]", "value": { "pattern": "^admin$" } }],
    });
    scene.rule(Layer::Proxy, &rule).await?;
    for (claims, effect) in [
        (
            json!({ "realm_access": { "roles": ["user", "admin"] } }),
            "deny",
        ),
        (json!({ "realm_access": { "roles": ["user"] } }), "allow"),
        (json!({}), "allow"),
    ] {
        let call = json!({ "method": "GET", "path": "/", "claims": claims });
        let verdict = scene
            .gateway
            .evaluate(&scene.proxy, &call)
            .await?
            .succeeded()?
            .json;
        ensure!(verdict["effect"] == effect, "{claims}: {verdict}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_or_counted_by_an_evaluation() -> Result<()> {
    let scene = Scene::start().await?;
    scene.rule(Layer::Proxy, &allowing("^/")).await?;
    let meter = json!({ "meterName": "all", "meterType": "request_count" });
    let meter = scene.gateway.meter(&scene.proxy, &meter).await?;
    let call = json!({ "method": "GET", "path": "/" });
    scene
        .gateway
        .evaluate(&scene.proxy, &call)
        .await?
        .succeeded()?;
    ensure!(scene.target.count() == 0, "the target was asked");
    let used = scene.gateway.used(&scene.proxy, &meter, "day").await?;
    ensure!(used == 0.0, "counted {used}");
    Ok(())
}
