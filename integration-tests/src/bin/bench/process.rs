//! What the kernel says of a process, and the time.

use std::fs;
use std::time::Instant;

use anyhow::Context;

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures elapsed time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// User and system time of a process so far, in microseconds (proc(5), clock ticks of 10 ms).
pub(crate) fn cpu_us(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat
        .rsplit_once(") ")
        .context("stat")?
        .1
        .split_whitespace()
        .collect();
    let ticks = |index: usize| -> anyhow::Result<f64> {
        Ok(fields.get(index).context("stat is short")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) * 10_000.0)
}

/// Resident memory of a process, in KiB.
pub(crate) fn rss_kib(pid: u32) -> anyhow::Result<u64> {
    status(pid, "VmRSS:")
}

/// The most that was resident since [`forget_peak`], in KiB.
pub(crate) fn peak_kib(pid: u32) -> anyhow::Result<u64> {
    status(pid, "VmHWM:")
}

/// Begins to look for the peak anew (proc_pid_clear_refs(5)).
pub(crate) fn forget_peak(pid: u32) -> anyhow::Result<()> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

fn status(pid: u32, name: &'static str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .context(name)?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
