//! How long a change takes from the Core API's answer to enforcement, and what proxies cost.

use requestrocket_integration_tests::http;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context;
use futures::stream::{StreamExt, TryStreamExt};
use serde_json::json;

use crate::load::quantile;
use crate::process::{cpu_us, now, rss_kib};
use crate::stack::{BenchStack, Bindings};

/// Proxies created at a time while the fleet grows.
const CREATORS: usize = 8;

/// Grows the fleet to each of `sizes` and measures `changes` changes there.
pub(crate) async fn measure(
    stack: &mut BenchStack,
    target_url: &str,
    sizes: &[usize],
    changes: usize,
) -> anyhow::Result<String> {
    let (bindings, credential) = stack.create_bindings("fleet", target_url).await?;
    let mut text = String::from(
        "| proxies | enforced after, p50 ms | p99 ms | xds-server CPU ms/change | Envoy MiB | xds-server MiB |\n\
         |---|---|---|---|---|---|\n",
    );
    let probe = stack.create_bound_proxy("probe", &bindings, true).await?;
    let mut present = 2;
    let mut memory: Vec<(usize, BTreeMap<&'static str, u64>)> = Vec::new();
    for &size in sizes {
        grow(stack, &bindings, present..size).await?;
        present = present.max(size);
        let pids = stack.pids()?;
        let before = cpu_us(pids["xds-server"])?;
        let path = format!("proxies/{probe}");
        let switch = Switch {
            path: &path,
            member: "proxyActive",
        };
        let delays = change_delays(stack, switch, (&probe, &credential), changes).await?;
        let cpu_ms = (cpu_us(pids["xds-server"])? - before) / 1000.0;
        let resident = resident(&pids)?;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let _ = writeln!(
            text,
            "| {present} | {:.1} | {:.1} | {:.2} | {:.1} | {:.1} |",
            quantile(delays.iter().copied(), 0.5),
            quantile(delays.iter().copied(), 0.99),
            cpu_ms / (changes * 2) as f64,
            resident["envoy"] as f64 / 1024.0,
            resident["xds-server"] as f64 / 1024.0,
        );
        memory.push((present, resident));
    }
    text.push_str(&memory_per_proxy(&memory));
    Ok(text)
}

/// Creates proxies and waits until the last is enforced.
async fn grow(
    stack: &BenchStack,
    to: &Bindings,
    numbers: std::ops::Range<usize>,
) -> anyhow::Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    let create = |number| async move {
        stack
            .create_bound_proxy(&format!("fleet {number}"), to, false)
            .await
    };
    futures::stream::iter(numbers)
        .map(create)
        .buffer_unordered(CREATORS)
        .try_collect::<Vec<_>>()
        .await?;
    stack
        .create_bound_proxy("last of the fleet", to, true)
        .await?;
    Ok(())
}

/// What is switched off and on.
#[derive(Clone, Copy)]
pub(crate) struct Switch<'a> {
    /// Below the organisation.
    pub(crate) path: &'a str,
    /// The member that says whether it counts.
    pub(crate) member: &'a str,
}

/// Switches it off and on; milliseconds from each answer to the first call of the proxy that shows
/// it.
pub(crate) async fn change_delays(
    stack: &BenchStack,
    Switch { path, member }: Switch<'_>,
    (proxy_id, credential): (&str, &str),
    changes: usize,
) -> anyhow::Result<Vec<f64>> {
    let http = http::client().build()?;
    let url = stack.proxy_url(proxy_id)? + "/v1/me";
    let mut delays = Vec::with_capacity(changes * 2);
    for is_active in [false, true].into_iter().cycle().take(changes * 2) {
        stack.change(path, &json!({ member: is_active })).await?;
        let answered = now();
        let want = if is_active { 200 } else { 403 };
        loop {
            let status = http
                .get(&url)
                .header("authorization", credential)
                .send()
                .await?
                .status();
            if status.as_u16() == want {
                break;
            }
            anyhow::ensure!(
                answered.elapsed() < Duration::from_secs(30),
                "a change was not enforced within 30 s (still {status})"
            );
        }
        delays.push(answered.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(delays)
}

fn resident(pids: &BTreeMap<&'static str, u32>) -> anyhow::Result<BTreeMap<&'static str, u64>> {
    pids.iter()
        .map(|(role, pid)| Ok((*role, rss_kib(*pid).with_context(|| (*role).to_owned())?)))
        .collect()
}

/// The slope between the smallest and the largest fleet.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn memory_per_proxy(memory: &[(usize, BTreeMap<&'static str, u64>)]) -> String {
    let (Some((few, small)), Some((many, large))) = (memory.first(), memory.last()) else {
        return String::new();
    };
    if many <= few {
        return String::new();
    }
    let slope = |role: &str| (large[role] as f64 - small[role] as f64) / (many - few) as f64;
    format!(
        "\nMemory per proxy: Envoy {:.1} KiB, xds-server {:.1} KiB, core-api {:.2} KiB.\n",
        slope("envoy"),
        slope("xds-server"),
        slope("core-api"),
    )
}
