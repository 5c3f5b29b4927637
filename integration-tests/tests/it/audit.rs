//! Audit logs: signed by core-api, kept by the region, verified without either.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use requestrocket_integration_tests::core_api::CoreApi;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::{binaries, wait};
use serde_json::{Value, json};

/// All of the log, once it has a checkpoint beside the last one of an export.
async fn export(api: &CoreApi) -> Result<String> {
    let lines = ("accept", "application/x-ndjson");
    wait::until("a checkpoint", || async {
        let text = api.begin("audit", &[lines]).await?.text().await?;
        let checkpoints = text.matches("\"checkpoint\":").count();
        Ok((checkpoints >= 2).then_some(text))
    })
    .await
}

fn verify(file: &Path) -> Result<Output> {
    let mut command = Command::new(binaries::path("requestrocket-core-api")?);
    Ok(command.args(["audit", "verify"]).arg(file).output()?)
}

#[tokio::test]
async fn a_log_is_verified_over_the_api_and_without_it() -> Result<()> {
    let gateway = Gateway::shared().await?.neighbour().await?;
    gateway.target("https://api.example.com").await?;
    let text = export(&gateway.api).await?;
    let verdict = gateway.api.get("audit/verify").await?.json;
    ensure!(verdict["ok"] == true, "{verdict}");
    ensure!(verdict.get("unavailableRegions").is_none(), "{verdict}");

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("audit.ndjson");
    std::fs::write(&file, &text)?;
    let whole = verify(&file)?;
    ensure!(whole.status.success(), "{whole:?}");

    let first = text.lines().next().context("no row")?;
    let mut row: Value = serde_json::from_str(first)?;
    row["after"] = json!({});
    std::fs::write(&file, text.replacen(first, &row.to_string(), 1))?;
    let edited = verify(&file)?;
    let said = String::from_utf8(edited.stderr)?;
    let id = row["auditId"].as_str().context("no id")?;
    ensure!(!edited.status.success() && said.contains(id), "{said}");
    Ok(())
}
