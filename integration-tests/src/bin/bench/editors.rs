//! How many changes fit into a second when many organisations edit at once: of targets, which a
//! region has to hear of, and of invites, which none has to.

use requestrocket_integration_tests::http;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::load::quantile;
use crate::process::now;
use crate::stack::BenchStack;

/// Organisations, each with one editor.
const EDITORS: usize = 50;

/// How long the changes of one kind took, in milliseconds.
#[derive(Debug, Default)]
struct Took {
    targets: Vec<f64>,
    invites: Vec<f64>,
}

/// One editor's organisation.
#[derive(Clone, Debug)]
struct Editor {
    stack_url: String,
    token: String,
    target: String,
    http: reqwest::Client,
}

/// Edits for so many seconds.
pub(crate) async fn measure(stack: &BenchStack, seconds: u64) -> anyhow::Result<String> {
    let mut editors = Vec::with_capacity(EDITORS);
    for number in 0..EDITORS {
        editors.push(Editor::new(stack, number).await?);
    }
    let until = now() + Duration::from_secs(seconds);
    let mut running = JoinSet::new();
    for editor in editors {
        running.spawn(async move { editor.edit(until).await });
    }
    let mut all = Took::default();
    while let Some(took) = running.join_next().await {
        let took = took??;
        all.targets.extend(took.targets);
        all.invites.extend(took.invites);
    }
    Ok(rows(&all, seconds))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn rows(all: &Took, seconds: u64) -> String {
    let mut text = String::from("| change of | changes/s | p50 ms | p99 ms |\n|---|---|---|---|\n");
    for (what, took) in [("targets", &all.targets), ("invites", &all.invites)] {
        let _ = writeln!(
            text,
            "| {what} | {:.0} | {:.1} | {:.1} |",
            took.len() as f64 / seconds as f64,
            quantile(took.iter().copied(), 0.5),
            quantile(took.iter().copied(), 0.99),
        );
    }
    text
}

impl Editor {
    async fn new(stack: &BenchStack, number: usize) -> anyhow::Result<Self> {
        let http = http::client().build()?;
        let (url, token) = stack.core_api()?;
        let mut editor = Self {
            stack_url: format!("{url}/clients"),
            token,
            target: String::new(),
            http,
        };
        let name = json!({"clientName": format!("editor {number}")});
        let organisation = editor.send("POST", "", &name).await?;
        let id = organisation["clientId"].as_str().context("no clientId")?;
        editor.stack_url = format!("{}/{id}", editor.stack_url);
        let target = json!({
            "targetName": "edited", "targetBaseURL": "http://127.0.0.1:9",
            "targetRegion": stack.region(),
        });
        let target = editor.send("POST", "/targets", &target).await?;
        let id = target["targetId"].as_str().context("no targetId")?;
        id.clone_into(&mut editor.target);
        Ok(editor)
    }

    async fn edit(self, until: Instant) -> anyhow::Result<Took> {
        let mut took = Took::default();
        let target = format!("/targets/{}", self.target);
        for number in 0.. {
            if now() >= until {
                break;
            }
            let start = now();
            let name = json!({"targetName": format!("edited {number}")});
            self.send("PATCH", &target, &name).await?;
            took.targets.push(milliseconds(start));
            let start = now();
            let invite = json!({"email": format!("{number}@example.com"), "roles": ["user"]});
            let invite = self.send("POST", "/invites", &invite).await?;
            took.invites.push(milliseconds(start));
            let start = now();
            let id = invite["inviteId"].as_str().context("no inviteId")?;
            let path = format!("/invites/{id}");
            self.send("DELETE", &path, &Value::Null).await?;
            took.invites.push(milliseconds(start));
        }
        Ok(took)
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.stack_url);
        let mut call = self
            .http
            .request(method.parse()?, url)
            .header("authorization", &self.token);
        if !body.is_null() {
            call = call.json(body);
        }
        let answer = call.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(
            status.is_success(),
            "{method} {path} answered {status}: {text}"
        );
        if text.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&text)?)
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
