//! Load from `wrk`, and the CPU time the Envoy under it took.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::process::cpu_us;

/// Connections kept alive by the load generator.
const CONNECTIONS: &str = "16";

const TURNS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/src/bin/bench/credentials/turns.lua"
);

/// Where to send calls, and whose CPU to read.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) url: String,
    pub(crate) authorization: String,
    /// A file of tokens, one a line, that are shown in turn instead.
    pub(crate) tokens: Option<PathBuf>,
    pub(crate) envoy_pid: u32,
}

/// One round of one variant.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) cpu_us_per_request: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Load {
    /// Runs the load for `duration`.
    ///
    /// # Errors
    /// `wrk` is missing, or any answer was not 2xx or 3xx.
    pub(crate) fn run(&self, duration: Duration) -> anyhow::Result<Measured> {
        let before = cpu_us(self.envoy_pid)?;
        let mut wrk = Command::new("wrk");
        if let Some(tokens) = &self.tokens {
            wrk.env("TOKENS", tokens).arg("--script").arg(TURNS);
        }
        let output = wrk
            .args([
                "--threads",
                "1",
                "--connections",
                CONNECTIONS,
                "--latency",
                "--duration",
            ])
            .arg(format!("{}s", duration.as_secs()))
            .args([
                "--header",
                &format!("Authorization: {}", self.authorization),
                &self.url,
            ])
            .output()
            .context("wrk cannot be run; `scripts/setup bench` installs it")?;
        let used = cpu_us(self.envoy_pid)? - before;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        anyhow::ensure!(output.status.success(), "wrk failed: {text}");
        anyhow::ensure!(!text.contains("Non-2xx"), "calls were refused: {text}");
        parse(&text, used).with_context(|| format!("wrk printed: {text}"))
    }
}

fn parse(text: &str, cpu_us: f64) -> anyhow::Result<Measured> {
    let requests: f64 = field(text, |line| line.contains(" requests in "))
        .context("requests")?
        .parse()?;
    Ok(Measured {
        cpu_us_per_request: cpu_us / requests,
        requests_per_second: after(text, "Requests/sec:")?.parse()?,
        p50_ms: milliseconds(after(text, "50%")?)?,
        p99_ms: milliseconds(after(text, "99%")?)?,
    })
}

fn field(text: &str, is_it: impl Fn(&str) -> bool) -> Option<&str> {
    text.lines()
        .find(|line| is_it(line))?
        .split_whitespace()
        .next()
}

fn after<'a>(text: &'a str, label: &str) -> anyhow::Result<&'a str> {
    text.lines()
        .find_map(|line| line.trim().strip_prefix(label))
        .map(str::trim)
        .with_context(|| format!("no `{label}`"))
}

/// `wrk` writes `812.00us`, `1.20ms` or `2.00s`.
fn milliseconds(text: &str) -> anyhow::Result<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * factor);
        }
    }
    anyhow::bail!("`{text}` has no unit")
}

/// One row a variant, each figure the median of its rounds; ratios are taken round by round
/// against the first variant.
pub(crate) fn table(names: &[&str], rounds: &[Vec<Measured>]) -> String {
    let mut text = String::from(
        "| variant | CPU µs/request | × bare (min–max) | requests/s | p50 ms | p99 ms |\n|---|---|---|---|---|---|\n",
    );
    let Some(bare) = rounds.first() else {
        return text;
    };
    for (name, own) in names.iter().zip(rounds) {
        let mut ratios: Vec<f64> = own
            .iter()
            .zip(bare)
            .map(|(own, bare)| own.cpu_us_per_request / bare.cpu_us_per_request)
            .collect();
        ratios.sort_by(f64::total_cmp);
        let _ = writeln!(
            text,
            "| {name} | {:.1} | {:.2} ({:.2}–{:.2}) | {:.0} | {:.2} | {:.2} |",
            median(own.iter().map(|m| m.cpu_us_per_request)),
            median(ratios.iter().copied()),
            ratios.first().unwrap_or(&f64::NAN),
            ratios.last().unwrap_or(&f64::NAN),
            median(own.iter().map(|m| m.requests_per_second)),
            median(own.iter().map(|m| m.p50_ms)),
            median(own.iter().map(|m| m.p99_ms)),
        );
    }
    text
}

/// The middle value; NaN of nothing.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which `share` (0 to 1) of the values lie; NaN of nothing.
pub(crate) fn quantile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a short list"
    )]
    let index = (last as f64 * share).round() as usize;
    values.get(index).copied().unwrap_or(f64::NAN)
}
