//! The target of the calls: nginx with a tiny answer or a file, so that the target costs next to
//! nothing.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// A running nginx; ended on drop.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    port: u16,
    /// What lies here is served as `/data/…` below any path: bare Envoy does not take ours off.
    pub(crate) data: PathBuf,
}

impl Nginx {
    pub(crate) fn start(scratch: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let prefix = scratch.join("nginx");
        let data = prefix.join("data");
        fs::create_dir_all(&data)?;
        let configuration = format!(
            "daemon off;\nworker_processes 1;\npid {prefix}/nginx.pid;\nerror_log {prefix}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             user root;\nhttp {{\n  access_log off;\n  keepalive_requests 100000000;\n\
             client_body_temp_path {prefix}/b; proxy_temp_path {prefix}/p; fastcgi_temp_path {prefix}/f;\n\
             uwsgi_temp_path {prefix}/u; scgi_temp_path {prefix}/s;\n\
             sendfile on; default_type application/json;\n\
             server {{ listen 127.0.0.1:{port}; location ~ /data/(?<file>[0-9]+[.]json)$ {{ alias {prefix}/data/$file; }} location /token {{ return 200 '{{\"access_token\":\"a-token-of-the-benchmark\",\"expires_in\":3600}}'; }} location / {{ return 200 '{{\"ok\":true}}'; }} }}\n}}\n",
            prefix = prefix.display(),
        );
        let file = prefix.join("nginx.conf");
        fs::write(&file, configuration)?;
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(&prefix)
            .stderr(Stdio::null())
            .spawn()
            .context("nginx cannot be run; `scripts/setup bench` installs it")?;
        Ok(Self { child, port, data })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Quick shutdown through its own signal, so that its worker ends with it.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(0));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
