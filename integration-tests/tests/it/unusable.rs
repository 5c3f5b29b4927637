//! What a region cannot use: refused where it is written, and shown should it reach the region.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::external::python;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::expect;

/// Damages the sealed secret of a credential in the control plane's store, as a faulty disk might.
const DAMAGE: &str = r#"
import pathlib, sqlite3, sys
folder, credential = sys.argv[1:]
damaged = 0
for path in pathlib.Path(folder).rglob("*"):
    if not path.is_file() or path.read_bytes()[:15] != b"SQLite format 3":
        continue
    store = sqlite3.connect(path, timeout=10)
    columns = {row[1] for row in store.execute("PRAGMA table_info(credential)")}
    if "sealed_secret" in columns:
        row = store.execute("SELECT sealed_secret FROM credential WHERE credential_id = ?", [credential])
        sealed = row.fetchone()[0]
        other = "A" if sealed[20] != "A" else "B"
        sealed = sealed[:20] + other + sealed[21:]
        store.execute("UPDATE credential SET sealed_secret = ? WHERE credential_id = ?", [sealed, credential])
        store.commit()
        damaged += 1
    store.close()
print(damaged)
"#;

#[tokio::test]
async fn headers_that_the_region_would_not_inject_are_refused() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for name in [
        "HTTP2-Settings",
        "http2_settings",
        "x-rr-valve",
        "x_rr_valve",
        "X_RR-Route",
        "x_envoy_expected",
        "RequestRocket_Code",
        "keep_alive",
        "Transfer_Encoding",
        "Host",
    ] {
        let mut headers = serde_json::Map::new();
        headers.insert(name.to_owned(), "1".into());
        for (kind, secret) in [
            (
                "apiKey",
                json!({ "key": "1", "location": "header", "name": name }),
            ),
            ("custom", json!({ "headers": headers })),
        ] {
            let body = json!({
                "credentialName": name, "credentialType": "target", "credentialAuthType": kind,
                "credentialRegion": gateway.region, "credentialSecret": secret,
            });
            let answer = gateway.api.send("POST", "credentials", &body).await?;
            ensure!(answer.status == 400, "{kind} {name}: {}", answer.text);
            ensure!(answer.text.contains("INVALID_SECRET"), "{}", answer.text);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_the_region_cannot_use_is_shown_and_never_applied() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key("target-key-1"));
    let proxy = gateway.proxy(&plan).await?;
    let other = gateway.proxy_to(&target.url()).await?;
    expect::ok(&gateway.call(&proxy.get("/")).await?)?;

    stack.kill(stack.xds_pid()?).await?;
    let credential = format!("credentials/{}", proxy.target_credential_id);
    let secret = |key: &str| json!({ "credentialSecret": { "key": key } });
    let second = secret("target-key-2");
    let changed = gateway.api.send("PATCH", &credential, &second).await?;
    changed.succeeded()?;
    let folder = stack.data_dir().to_string_lossy();
    let damaged = python(DAMAGE, &[&folder, &proxy.target_credential_id]).await?;
    ensure!(damaged.success()?.trim() == "1", "no store was damaged");
    stack.revive().await?;

    let status = wait::until("the damage to be shown", || async {
        let status = gateway.api.status(&proxy.id).await?;
        ensure!(status["proxyStatus"] != "applied", "{status}");
        Ok((status["proxyStatus"] == "rejected").then_some(status))
    })
    .await?;
    let node = &status["nodes"][0];
    let told = node["rejection"].as_str().context("no rejection")?;
    let wanted = format!(
        "credential {}: sealed secret does not open",
        proxy.target_credential_id
    );
    ensure!(told == wanted && node["state"] == "rejected", "{status}");
    let shown = gateway.api.get(&format!("proxies/{}", proxy.id)).await?;
    ensure!(shown.json["proxyStatus"] == "rejected", "{}", shown.text);
    let reply = gateway.call(&proxy.get("/")).await?;
    ensure!(reply.status == 503, "{}", reply.status);
    // Others are not concerned, and whoever waits for a change hears of it.
    ensure!(gateway.api.status(&other.id).await?["proxyStatus"] == "applied");
    let path = format!("proxies/{}?wait=applied&waitSeconds=20", proxy.id);
    let changed = json!({ "proxyTimeoutSeconds": 7 });
    let answer = gateway.api.send("PATCH", &path, &changed).await?;
    ensure!(answer.header("requestrocket-config-applied") == "rejected");

    gateway
        .api
        .applied("PATCH", &credential, &secret("target-key-3"))
        .await?;
    let status: Value = gateway.api.status(&proxy.id).await?;
    ensure!(status["proxyStatus"] == "applied", "{status}");
    expect::ok(&gateway.call(&proxy.get("/")).await?)?;
    let sent = target.last()?.head;
    ensure!(sent.all("authorization") == ["target-key-3"], "{sent:?}");
    Ok(())
}

/// Gives a proxy, in the control plane's store, more names of headers than fit into one of Envoy's.
const OVERFILL: &str = r#"
import json, pathlib, sqlite3, sys
folder, proxy = sys.argv[1:]
cors = json.dumps({
    "allowedOrigins": ["https://a.example"], "exposedHeaders": [], "allowCredentials": False,
    "allowedHeaders": ["x" * 200 + str(n) for n in range(100)], "maxAgeSeconds": 600,
})
filled = 0
for path in pathlib.Path(folder).rglob("*"):
    if not path.is_file() or path.read_bytes()[:15] != b"SQLite format 3":
        continue
    store = sqlite3.connect(path, timeout=10)
    tables = {row[0] for row in store.execute("SELECT name FROM sqlite_master")}
    if "user_account" in tables:
        store.execute("UPDATE proxy SET cors = ? WHERE proxy_id = ?", [cors, proxy])
        store.commit()
        filled += 1
    store.close()
print(filled)
"#;

#[tokio::test]
async fn a_configuration_that_envoy_refuses_lets_nobody_pass() -> Result<()> {
    let stack = Stack::start(&[]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let other = gateway.proxy_to(&target.url()).await?;
    expect::ok(&gateway.call(&proxy.get("/")).await?)?;
    let folder = stack.data_dir().to_string_lossy();
    let filled = python(OVERFILL, &[&folder, &proxy.id]).await?;
    ensure!(filled.success()?.trim() == "1", "no store was changed");
    let deny = json!({"effect": "deny"});
    let rules = format!("proxies/{}/rules", proxy.id);
    let path = format!("{rules}?wait=applied&waitSeconds=20");
    let made = gateway.api.send("POST", &path, &deny).await?;
    ensure!(
        made.header("requestrocket-config-applied") == "rejected",
        "{}",
        made.text
    );
    // What it held before must not go on: since then a rule denies, or a credential is gone.
    wait::until("the proxy to be closed", || async {
        let reply = gateway.call(&proxy.get("/")).await?;
        Ok((reply.status == 503).then_some(()))
    })
    .await?;
    let status = gateway.api.status(&proxy.id).await?;
    ensure!(status["proxyStatus"] == "rejected", "{status}");
    expect::ok(&gateway.call(&other.get("/")).await?)?;
    // What it can take, it takes.
    let path = format!("proxies/{}", proxy.id);
    gateway
        .api
        .applied("PATCH", &path, &json!({"proxyCors": null}))
        .await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    ensure!(reply.status == 403, "{}", reply.status);
    Ok(())
}
