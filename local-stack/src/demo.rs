//! The demo: a target API, and a proxy to it made over the Core API like anyone would.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::process::Child;
use uuid::Uuid;

use crate::child::{Recipe, Sign, until_ready};
use crate::client::{Client, http};
use crate::files::{DataDir, read_json, require_json, write_json};
use crate::options::RegionName;
use crate::own;
use crate::ports::{PortBook, loopback};
use crate::server::port_of;
use crate::stack_file::{Demo, Shown};

const LISTENER: &str = "demo-target";
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The demo target's ready file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) url: String,
}

/// Starts the demo target and gives its base URL.
pub(crate) async fn start_target(
    data: &DataDir,
    ports: &mut PortBook,
) -> anyhow::Result<(String, Recipe, Child)> {
    let ready = data.folder("demo-target")?.join("ready.json");
    let recipe_at = |port: u16| -> anyhow::Result<Recipe> {
        Ok(Recipe {
            name: LISTENER.to_owned(),
            program: own::executable()?.to_path_buf(),
            arguments: vec![
                "demo-target".into(),
                "--listen".into(),
                loopback(port).to_string().into(),
                "--ready-file".into(),
                ready.clone().into(),
            ],
            environment: Vec::new(),
            environment_files: Vec::new(),
            logs: data.folder("logs")?,
            ready: Sign::File(ready.clone()),
        })
    };
    let first = recipe_at(ports.assign(LISTENER)?)?;
    let mut child = first.spawn()?;
    until_ready(&first, &mut child, PATIENCE).await?;
    let Ready { url } = require_json(&ready)?;
    let port = port_of(&url)?;
    ports.learn(LISTENER, port)?;
    // A child that is started again asks for the port that it had.
    Ok((url, recipe_at(port)?, child))
}

/// What `demo.json` keeps from one run to the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    proxy_id: String,
    proxy_credential_id: String,
    target_id: String,
    target_credential_id: String,
    proxy_credential: Shown,
    target_url: String,
}

/// Makes the demo proxy, or finds it again.
pub(crate) async fn ensure(
    client: &Client,
    data: &DataDir,
    region: &RegionName,
    proxy_base: &str,
    target_url: &str,
) -> anyhow::Result<Demo> {
    let path = data.file("demo.json");
    let made = match find_again(client, read_json(&path)?, target_url).await? {
        Some(made) => made,
        None => make(client, region, target_url)
            .await
            .context("the demo proxy cannot be made")?,
    };
    write_json(&path, &made)?;
    Ok(Demo {
        proxy_url: format!("{proxy_base}/api/{}", made.proxy_id),
        proxy_id: made.proxy_id,
        proxy_credential: made.proxy_credential,
        target_url: made.target_url,
    })
}

async fn find_again(
    client: &Client,
    known: Option<Made>,
    target_url: &str,
) -> anyhow::Result<Option<Made>> {
    let Some(mut made) = known else {
        return Ok(None);
    };
    if !client
        .exists(&format!("/proxies/{}", made.proxy_id))
        .await?
    {
        return Ok(None);
    }
    if made.target_url != target_url {
        let path = format!("/targets/{}", made.target_id);
        client
            .patch(&path, json!({ "targetBaseURL": target_url }))
            .await?;
        target_url.clone_into(&mut made.target_url);
    }
    Ok(Some(made))
}

async fn make(client: &Client, region: &RegionName, target_url: &str) -> anyhow::Result<Made> {
    let region = region.as_str();
    let caller = client
        .create(
            "/credentials",
            json!({
                "credentialName": "Demo caller",
                "credentialType": "proxy",
                "credentialAuthType": "apiKey",
                "credentialRegion": region,
            }),
        )
        .await?;
    let target = client
        .create(
            "/targets",
            json!({
                "targetName": "Demo target",
                "targetBaseURL": target_url,
                "targetRegion": region,
                "targetTestPath": "/anything",
            }),
        )
        .await?;
    let at_target = client
        .create(
            "/credentials",
            json!({
                "credentialName": "Demo key of the target",
                "credentialType": "target",
                "credentialAuthType": "apiKey",
                "credentialRegion": region,
                "credentialSecret": { "key": Uuid::new_v4().to_string(), "name": "X-Demo-Key" },
            }),
        )
        .await?;
    let proxy = client
        .create(
            // The region takes changes in order: with this one all the others are there.
            "/proxies?wait=applied",
            json!({
                "proxyName": "Demo proxy",
                "proxyRegion": region,
                "proxyProxyCredentialIds": [text(&caller, "/credentialId")?],
                "proxyTargetId": text(&target, "/targetId")?,
                "proxyTargetCredentialId": text(&at_target, "/credentialId")?,
            }),
        )
        .await?;
    Ok(Made {
        proxy_id: text(&proxy, "/proxyId")?,
        proxy_credential_id: text(&caller, "/credentialId")?,
        target_id: text(&target, "/targetId")?,
        target_credential_id: text(&at_target, "/credentialId")?,
        proxy_credential: Shown::from(text(&caller, "/credentialSecret/key")?),
        target_url: target_url.to_owned(),
    })
}

fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("the Core API's answer has no {pointer}"))?
        .to_owned())
}

/// Calls the demo proxy until it answers 200.
pub(crate) async fn wait_for_success(demo: &Demo, logs: &Path) -> anyhow::Result<()> {
    let http = http().timeout(PATIENCE).build()?;
    let mut last = String::new();
    let trying = async {
        loop {
            let request = http
                .get(format!("{}/anything", demo.proxy_url))
                .header("authorization", demo.proxy_credential.expose());
            match request.send().await {
                Ok(answer) if answer.status().as_u16() == 200 => return,
                Ok(answer) => {
                    last = format!(
                        "{}: {}",
                        answer.status(),
                        answer.text().await.unwrap_or_default()
                    );
                }
                Err(error) => last = format!("{error:#}"),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    if tokio::time::timeout(PATIENCE, trying).await.is_ok() {
        return Ok(());
    }
    anyhow::bail!(
        "the demo proxy did not answer 200; its last answer: {last}; logs: {}",
        logs.display()
    )
}
