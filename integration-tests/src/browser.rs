//! A real browser: Chromium, driven by what `scripts/setup` installs.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::external::{self, cache};

/// A call that a script of a page makes.
#[derive(Clone, Debug)]
pub struct PageCall {
    /// Where the page is from.
    pub page: String,
    pub url: String,
    /// Of `fetch`.
    pub options: Value,
    /// Headers of the answer to read.
    pub read: &'static [&'static str],
}

/// What the script got.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Seen {
    Answer {
        status: u16,
        text: String,
        headers: BTreeMap<String, Option<String>>,
    },
    /// The browser kept it from the page: the name of the error.
    Kept { kept: String },
}

/// Makes the calls one after the other, each from a new page.
pub async fn browse(calls: &[PageCall]) -> Result<Vec<Seen>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/pages.mjs");
    let packages = cache()?.join("test-node");
    let calls: Vec<_> = calls
        .iter()
        .map(|call| {
            let PageCall {
                page,
                url,
                options,
                read,
            } = call;
            json!({ "page": page, "url": url, "options": options, "read": read })
        })
        .collect();
    let arguments = [
        script.to_string_lossy().into_owned(),
        packages.to_string_lossy().into_owned(),
        chromium()?,
        json!(calls).to_string(),
    ];
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let output = external::run("node", &arguments).await?.success()?;
    serde_json::from_str(&output).with_context(|| output.clone())
}

/// Somebody at a browser who uses the dashboard, as `dashboard/tests/browser.mjs` says.
///
/// `given`: what they know, as that program reads it.
pub async fn use_dashboard(given: &Value) -> Result<Value> {
    const LIMIT: Duration = Duration::from_mins(10);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let program = root.join("dashboard/tests/browser.mjs");
    let packages = cache()?.join("test-node");
    let (program, packages) = (program.to_string_lossy(), packages.to_string_lossy());
    let (chromium, given) = (chromium()?, given.to_string());
    let arguments = [&*program, &*packages, &chromium, &given];
    let outcome = external::run_within(LIMIT, "node", &arguments).await?;
    let output = outcome.success()?;
    serde_json::from_str(&output).with_context(|| output.clone())
}

/// Debian's, under either of its names.
fn chromium() -> Result<String> {
    let mut names = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].into_iter();
    let found = names.find(|name| Path::new(name).exists());
    Ok(found
        .context("Chromium is missing: run `make it`")?
        .to_owned())
}
