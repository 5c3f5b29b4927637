//! One process that the supervisor starts: command line, environment, log file, end.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::files::remove;
use crate::own;

/// How long a child may take to end by itself; the supervisor promises 10 s for everything.
const GRACE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const TAIL_LINES: usize = 20;
const TAIL_BYTES: u64 = 16 * 1024;

/// Everything needed to start a child, as often as it takes.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// Unique in the stack; also the name of its log file.
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// Values that must not stand in a command line, as (variable, value).
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Values read anew at each start, as (variable, file).
    pub(crate) environment_files: Vec<(&'static str, PathBuf)>,
    pub(crate) logs: PathBuf,
    pub(crate) ready: Sign,
}

/// How a child shows that it is ready.
#[derive(Clone, Debug)]
pub(crate) enum Sign {
    /// It writes this file; a stale one is removed before each start.
    File(PathBuf),
    /// It listens here.
    Listener(SocketAddr),
}

impl Sign {
    /// Waits until the child shows it.
    pub(crate) async fn shown(&self) {
        loop {
            let shown = match self {
                Self::File(path) => path.exists(),
                Self::Listener(address) => TcpStream::connect(address).await.is_ok(),
            };
            if shown {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn forget(&self) -> anyhow::Result<()> {
        match self {
            Self::File(path) => remove(path),
            Self::Listener(_) => Ok(()),
        }
    }
}

impl Recipe {
    pub(crate) fn log(&self) -> PathBuf {
        self.logs.join(format!("{}.log", self.name))
    }

    /// Starts it, in a process group of its own so that Ctrl-C reaches the supervisor alone.
    pub(crate) fn spawn(&self) -> anyhow::Result<Child> {
        let name = &self.name;
        // The guard would start all the same, and only the log would say why nothing comes.
        anyhow::ensure!(
            self.program.is_file(),
            "`{}` for {name} does not exist",
            self.program.display()
        );
        self.ready.forget()?;
        let guard = own::executable()?;
        let log =
            open_log(&self.log()).with_context(|| format!("cannot write the log of {name}"))?;
        let mut command = Command::new(guard);
        command
            .args([
                "run-child",
                "--parent",
                &std::process::id().to_string(),
                "--",
            ])
            .arg(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        // Variables go before the settings file, and those of this shell are for another process.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("REQUESTROCKET_") {
                command.env_remove(variable);
            }
        }
        for (variable, value) in &self.environment {
            command.env(variable, value);
        }
        for (variable, path) in &self.environment_files {
            let value = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            command.env(variable, value.trim_end());
        }
        command
            .spawn()
            .with_context(|| format!("cannot start {name}"))
    }

    /// The end of its log, for the person who has to find out why it died.
    pub(crate) fn log_tail(&self) -> String {
        let path = self.log();
        let tail = read_tail(&path).unwrap_or_default();
        format!("the end of {}:\n{tail}", path.display())
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

fn read_tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    let last: Vec<String> = lines
        .iter()
        .skip(from)
        .map(|line| format!("    {line}\n"))
        .collect();
    Ok(last.concat())
}

/// Ends a child: SIGTERM, and SIGKILL for its whole group when it does not listen.
pub(crate) async fn end(child: &mut Child) {
    signal_group(child, Signal::SIGTERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        signal_group(child, Signal::SIGKILL);
        // A killed process is gone; an error could only say that it already was.
        let _ = child.wait().await;
    }
}

fn signal_group(child: &Child, signal: Signal) {
    let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) else {
        return;
    };
    // It may have ended by itself meanwhile.
    let _ = killpg(Pid::from_raw(pid), signal);
}

/// `exit code 1`, `signal 9`: how it ended, in words.
pub(crate) fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown status".to_owned(),
    }
}

/// Waits until a child is ready; an error when it dies or `patience` is over.
pub(crate) async fn until_ready(
    recipe: &Recipe,
    child: &mut Child,
    patience: Duration,
) -> anyhow::Result<()> {
    let name = &recipe.name;
    tokio::select! {
        status = child.wait() => {
            let status = describe(status?);
            anyhow::bail!("{name} ended at its start ({status}); {}", recipe.log_tail())
        }
        outcome = tokio::time::timeout(patience, recipe.ready.shown()) => {
            let seconds = patience.as_secs();
            outcome.map_err(|_| {
                anyhow::anyhow!("{name} was not ready after {seconds} s; {}", recipe.log_tail())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let lines: Vec<String> = (1..=100).map(|n| format!("line {n}\n")).collect();
        std::fs::write(&path, lines.concat()).unwrap();
        let tail = read_tail(&path).unwrap();
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("    line 100\n"), "{tail}");
    }
}
