//! What the Core API says of a meter.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Scene, counting};

const WINDOWS: [&str; 4] = ["minute", "hour", "day", "month"];

fn windows(usage: &Value) -> Result<&Vec<Value>> {
    usage["windows"].as_array().context("no windows")
}

#[tokio::test]
async fn every_window_is_shown_with_its_limit() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene
        .meter(&counting(&json!({ "hour": 50, "day": 100 })))
        .await?;
    let usage = scene.gateway.usage(&scene.proxy, &meter).await?;
    let names: Vec<&str> = windows(&usage)?
        .iter()
        .filter_map(|entry| entry["window"].as_str())
        .collect();
    ensure!(names == WINDOWS, "{usage}");
    scene.granted(7).await?;
    scene.used(&meter, 7.0).await?;
    let usage = scene.gateway.usage(&scene.proxy, &meter).await?;
    for entry in windows(&usage)? {
        let (window, limit) = (entry["window"].as_str().unwrap_or(""), &entry["limit"]);
        let wanted = match window {
            "hour" => json!(50),
            "day" => json!(100),
            _ => Value::Null,
        };
        ensure!(*limit == wanted, "{entry}");
        let remaining = limit.as_u64().map_or(Value::Null, |limit| json!(limit - 7));
        if window != "minute" {
            ensure!(entry["used"] == 7 || entry["used"] == 7.0, "{entry}");
            ensure!(entry["remaining"].as_f64() == remaining.as_f64(), "{entry}");
        }
        let (start, end) = (entry["start"].as_str(), entry["end"].as_str());
        ensure!(
            start < end && start.is_some_and(|text| text.ends_with('Z')),
            "{entry}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn usage_is_of_ones_own_meters_only() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&counting(&json!({}))).await?;
    let other = scene.gateway.proxy_to(&scene.target.url()).await?;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for path in [
        format!("proxies/{}/meters/{meter}/usage", other.id),
        format!("proxies/{}/meters/{unknown}/usage", scene.proxy.id),
        format!("proxies/{unknown}/meters/{meter}/usage"),
    ] {
        let answer = scene.gateway.api.get(&path).await?;
        ensure!(answer.status == 404, "{path}: {}", answer.text);
    }
    Ok(())
}
