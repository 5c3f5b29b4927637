//! What core-api and xds-server have in common: a settings file, listeners, a ready file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::child::{Recipe, Sign, until_ready};
use crate::files::{require_json, write_settings};
use crate::ports::{PortBook, loopback};

const PATIENCE: Duration = Duration::from_mins(1);

/// A server that is to be started.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    /// Its data directory; settings and ready file lie there too.
    pub(crate) folder: PathBuf,
    pub(crate) logs: PathBuf,
    /// All but the listeners and the ready file; null ones are left out.
    pub(crate) settings: Vec<(&'static str, Value)>,
    /// TOML that stands below them.
    pub(crate) further: Option<PathBuf>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// One of its listeners.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Key in the settings.
    pub(crate) setting: &'static str,
    /// Key in the ready file.
    pub(crate) ready: &'static str,
    /// Name in the port book.
    pub(crate) name: String,
}

/// A server that is ready.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) recipe: Recipe,
    pub(crate) child: Child,
    /// What the ready file says, by its keys.
    addresses: BTreeMap<String, String>,
}

impl Ready {
    /// An address of the ready file.
    pub(crate) fn address(&self, key: &str) -> anyhow::Result<String> {
        let name = &self.recipe.name;
        let found = self.addresses.get(key).cloned();
        found.with_context(|| format!("the ready file of {name} has no `{key}`"))
    }
}

impl Server {
    /// Starts it, waits until it is ready, and fixes its ports for later starts.
    pub(crate) async fn start(self, ports: &mut PortBook) -> anyhow::Result<Ready> {
        let ready_file = self.folder.join("ready.json");
        let mut chosen = Vec::new();
        for listener in &self.listeners {
            chosen.push(ports.assign(&listener.name)?);
        }
        self.write_settings(&ready_file, &chosen)?;
        let recipe = Recipe {
            name: self.name.clone(),
            program: self.program.clone(),
            arguments: vec![
                "--config".into(),
                settings_of(&self.folder).into(),
                "serve".into(),
            ],
            environment: self.environment.clone(),
            environment_files: Vec::new(),
            logs: self.logs.clone(),
            ready: Sign::File(ready_file.clone()),
        };
        let mut child = recipe.spawn()?;
        until_ready(&recipe, &mut child, PATIENCE).await?;
        let addresses = require_json(&ready_file)?;
        let ready = Ready {
            recipe,
            child,
            addresses,
        };
        let mut bound = Vec::new();
        for listener in &self.listeners {
            let port = port_of(&ready.address(listener.ready)?)?;
            ports.learn(&listener.name, port)?;
            bound.push(port);
        }
        self.write_settings(&ready_file, &bound)?;
        Ok(ready)
    }

    fn write_settings(&self, ready_file: &Path, ports: &[u16]) -> anyhow::Result<()> {
        let mut settings = self.settings.clone();
        settings.push(("ready_file", json!(ready_file)));
        for (listener, port) in self.listeners.iter().zip(ports) {
            settings.push((listener.setting, json!(loopback(*port))));
        }
        write_settings(
            &settings_of(&self.folder),
            &settings,
            self.further.as_deref(),
        )
    }
}

/// Runs a subcommand of the server in `folder` and gives what it printed.
pub(crate) async fn ask(program: &Path, folder: &Path, words: &[&str]) -> anyhow::Result<String> {
    let name = format!("{} {}", program.display(), words.first().unwrap_or(&""));
    let output = Command::new(program)
        .arg("--config")
        .arg(settings_of(folder))
        .args(words)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot start {name}"))?;
    let problems = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "{name} failed: {}",
        problems.trim()
    );
    let printed = String::from_utf8(output.stdout);
    Ok(printed
        .with_context(|| format!("{name} printed no text"))?
        .trim()
        .to_owned())
}

fn settings_of(folder: &Path) -> PathBuf {
    folder.join("settings.toml")
}

/// The port at the end of `http://host:port` or `host:port`.
pub(crate) fn port_of(address: &str) -> anyhow::Result<u16> {
    address
        .rsplit_once(':')
        .and_then(|(_, port)| port.trim_end_matches('/').parse().ok())
        .with_context(|| format!("`{address}` names no port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_what_follows_the_last_colon() {
        for (address, want) in [
            ("http://127.0.0.1:8080", Some(8080)),
            ("127.0.0.1:1/", Some(1)),
            ("[::1]:9", Some(9)),
            ("localhost", None),
            ("localhost:x", None),
        ] {
            assert_eq!(port_of(address).ok(), want, "{address}");
        }
    }
}
