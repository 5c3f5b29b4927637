//! A mail server for what core-api sends: aiosmtpd, over TLS, for one that it knows.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Child;

use crate::certificates;
use crate::external::{command, python_path};
use crate::wait;

/// A server that keeps what it is sent.
#[derive(Debug)]
pub struct MailServer {
    folder: TempDir,
    port: u64,
    _process: Child,
}

/// What somebody was sent.
#[derive(Clone, Debug, Deserialize)]
pub struct Letter {
    pub from: String,
    pub to: Vec<String>,
    pub headers: std::collections::BTreeMap<String, String>,
    pub body: String,
    pub tls: bool,
}

impl MailServer {
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        certificates::trusted()?
            .identity(&["localhost"])?
            .write_pem(folder.path())?;
        let parts = [path("key.pem"), path("cert.pem")].map(std::fs::read_to_string);
        let [key, chain] = parts;
        std::fs::write(path("server.pem"), key? + &chain?)?;
        std::fs::write(path("ca.pem"), certificates::trusted()?.pem())?;
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python/mail.py");
        let mut command = command(&python_path()?.to_string_lossy());
        command.arg(script);
        command.args([path("port"), path("letters"), path("server.pem")]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.kill_on_drop(true).spawn();
        let process = process.context("start aiosmtpd")?;
        let port = wait::until("aiosmtpd", || async {
            let text = std::fs::read_to_string(path("port")).ok();
            let known: Option<Value> = text.map(|text| serde_json::from_str(&text)).transpose()?;
            Ok(known.and_then(|known| known.get("port")?.as_u64()))
        })
        .await?;
        Ok(Self {
            folder,
            port,
            _process: process,
        })
    }

    /// A file with settings of core-api by which it sends letters here.
    pub fn settings(&self) -> Result<PathBuf> {
        let file = self.folder.path().join("mail.toml");
        let (port, ca) = (self.port, self.folder.path().join("ca.pem"));
        let text = format!(
            "mail_password = \"correct horse\"\n[mail]\nhost = \"localhost\"\nport = {port}\n\
             user = \"gateway\"\nfrom = \"RequestRocket <gateway@example.com>\"\n\
             ca_file = \"{}\"\n",
            ca.display()
        );
        std::fs::write(&file, text)?;
        Ok(file)
    }

    /// What was sent to this address, the oldest first.
    pub fn letters_to(&self, address: &str) -> Result<Vec<Letter>> {
        let text = std::fs::read_to_string(self.folder.path().join("letters"));
        let all: Vec<Letter> = text
            .unwrap_or_default()
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        let to = |letter: &Letter| letter.to.iter().any(|one| one == address);
        Ok(all.into_iter().filter(to).collect())
    }

    /// The letter to this address after `before` others, once it is there.
    pub async fn letter(&self, address: &str, before: usize) -> Result<Letter> {
        let what = format!("letter {before} to {address}");
        wait::until(&what, || async {
            Ok(self.letters_to(address)?.into_iter().nth(before))
        })
        .await
    }
}

impl Letter {
    /// The token of the link that it holds.
    pub fn token(&self) -> Result<&str> {
        let (_, token) = self.body.split_once("#token=").context("a link")?;
        token.split_whitespace().next().context("a token")
    }
}
