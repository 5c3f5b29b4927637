//! Where the supervisor's own executable lies: it starts every child through itself.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::Context;

/// Once a build has replaced the file, the kernel calls that of a running process deleted.
static EXECUTABLE: LazyLock<Option<PathBuf>> = LazyLock::new(|| std::env::current_exe().ok());

/// The path from which this process was started; first asked for before anything is started.
pub(crate) fn executable() -> anyhow::Result<&'static Path> {
    EXECUTABLE.as_deref().context("own executable is unknown")
}
