//! `run-child`: becomes another program that the kernel ends when the supervisor is gone.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;

/// What to become, and whose child it must be.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Process id of the supervisor.
    #[arg(long)]
    parent: i32,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Replaces this process; comes back only when that fails.
///
/// # Errors
/// The supervisor is gone already, or the program cannot be started.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    set_pdeathsig(Signal::SIGKILL).context("cannot ask for the signal at the supervisor's end")?;
    // It may have died before the line above; then no signal will come.
    anyhow::ensure!(
        getppid().as_raw() == arguments.parent,
        "the supervisor is gone"
    );
    let mut words = arguments.command.into_iter();
    let program = words.next().context("no program was given")?;
    let failed = Command::new(&program).args(words).exec();
    Err(failed).with_context(|| format!("cannot start `{}`", program.display()))
}
