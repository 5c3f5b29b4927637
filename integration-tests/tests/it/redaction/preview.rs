//! The Core API's preview of a redaction says what the gateway would do, and which filter did it.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::target::answer::json as of_json;
use serde_json::{Value, json};

use super::{Scene, destroy, retain};
use crate::expect;

const DOCUMENT: &str = r#"{"a":[{"s":1,"n":1.50},{"s":2}],"b":"\u0041","c":{"d":1}}"#;

fn sample(document: &str) -> Value {
    json!({
        "method": "GET",
        "path": "/r",
        "headers": [],
        "query": "",
        "response": {
            "status": 200,
            "headers": [["content-type", "application/json"]],
            "body": document,
        },
    })
}

#[tokio::test]
async fn preview_and_redaction_are_one() -> Result<()> {
    let scene = Scene::start().await?;
    scene
        .filter(Layer::TargetCredential, &destroy(&["$.a[*].s"]))
        .await?;
    scene.filter(Layer::Target, &destroy(&["$.a[-1]"])).await?;
    scene
        .filter(Layer::ProxyCredential, &retain(&["$.a", "$.b"]))
        .await?;
    scene.filter(Layer::Proxy, &destroy(&["$.none"])).await?;
    for document in [DOCUMENT, "[]", "1", r#"{"a":{"s":1}}"#, r#"{"b":1,"b":2}"#] {
        let answer = scene
            .gateway
            .preview(&scene.proxy, &sample(document))
            .await?;
        let preview = answer.succeeded()?.json;
        let reply = scene.reply(of_json(document)).await?;
        expect::ok(&reply).context(document)?;
        ensure!(preview["status"] == 200, "{preview}");
        ensure!(
            preview["body"] == reply.text(),
            "{preview} and {}",
            reply.text()
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_change_names_its_stage_and_filter() -> Result<()> {
    let scene = Scene::start().await?;
    let first = scene
        .filter(Layer::TargetCredential, &destroy(&["$.a[0].s"]))
        .await?;
    scene.filter(Layer::Proxy, &retain(&["$.a"])).await?;
    let answer = scene
        .gateway
        .preview(&scene.proxy, &sample(DOCUMENT))
        .await?;
    let preview = answer.succeeded()?.json;
    let changes = preview["changes"].as_array().context("no changes")?;
    let find = |path: &str, operation: &str| {
        changes
            .iter()
            .find(|change| change["path"] == path && change["operation"] == operation)
            .with_context(|| format!("no {operation} of {path} in {preview}"))
    };
    let destroyed = find("$['a'][0]['s']", "destroy")?;
    ensure!(destroyed["stage"] == "targetCredential", "{preview}");
    ensure!(destroyed["filterId"] == first.as_str(), "{preview}");
    let left_out = changes
        .iter()
        .find(|change| change["path"] == "$['b']")
        .with_context(|| format!("nothing about $['b'] in {preview}"))?;
    ensure!(
        left_out["stage"] == "proxy" && left_out["filterId"].is_null(),
        "{preview}"
    );
    Ok(())
}

#[tokio::test]
async fn what_the_gateway_would_refuse_is_refused_in_a_preview() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let mut text = sample("text");
    text["response"]["headers"] = json!([["content-type", "text/plain"]]);
    for call in [text, sample("{"), sample("{} {}")] {
        let answer = scene.gateway.preview(&scene.proxy, &call).await?;
        ensure!(matches!(answer.status, 200 | 400 | 422), "{}", answer.text);
        if answer.status == 200 {
            ensure!(answer.json["status"] == 422, "{}", answer.text);
        }
    }
    ensure!(scene.target.count() == 0, "the target was asked");
    Ok(())
}
