//! AWS as a target: moto, which verifies the signature of every call.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::process::Child;

use crate::external::{command, python_path};
use crate::wait;

/// An account with a user and a session that may do everything.
#[derive(Debug)]
pub struct Aws {
    pub url: String,
    /// `accessKeyId` and `secretAccessKey`.
    pub user: Value,
    /// The same with `sessionToken`.
    pub session: Value,
    _process: Child,
}

impl Aws {
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("known");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/aws.py");
        let mut command = command(&python_path()?.to_string_lossy());
        command.arg(script).arg(&file);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.kill_on_drop(true).spawn().context("start moto")?;
        let known: Value = wait::until("moto", || async {
            let text = std::fs::read_to_string(&file).ok();
            Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
        })
        .await?;
        let port = known.get("port").and_then(Value::as_u64);
        let of = |name: &str| known.get(name).cloned().context("credentials of moto");
        Ok(Self {
            url: format!("http://127.0.0.1:{}", port.context("port of moto")?),
            user: of("user")?,
            session: of("session")?,
            _process: process,
        })
    }
}
