//! What the operating system knows of a process.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The process does not exist, or exists only until its parent looks at it.
pub fn is_gone(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.trim_start().starts_with('Z')
}

/// The process does not exist any more, and its parent knows.
pub fn is_reaped(pid: i32) -> bool {
    !std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// A name of this machine that its resolver knows.
pub fn host_name() -> Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/hostname")?
        .trim()
        .to_owned())
}

/// Lets this process, and those that it starts later, open as many files as the system allows it
/// to; says how many.
pub fn raise_open_files() -> Result<u64> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok(most)
}

/// Resident memory in bytes.
pub fn resident_bytes(pid: i32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line
        .and_then(|line| line.split_whitespace().next())
        .context("no VmRSS")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

/// The TCP ports on which a process listens.
pub fn listening_ports(pid: i32) -> Result<BTreeSet<u16>> {
    let mut sockets = BTreeSet::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))?.flatten() {
        let link = fs::read_link(entry.path()).unwrap_or_default();
        let link = link.to_string_lossy().into_owned();
        let inode = link
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        sockets.extend(inode.map(str::to_owned));
    }
    let mut ports = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}"))?;
        ports.extend(text.lines().filter_map(|line| listener(line, &sockets)));
    }
    Ok(ports)
}

/// The port of a line of `/proc/net/tcp` that is in state LISTEN and one of `sockets`.
fn listener(line: &str, sockets: &BTreeSet<String>) -> Option<u16> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let is_listening = *columns.get(3)? == "0A" && sockets.contains(*columns.get(9)?);
    let port = columns.get(1)?.rsplit(':').next()?;
    is_listening.then(|| u16::from_str_radix(port, 16).ok())?
}
