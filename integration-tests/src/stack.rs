//! A running stack: the supervisor, what it said in `stack.json`, and its end.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use tempfile::TempDir;

use crate::{binaries, certificates, http, logs, wait};

/// A debug build starts everything in a few seconds; a busy machine needs more.
const START: Duration = Duration::from_secs(90);
const STOP: Duration = Duration::from_secs(20);

/// Ends the supervisor when the test process is gone, however it went: the pipe on standard
/// input closes. A shared stack lives in a static, which is never dropped.
const KEEPER: &str = r#"data=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & child=$!
(cat <&3; kill -TERM "$child") >/dev/null 2>&1 & watcher=$!
wait "$child"; status=$?
kill "$watcher" 2>/dev/null
[ "$status" = 0 ] && [ -n "$data" ] && [ -z "$REQUESTROCKET_TEST_KEEP" ] && rm -rf -- "$data"
exit "$status""#;

/// `stack.json` of the local stack, the members that tests use.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackFile {
    pub core_api: String,
    pub user_token: String,
    pub operator_token: String,
    pub setup_token: String,
    pub client_id: String,
    pub regions: Vec<RegionEntry>,
    pub pids: Pids,
    pub logs: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionEntry {
    pub name: String,
    pub proxy_url: String,
    /// Of the region server's health and metrics.
    pub server_url: String,
    pub envoys: Vec<EnvoyEntry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvoyEntry {
    pub listener: String,
    pub admin: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pids {
    pub supervisor: i32,
    pub core_api: i32,
    pub regions: std::collections::BTreeMap<String, i32>,
    pub envoys: Vec<i32>,
}

/// A stack that this process started.
#[derive(Debug)]
pub struct Stack {
    pub file: StackFile,
    data: Data,
    keeper: Child,
}

#[derive(Debug)]
enum Data {
    Own(TempDir),
    /// Removed by the keeper, because the stack lives in a static.
    Kept(PathBuf),
}

impl Data {
    fn path(&self) -> &Path {
        match self {
            Self::Own(dir) => dir.path(),
            Self::Kept(path) => path,
        }
    }
}

impl Stack {
    /// A stack with a data directory of its own, removed on drop.
    pub async fn start(arguments: &[&str]) -> Result<Self> {
        Self::start_in(Data::Own(tempfile::tempdir()?), arguments).await
    }

    /// A stack that lives as long as this process.
    pub async fn start_for_process(arguments: &[&str]) -> Result<Self> {
        Self::start_in(Data::Kept(tempfile::tempdir()?.keep()), arguments).await
    }

    async fn start_in(data: Data, arguments: &[&str]) -> Result<Self> {
        let mut keeper = spawn(&data, arguments)?;
        match ready(&mut keeper, data.path()).await {
            Ok(file) => Ok(Self { file, data, keeper }),
            Err(error) => {
                end(&mut keeper);
                let tail = logs::tail(&data.path().join("logs"));
                // The keeper leaves the data of a failed start, for the line above.
                let _ = std::fs::remove_dir_all(data.path());
                Err(error.context(format!(
                    "the stack did not start; its logs end with\n{tail}"
                )))
            }
        }
    }

    /// Stops everything and starts it again on the same data.
    pub async fn restart(&mut self, arguments: &[&str]) -> Result<()> {
        self.stop().await?;
        self.keeper = spawn(&self.data, arguments)?;
        self.file = ready(&mut self.keeper, self.data.path()).await?;
        Ok(())
    }

    /// Asks the supervisor to end and waits until it did.
    pub async fn stop(&mut self) -> Result<()> {
        self.signal(self.file.pids.supervisor, Signal::SIGTERM)?;
        let keeper = &mut self.keeper;
        let mut ended = || keeper.try_wait();
        wait::until_within(STOP, "the supervisor to end", || {
            let state = ended();
            async move { Ok(state?) }
        })
        .await?;
        if self.data_dir().join("stack.json").exists() {
            bail!("stack.json is still there after the stop");
        }
        Ok(())
    }

    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// Reads `stack.json` again; process ids change with every restart.
    pub fn reread(&mut self) -> Result<()> {
        self.file = read(self.data.path())?;
        Ok(())
    }

    /// The only region, or the first of several.
    pub fn region(&self) -> Result<&RegionEntry> {
        self.file
            .regions
            .first()
            .context("a stack without a region")
    }

    /// `host:port` of the first Envoy's proxy API.
    pub fn gateway(&self) -> Result<String> {
        let envoy = self
            .region()?
            .envoys
            .first()
            .context("a region without an Envoy")?;
        Ok(authority(&envoy.listener).to_owned())
    }

    /// The URL of the first Envoy's admin port.
    pub fn admin(&self) -> Result<&str> {
        let envoy = self
            .region()?
            .envoys
            .first()
            .context("a region without an Envoy")?;
        Ok(envoy.admin.trim_end_matches('/'))
    }

    /// What the first region's xds-server counts under that name, which has no labels.
    pub async fn region_metric(&self, name: &str) -> Result<f64> {
        let ports = std::fs::read_to_string(self.data_dir().join("ports.json"))?;
        let ports: std::collections::BTreeMap<String, u16> = serde_json::from_str(&ports)?;
        let port = ports.get(&format!("{}/http", self.region()?.name));
        let port = port.context("xds-server has no port")?;
        let client = http::client().build()?;
        let url = format!("http://127.0.0.1:{port}/metrics");
        let text = client.get(url).send().await?.text().await?;
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let (_, value) = lines
            .find(|(found, _)| *found == name)
            .with_context(|| format!("no metric `{name}`"))?;
        Ok(value.parse()?)
    }

    /// The process id of the first region's xds-server.
    pub fn xds_pid(&self) -> Result<i32> {
        self.file
            .pids
            .regions
            .values()
            .next()
            .copied()
            .context("no region in pids")
    }

    pub fn envoy_pid(&self) -> Result<i32> {
        self.file
            .pids
            .envoys
            .first()
            .copied()
            .context("no Envoy in pids")
    }

    /// Kills one process of the stack and waits until the supervisor has noticed.
    pub async fn kill(&self, pid: i32) -> Result<()> {
        self.signal(pid, Signal::SIGKILL)?;
        reaped(pid).await
    }

    /// The same, but the process may finish what it has to.
    pub async fn terminate(&self, pid: i32) -> Result<()> {
        self.signal(pid, Signal::SIGTERM)?;
        reaped(pid).await
    }

    /// Stops a process without ending it: to the others it is a partner that never answers.
    pub fn freeze(&self, pid: i32) -> Result<()> {
        self.signal(pid, Signal::SIGSTOP)
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self, pid: i32) -> Result<()> {
        self.signal(pid, Signal::SIGCONT)
    }

    /// Tells the supervisor to start what is down.
    pub fn wake(&self) -> Result<()> {
        self.signal(self.file.pids.supervisor, Signal::SIGHUP)
    }

    /// Has everything that is down started, and waits until `stack.json` says it was.
    pub async fn revive(&mut self) -> Result<()> {
        self.wake()?;
        let data = self.data.path().to_owned();
        self.file = wait::until_within(START, "every process to be up", || async {
            let file = read(&data)?;
            Ok(file
                .pids
                .all()
                .iter()
                .all(|pid| !crate::machine::is_gone(*pid))
                .then_some(file))
        })
        .await?;
        Ok(())
    }

    fn signal(&self, pid: i32, signal: Signal) -> Result<()> {
        if !self.file.pids.all().contains(&pid) {
            bail!("process {pid} is none of this stack");
        }
        kill(Pid::from_raw(pid), signal).with_context(|| format!("signal {signal} to {pid}"))
    }
}

async fn reaped(pid: i32) -> Result<()> {
    wait::until("the process to go", || async move {
        Ok(crate::machine::is_reaped(pid).then_some(()))
    })
    .await
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "logs of the stack end with\n{}",
                logs::tail(&self.file.logs)
            );
        }
        end(&mut self.keeper);
    }
}

