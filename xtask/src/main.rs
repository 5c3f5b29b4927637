//! What a Makefile line cannot say: `cargo xtask <command>`.

mod tidy;
mod wasm;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

/// Tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Checks what no lint can: file budgets, dependency edges, paths named in docs, leftovers.
    Tidy,
    /// Builds the Envoy filter and prints where it is.
    Wasm {
        /// Instead of cargo's own target directory.
        #[arg(long)]
        target_dir: Option<PathBuf>,
        /// The build that traps on a header, for the tests.
        #[arg(long)]
        trap: bool,
        /// The build that redacts by buffering, for the benchmark.
        #[arg(long, conflicts_with = "trap")]
        buffering: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Tidy => tidy::run(repository()?),
        Task::Wasm {
            target_dir,
            trap,
            buffering,
        } => {
            let module = match (trap, buffering) {
                (true, _) => wasm::build_trapping(target_dir.as_deref())?,
                (_, true) => wasm::build_buffering(target_dir.as_deref())?,
                (false, false) => wasm::build(target_dir.as_deref())?,
            };
            let bytes = std::fs::metadata(&module)?.len();
            say(&format!("{} ({bytes} bytes)", module.display()));
            Ok(())
        }
    }
}

/// The folder above this crate.
fn repository() -> anyhow::Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("this crate has no parent folder")
}

#[expect(clippy::print_stdout, reason = "the output of the tool")]
fn say(line: &str) {
    println!("{line}");
}
