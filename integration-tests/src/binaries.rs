//! Where the programs under test lie.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// A variable of the environment that chooses what the tests run, never how the product behaves.
#[expect(
    clippy::disallowed_methods,
    reason = "the harness has no settings file"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder of this build's programs; `REQUESTROCKET_TEST_BIN` names another one.
pub fn folder() -> Result<PathBuf> {
    if let Some(folder) = variable("REQUESTROCKET_TEST_BIN") {
        return Ok(folder.into());
    }
    let own = std::env::current_exe()?;
    let mut folder = own.parent().context("a test binary without a folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("a deps folder without a parent")?;
    }
    Ok(folder.to_owned())
}

/// The path of one program; it must have been built.
pub fn path(name: &str) -> Result<PathBuf> {
    let path = folder()?.join(name);
    if !path.exists() {
        bail!("{} is not built: run `make it`", path.display());
    }
    Ok(path)
}
