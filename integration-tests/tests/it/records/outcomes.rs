//! What filters took out and meters counted is in the record, and telemetry adds meters up.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::target::{Script, Target, head, send};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use super::{check, of};

const BODY: &str = r#"{"usage":{"tokens":7},"secret":"s","people":[{"mail":"m"},{"mail":"n"}]}"#;

/// Answers every call with the same JSON and a header that a meter reads.
async fn target() -> Result<Target> {
    let script = |_: &_| {
        let length = BODY.len().to_string();
        let lines = [
            ("content-type", "application/json"),
            ("content-length", length.as_str()),
            ("x-cost", "0.25"),
        ];
        Script::AfterRequest(vec![head("200 OK", &lines), send(BODY)])
    };
    Target::answering(script).await
}

/// One of each kind, in the order of ids: id, name, and what a call adds.
async fn meters(gateway: &Gateway, proxy: &Proxy) -> Result<Vec<(String, &'static str, Value)>> {
    let mut meters = Vec::new();
    for (name, extraction, delta) in [
        ("calls", Value::Null, json!(1)),
        (
            "tokens",
            json!({"location": "body", "path": "$.usage.tokens"}),
            json!(7),
        ),
        (
            "cost",
            json!({"location": "header", "name": "x-cost"}),
            json!(0.25),
        ),
    ] {
        let mut meter = json!({ "meterName": name, "meterType": "request_count" });
        if !extraction.is_null() {
            meter["meterType"] = json!("response_value");
            meter["extraction"] = extraction;
        }
        meters.push((gateway.meter(proxy, &meter).await?, name, delta));
    }
    meters.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(meters)
}

#[tokio::test]
async fn a_record_says_what_filters_removed_and_what_meters_counted() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for (layer, path) in [(Layer::Target, "$..mail"), (Layer::Proxy, "$.secret")] {
        let filter = json!({ "operation": "destroy", "paths": [path] });
        gateway.filter(&proxy, layer, &filter).await?;
    }
    let meters = meters(&gateway, &proxy).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    ensure!(!reply.text().contains("mail"), "{}", reply.text());
    let deltas: Vec<_> = meters
        .iter()
        .map(|(id, _, delta)| json!({"meterId": id, "delta": delta}))
        .collect();
    check(
        &of(&gateway, &proxy, &reply).await?,
        &json!({
            "filters": [{"stage": "target", "removed": 2}, {"stage": "proxy", "removed": 1}],
            "meters": deltas,
        }),
    )?;
    gateway.call(&proxy.get("/again")).await?;
    let path = format!("proxies/{}/telemetry", proxy.id);
    let want: Vec<_> = meters
        .iter()
        .map(|(id, name, delta)| {
            let total = delta.as_f64().unwrap_or_default() * 2.0;
            (id.clone(), (*name).to_owned(), total)
        })
        .collect();
    wait::until("telemetry of meters", || async {
        let told = gateway.api.get(&path).await?.succeeded()?.json;
        let found = told["meters"].as_array().cloned().unwrap_or_default();
        let found: Vec<_> = found
            .iter()
            .map(|one| {
                let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
                let total = one["total"].as_f64().unwrap_or_default();
                (text("meterId"), text("meterName"), total)
            })
            .collect();
        Ok((found == want).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_plain_call_has_no_filters_and_no_meters() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    let record = of(&gateway, &proxy, &reply).await?;
    check(&record, &json!({ "filters": [], "meters": [] }))
}
