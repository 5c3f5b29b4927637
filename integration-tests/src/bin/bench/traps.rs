//! What is left of innocent calls while one call in a hundred makes the filter trap.
//!
//! By default one worker, so every trap meets everybody. The filter is the build that traps on a header; all
//! else is the stack that is shipped.

use requestrocket_integration_tests::http;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::RequestBuilder;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::plan::Plan;
use crate::stack::{BenchProxy, BenchStack, filter_module};

/// The header on which that build traps.
const TRAP: &str = "rr-test-trap";
/// Innocent callers of each kind; with a call each [`PACE`] they make 990 calls a second.
const CALLERS: u32 = 33;
const PACE: Duration = Duration::from_micros(66_667);
/// Ten traps a second.
const TRAP_PACE: Duration = Duration::from_millis(100);

/// How the calls of one kind fared.
#[derive(Clone, Copy, Debug, Default)]
struct Fared {
    calls: u32,
    failed: u32,
}

/// Calls for so many seconds without traps, then with.
pub(crate) async fn measure(
    target_url: &str,
    scratch: &Path,
    plan: &Plan,
) -> anyhow::Result<String> {
    let filter = filter_module("requestrocket_filter_trap.wasm")?;
    let stack =
        BenchStack::start_workers(&scratch.join("traps"), Some(&filter), plan.trap_workers).await?;
    let untouched = stack.create_proxy("untouched", target_url).await?;
    let redacted = stack.create_proxy("redacted", target_url).await?;
    let filters = format!("proxies/{}/filters", redacted.proxy_id);
    let filter = json!({"operation": "destroy", "paths": ["$.ssn"]});
    stack.attach(&filters, &filter).await?;
    let hostile = stack.create_proxy("hostile", target_url).await?;
    let seconds = Duration::from_secs(plan.trap_seconds);
    let mut text = String::from("| traps | calls | failed | succeeded |\n|---|---|---|---|\n");
    for traps in [None, Some(&hostile)] {
        let (fared, trapped) = turn(&stack, [&untouched, &redacted], traps, seconds).await?;
        for (kind, fared) in ["untouched", "redacted"].into_iter().zip(fared) {
            let share = 1.0 - f64::from(fared.failed) / f64::from(fared.calls.max(1));
            let _ = writeln!(
                text,
                "| {trapped}, {kind} | {} | {} | {:.3} % |",
                fared.calls,
                fared.failed,
                share * 100.0
            );
        }
    }
    Ok(text)
}

async fn turn(
    stack: &BenchStack,
    innocent: [&BenchProxy; 2],
    hostile: Option<&BenchProxy>,
    duration: Duration,
) -> anyhow::Result<([Fared; 2], u32)> {
    let mut callers = JoinSet::new();
    for (kind, proxy) in innocent.into_iter().enumerate() {
        let call = call(stack, proxy)?;
        for number in 0..CALLERS {
            // Spread over the pace, as calls of strangers are.
            let late = PACE * number / CALLERS;
            callers.spawn(repeat(call.try_clone(), (late, PACE), duration, Some(kind)));
        }
    }
    if let Some(proxy) = hostile {
        let call = call(stack, proxy)?.header(TRAP, "1");
        callers.spawn(repeat(
            Some(call),
            (Duration::ZERO, TRAP_PACE),
            duration,
            None,
        ));
    }
    let (mut all, mut trapped) = ([Fared::default(); 2], 0);
    while let Some(fared) = callers.join_next().await {
        let (kind, fared) = fared??;
        match kind.and_then(|kind| all.get_mut(kind)) {
            Some(sum) => {
                sum.calls += fared.calls;
                sum.failed += fared.failed;
            }
            None => trapped += fared.failed,
        }
    }
    Ok((all, trapped))
}

fn call(stack: &BenchStack, proxy: &BenchProxy) -> anyhow::Result<RequestBuilder> {
    let url = stack.proxy_url(&proxy.proxy_id)? + "/v1/me";
    let call = http::client().build()?.get(url);
    Ok(call.header("authorization", &proxy.credential))
}

async fn repeat(
    call: Option<RequestBuilder>,
    (late, pace): (Duration, Duration),
    duration: Duration,
    kind: Option<usize>,
) -> anyhow::Result<(Option<usize>, Fared)> {
    let call = call.context("a call with a body")?;
    tokio::time::sleep(late).await;
    let mut due = interval(pace);
    let start = due.tick().await;
    let mut fared = Fared::default();
    while start.elapsed() < duration {
        let again = call.try_clone().context("a call with a body")?;
        let is_answered = match again.send().await {
            Ok(answer) => answer.status() == 200 && answer.bytes().await.is_ok(),
            Err(_) => false,
        };
        fared.calls += 1;
        fared.failed += u32::from(!is_answered);
        due.tick().await;
    }
    Ok((kind, fared))
}
