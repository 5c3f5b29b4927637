//! Builds the Envoy filter with whichever toolchain this machine has for wasm32-wasip1, and says
//! which: rustup's target, or Debian's compiler, whose standard library is built from source.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::repository;

const TARGET: &str = "wasm32-wasip1";
const DEBIAN_PACKAGES: &str = "rustc-web cargo-web rust-web-src lld-22 wasi-libc";
/// What Debian's compiler and its library for the target need to be there.
const DEBIAN_FILES: [&str; 4] = [
    "/usr/bin/cargo",
    "/usr/bin/rustc",
    "/usr/bin/wasm-ld-22",
    "/usr/lib/wasm32-wasi/libc.a",
];
/// Envoy's V8 has had vector instructions for years; scanning text is what they are for.
const RUSTUP_FLAGS: &str = "-C target-feature=+simd128";
/// `proxy-wasm` brings `_initialize`, so no start file is linked.
const DEBIAN_FLAGS: &str = "-C target-feature=+simd128 -C linker=wasm-ld-22 -C link-self-contained=no -L native=/usr/lib/wasm32-wasi";

/// Builds the module that is shipped: `{target}/filter/requestrocket_filter.wasm`.
///
/// `target_dir` replaces `target` of the repository.
pub(crate) fn build(target_dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    build_as("requestrocket_filter.wasm", &[], target_dir)
}

/// Builds the one that traps on a header, for tests only:
/// `{target}/filter/requestrocket_filter_trap.wasm`.
pub(crate) fn build_trapping(target_dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    let features = ["--features", "trap-header"];
    build_as("requestrocket_filter_trap.wasm", &features, target_dir)
}

/// Builds the one that redacts by buffering, for the benchmark only:
/// `{target}/filter/requestrocket_filter_buffering.wasm`.
pub(crate) fn build_buffering(target_dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    let features = ["--features", "bench-buffering"];
    build_as("requestrocket_filter_buffering.wasm", &features, target_dir)
}

fn build_as(name: &str, features: &[&str], target_dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    let root = repository()?;
    let target = target_dir.map_or_else(|| root.join("target"), Path::to_path_buf);
    let toolchain = Toolchain::find()?;
    // Another compiler's artefacts: a folder of their own for each.
    let built = target.join("filter").join(toolchain.folder());
    let status = toolchain
        .cargo()
        .args(["build", "--profile", "filter"])
        .args(["--target", TARGET, "-p", "requestrocket-filter", "--lib"])
        .args(features)
        .arg("--target-dir")
        .arg(&built)
        .current_dir(root)
        .status()
        .context("cargo cannot be started")?;
    anyhow::ensure!(status.success(), "the filter does not build");
    let module = target.join("filter").join(name);
    copy_if_newer(
        &built.join(TARGET).join("filter/requestrocket_filter.wasm"),
        &module,
    )?;
    Ok(module)
}

/// Envoy watches nothing, but whoever looks at the file's time learns when it changed.
fn copy_if_newer(from: &Path, to: &Path) -> anyhow::Result<()> {
    let built = std::fs::read(from).with_context(|| from.display().to_string())?;
    if std::fs::read(to).is_ok_and(|present| present == built) {
        return Ok(());
    }
    // Never half a module under its name.
    let partial = to.with_extension("partial");
    std::fs::write(&partial, built).with_context(|| partial.display().to_string())?;
    std::fs::rename(&partial, to).with_context(|| to.display().to_string())
}

/// A compiler that builds for the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Toolchain {
    /// The one that builds the rest, with the target's library installed.
    Rustup,
    /// Debian's packages.
    Debian,
}

impl Toolchain {
    fn find() -> anyhow::Result<Self> {
        let found = if rustup_has_target() || rustup_adds_target() {
            Some(Self::Rustup)
        } else {
            debian_is_complete().then_some(Self::Debian)
        };
        let toolchain = found.with_context(|| {
            format!(
                "no toolchain for {TARGET}: `rustup target add {TARGET}`, or on Debian \
                 `apt-get install -y --no-install-recommends {DEBIAN_PACKAGES}`"
            )
        })?;
        eprintln!("building the filter with {}", toolchain.describe());
        Ok(toolchain)
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Rustup => "rustup's wasm32-wasip1",
            Self::Debian => "Debian's rustc-web (standard library from source)",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Rustup => "rustup",
            Self::Debian => "debian",
        }
    }

    fn cargo(self) -> Command {
        match self {
            Self::Rustup => rustup_cargo(),
            Self::Debian => debian_cargo(),
        }
    }
}

fn rustup_has_target() -> bool {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = output.ok().and_then(|it| String::from_utf8(it.stdout).ok());
    sysroot.is_some_and(|sysroot| {
        let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
        libraries.join("lib").is_dir()
    })
}

/// Tries only where Debian's compiler is not there: offline, rustup takes long to give up.
fn rustup_adds_target() -> bool {
    if debian_is_complete() {
        return false;
    }
    eprintln!("adding {TARGET} with rustup");
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    added.is_ok_and(|status| status.success()) && rustup_has_target()
}

fn debian_is_complete() -> bool {
    DEBIAN_FILES.iter().all(|file| Path::new(file).is_file())
}

fn rustup_cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .env("RUSTFLAGS", RUSTUP_FLAGS)
        // Cargo takes it before `RUSTFLAGS`.
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

fn debian_cargo() -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    command
        .env("RUSTC", "/usr/bin/rustc")
        // `-Zbuild-std` is for nightly compilers otherwise.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", DEBIAN_FLAGS)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTUP_TOOLCHAIN")
        .arg("-Zbuild-std=std,panic_abort");
    command
}
