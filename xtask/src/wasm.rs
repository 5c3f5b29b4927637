//! Builds the Envoy filter with whichever toolchain this machine has for wasm32-wasip1.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::repository;

const TARGET: &str = "wasm32-wasip1";
const DEBIAN_FLAGS: &str =
    "-C linker=wasm-ld-22 -C link-self-contained=no -L native=/usr/lib/wasm32-wasi";

/// Builds the module and gives its path, `{target}/filter/requestrocket_filter.wasm`.
///
/// `target_dir` replaces `target` of the repository.
pub(crate) fn build(target_dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    let root = repository()?;
    let target = target_dir.map_or_else(|| root.join("target"), Path::to_path_buf);
    // Another compiler's artefacts: a folder of their own.
    let build = target.join("filter/build");
    let mut command = if rustup_has_target()? {
        with_rustup()
    } else {
        with_debian()
    };
    let status = command
        .args(["build", "--profile", "filter", "--target", TARGET])
        .args(["-p", "requestrocket-filter", "--lib", "--target-dir"])
        .arg(&build)
        .current_dir(root)
        .status()
        .context("cargo cannot be started")?;
    anyhow::ensure!(
        status.success(),
        "the filter cannot be built; does `scripts/setup run` pass?"
    );
    let module = target.join("filter/requestrocket_filter.wasm");
    let module_built = build.join(TARGET).join("filter/requestrocket_filter.wasm");
    std::fs::copy(&module_built, &module).with_context(|| module_built.display().to_string())?;
    Ok(module)
}

fn rustup_has_target() -> anyhow::Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = String::from_utf8(output.stdout)?;
    Ok(Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib")
        .is_dir())
}

fn with_rustup() -> Command {
    Command::new(env!("CARGO"))
}

/// Debian's compiler has no ready standard library for the target: it builds one.
fn with_debian() -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    command
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", DEBIAN_FLAGS)
        .env_remove("RUSTUP_TOOLCHAIN")
        .arg("-Zbuild-std=std,panic_abort");
    command
}
