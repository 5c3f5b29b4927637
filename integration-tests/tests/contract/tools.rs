//! Running the tools.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use requestrocket_integration_tests::wait;
use tokio::process::Command;

/// The longest run has a few thousand calls.
const RUN: Duration = Duration::from_mins(15);
/// Of what a tool that failed has said, the end.
const SHOWN: usize = 20_000;

/// A file of `contract/`.
pub(crate) fn contract(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("contract")
        .join(name)
}

/// A program that reaches the stack directly, whatever proxy this machine uses for the internet.
pub(crate) fn tool(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs it to its end; what it printed is shown when it failed.
pub(crate) async fn succeeds(mut command: Command) -> Result<()> {
    let output = wait::within(RUN, "the tool", async { Ok(command.output().await?) }).await?;
    let said = [output.stdout, output.stderr].concat();
    let end = String::from_utf8_lossy(&said[said.len().saturating_sub(SHOWN)..]).into_owned();
    ensure!(output.status.success(), "{}\n{end}", output.status);
    Ok(())
}
