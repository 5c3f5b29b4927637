//! `requestrocket-local-stack`: the supervisor, and the helpers it starts from its own executable.

use std::future::Future;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use requestrocket_local_stack::options::Options;
use requestrocket_local_stack::{demo_target, run_child, stack};
use tokio::runtime::Builder;

/// Runs core-api, regions, Envoys and a demo target on this machine until Ctrl-C.
#[derive(Debug, Parser)]
#[command(
    name = "requestrocket-local-stack",
    version,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the demo target alone.
    DemoTarget(demo_target::Arguments),
    /// Becomes a program that ends with the supervisor.
    #[command(hide = true)]
    RunChild(run_child::Arguments),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(Cli { command, options }: Cli) -> anyhow::Result<()> {
    match command {
        // One thread: a child is ended by the kernel with the thread that started it.
        None => block_on(&mut Builder::new_current_thread(), stack::run(options)),
        Some(Command::DemoTarget(arguments)) => block_on(
            &mut Builder::new_multi_thread(),
            demo_target::serve(arguments),
        ),
        Some(Command::RunChild(arguments)) => run_child::run(arguments),
    }
}

fn block_on<F>(builder: &mut Builder, work: F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    builder.enable_all().build()?.block_on(work)
}
