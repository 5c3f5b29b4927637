//! What is delivered for Prometheus and Grafana speaks of what there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::external::{cache, curl, run};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan};
use requestrocket_integration_tests::target::Target;

use crate::{expect, records};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../monitoring")
        .join(name)
}

async fn promtool(arguments: &[&str], name: &str) -> Result<()> {
    let file = file(name);
    let program = cache()?.join("bin/promtool");
    let mut all = arguments.to_vec();
    all.push(file.to_str().context("a path in UTF-8")?);
    let outcome = run(&program.to_string_lossy(), &all).await?;
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    ensure!(outcome.code == Some(0), "{said}");
    Ok(())
}

#[tokio::test]
async fn prometheus_accepts_the_rules_and_each_fires_for_its_cause() -> Result<()> {
    promtool(&["check", "rules"], "alerts.yaml").await?;
    promtool(&["test", "rules"], "alerts.test.yaml").await
}

/// Names of metrics of ours.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| word.starts_with("rr_"));
    ours.map(str::to_owned).collect()
}

/// A rule or a panel about a metric that is called otherwise shows nothing, for ever.
#[tokio::test]
async fn the_rules_and_the_board_speak_of_metrics_that_there_are() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy(&ProxyPlan::to(&target.url())).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::ok(&reply)?;
    records::of(&gateway, &proxy, &reply).await?;
    let mut there = BTreeSet::new();
    let region = gateway.file.regions.first().context("a region")?;
    for url in [&gateway.file.core_api, &region.server_url] {
        let shown = curl(&[&format!("{url}/metrics")]).await?;
        there.extend(names(&shown.stdout));
    }
    for name in ["alerts.yaml", "grafana.json"] {
        let spoken_of = names(&std::fs::read_to_string(file(name))?);
        ensure!(spoken_of.len() > 10, "{spoken_of:?}");
        let missing: Vec<_> = spoken_of.difference(&there).collect();
        ensure!(missing.is_empty(), "{name}: {missing:?}");
    }
    Ok(())
}

/// What Grafana would show as an empty panel, or not at all.
#[test]
fn each_panel_of_the_board_has_its_place_and_a_question() -> Result<()> {
    let board: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file("grafana.json"))?)?;
    let panels = board["panels"].as_array().context("panels")?;
    let mut ids = BTreeSet::new();
    for panel in panels {
        ensure!(
            ids.insert(panel["id"].as_u64().context("an id")?),
            "{panel}"
        );
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().context("targets")?;
        ensure!(!targets.is_empty(), "{panel}");
        for target in targets {
            ensure!(
                target["expr"]
                    .as_str()
                    .is_some_and(|expr| expr.contains("rr_")),
                "{panel}"
            );
        }
    }
    Ok(())
}