impl Pids {
    fn all(&self) -> Vec<i32> {
        let mut all = vec![self.supervisor, self.core_api];
        all.extend(self.regions.values());
        all.extend(&self.envoys);
        all
    }
}

/// `host:port` of a URL.
pub fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn spawn(data: &Data, arguments: &[&str]) -> Result<Child> {
    let removed_by_keeper = match data {
        Data::Own(_) => Path::new(""),
        Data::Kept(path) => path,
    };
    let mut command = Command::new("sh");
    command
        .args(["-c", KEEPER, "keeper"])
        .arg(removed_by_keeper);
    command.arg(binaries::path("requestrocket-local-stack")?);
    command
        .arg("--data-dir")
        .arg(data.path())
        .args(["--ports", "auto", "--no-demo"]);
    let target_ca = data.path().join("test-target-ca.pem");
    std::fs::write(&target_ca, certificates::trusted()?.pem())?;
    command.arg("--target-ca").arg(target_ca);
    command.args(arguments).stdin(Stdio::piped());
    let output = std::fs::File::create(data.path().join("supervisor.out"))?;
    command.stdout(output.try_clone()?).stderr(output);
    command.spawn().context("start the supervisor")
}

async fn ready(keeper: &mut Child, data: &Path) -> Result<StackFile> {
    let started = wait::until_within(START, "stack.json", || {
        let ended = keeper.try_wait();
        async move {
            if ended?.is_some() {
                return Ok(Some(None));
            }
            let exists = data.join("stack.json").exists();
            Ok(exists.then(|| read(data)).transpose()?.map(Some))
        }
    })
    .await?;
    started.with_context(|| {
        let said = std::fs::read_to_string(data.join("supervisor.out")).unwrap_or_default();
        format!("the supervisor ended: {said}")
    })
}

fn read(data: &Path) -> Result<StackFile> {
    let path = data.join("stack.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Closes the keeper's standard input, which makes it stop the supervisor, and waits for both.
fn end(keeper: &mut Child) {
    drop(keeper.stdin.take());
    // Nothing can be done about a keeper that cannot be waited for.
    let _ = keeper.wait();
}
