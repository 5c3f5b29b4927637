//! Programs nobody here wrote: curl, Python and Node.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};

use crate::certificates::Identity;
use crate::{binaries, wait};

const RUN: Duration = Duration::from_mins(1);

/// What a program printed and how it ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// The standard output of a program that must have succeeded.
    pub fn success(self) -> Result<String> {
        match self.code {
            Some(0) => Ok(self.stdout),
            code => bail!("ended with {code:?}: {}{}", self.stdout, self.stderr),
        }
    }
}

/// Runs a program to its end.
pub async fn run(program: &str, arguments: &[&str]) -> Result<Outcome> {
    run_within(RUN, program, arguments).await
}

/// The same for what takes longer.
pub async fn run_within(limit: Duration, program: &str, arguments: &[&str]) -> Result<Outcome> {
    let mut command = command(program);
    command
        .args(arguments)
        .kill_on_drop(true)
        .stdin(Stdio::null());
    let output = wait::within(limit, program, async { Ok(command.output().await?) }).await?;
    Ok(Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

pub async fn curl(arguments: &[&str]) -> Result<Outcome> {
    let mut all = vec!["--silent", "--show-error", "--max-time", "30"];
    all.extend_from_slice(arguments);
    run("curl", &all).await
}

/// Runs a Python script with the packages of `requirements.txt`.
pub async fn python(script: &str, arguments: &[&str]) -> Result<Outcome> {
    let python = python_path()?;
    let mut all = vec!["-c", script];
    all.extend_from_slice(arguments);
    run(&python.to_string_lossy(), &all).await
}

/// Runs a JavaScript module.
pub async fn node(script: &str, arguments: &[&str]) -> Result<Outcome> {
    let mut all = vec!["--input-type=module", "-e", script];
    all.extend_from_slice(arguments);
    run("node", &all).await
}

/// `REQUESTROCKET_TEST_PYTHON`, or the environment that `scripts/setup` makes.
pub(crate) fn python_path() -> Result<PathBuf> {
    if let Some(path) = binaries::variable("REQUESTROCKET_TEST_PYTHON") {
        return Ok(path.into());
    }
    let path = cache()?.join("test-python/bin/python");
    if !path.exists() {
        bail!("{} is missing: run `make it`", path.display());
    }
    Ok(path)
}

/// Where `scripts/setup` puts what the tests drive.
pub fn cache() -> Result<PathBuf> {
    let cache = match binaries::variable("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(binaries::variable("HOME").context("no HOME")?).join(".cache"),
    };
    Ok(cache.join("requestrocket"))
}

/// Programs must reach the stack directly, whatever proxy this machine uses for the internet.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        command.env_remove(name);
    }
    command
}

/// httpbin, the well-known echo service, as a target.
#[derive(Debug)]
pub struct Httpbin {
    pub address: SocketAddr,
    _process: Child,
}

/// gunicorn binds port 0 itself, so that no port is picked twice, and a hook says which one.
const HTTPBIN: &str = "
import os, sys
from gunicorn.app.base import BaseApplication
from httpbin import app

def when_ready(server):
    path = sys.argv[1]
    with open(path + '.new', 'w') as file:
        file.write(str(server.LISTENERS[0].sock.getsockname()[1]))
    os.rename(path + '.new', path)

class Server(BaseApplication):
    def load_config(self):
        settings = {'bind': '127.0.0.1:0', 'worker_class': 'gthread', 'threads': 8,
                    'when_ready': when_ready, 'loglevel': 'error', 'control_socket_disable': True}
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
    def load(self):
        return app

Server().run()
";

/// A script of `node/` that listens and writes down where: it gets the packages' folder, a file for
/// the port, and `arguments`.
pub(crate) async fn serving_node(script: &str, arguments: &[String]) -> Result<(Child, u16)> {
    let folder = tempfile::tempdir()?;
    let port_file = folder.path().join("port");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    let mut command = command("node");
    command
        .arg(scripts.join(script))
        .arg(cache()?.join("test-node"))
        .arg(&port_file)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let process = command.kill_on_drop(true).spawn().context("start node")?;
    let port = port_in(&port_file, script).await?;
    Ok((process, port))
}

/// The port that a program has written down.
pub(crate) async fn port_in(file: &Path, what: &str) -> Result<u16> {
    wait::until(what, || async {
        let text = std::fs::read_to_string(file).ok();
        Ok(text.map(|text| text.parse::<u16>()).transpose()?)
    })
    .await
}

impl Httpbin {
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port_file = folder.path().join("port");
        let mut command = command(&python_path()?.to_string_lossy());
        command.args(["-c", HTTPBIN]).arg(&port_file);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command
            .kill_on_drop(true)
            .spawn()
            .context("start httpbin")?;
        let port = port_in(&port_file, "httpbin").await?;
        Ok(Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            _process: process,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A server of Node's as a target: it may offer TLS with HTTP/2 and HTTP/1.1, as most do.
#[derive(Debug)]
pub struct NodeTarget {
    port: u16,
    _process: Child,
}

/// What comes before each script: its certificate, and how it says where it listens.
const NODE_TARGET: &str = "
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import crypto from 'node:crypto';
const folder = process.argv[1];
const tls = {
  key: fs.readFileSync(folder + '/key.pem'),
  cert: fs.readFileSync(folder + '/cert.pem'),
};
function listen(server, host = '127.0.0.1') {
  server.on('error', () => {});
  server.listen(0, host, () => {
    fs.writeFileSync(folder + '/port.new', String(server.address().port));
    fs.renameSync(folder + '/port.new', folder + '/port');
  });
}
";

impl NodeTarget {
    /// Runs a script that calls `listen` with a server; `tls` holds what TLS needs.
    pub async fn start(identity: &Identity, script: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        identity.write_pem(folder.path())?;
        let whole = format!("{NODE_TARGET}{script}");
        let mut command = command("node");
        command
            .args(["--input-type=module", "-e", &whole])
            .arg(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.kill_on_drop(true).spawn().context("start node")?;
        let port = port_in(&folder.path().join("port"), "a target of node").await?;
        Ok(Self {
            port,
            _process: process,
        })
    }

    pub fn http_url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    pub fn https_url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}
