//! What redaction adds before the first byte of an answer that comes slowly.

mod slow_target;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use self::slow_target::{LAST, SECRET, SlowTarget};
use crate::load::quantile;
use crate::plan::Plan;
use crate::raw;
use crate::stack::{BenchProxy, BenchStack};
use crate::variants::{Variant, VariantEnvoy};

/// Who is asked.
#[derive(Debug)]
struct Source {
    name: &'static str,
    url: String,
    authorization: String,
    is_redacting: bool,
}

/// Takes turns among the sources call by call.
pub(crate) async fn measure(
    plan: &Plan,
    stack: &BenchStack,
    scratch: &Path,
) -> anyhow::Result<String> {
    let target = SlowTarget::start()?;
    let untouched = stack.create_proxy("slow", &target.url()).await?;
    let redacting = stack.create_proxy("slow, redacted", &target.url()).await?;
    let filters = format!("proxies/{}/filters", redacting.proxy_id);
    let filter = json!({"operation": "destroy", "paths": ["$.ssn", "$.items[*].ssn"]});
    stack.attach(&filters, &filter).await?;
    let dump = stack.config_dump().await?;
    let bare = VariantEnvoy::start(Variant::Bare, &dump, &untouched, scratch).await?;
    let sources = [
        source("bare Envoy", bare.proxy_url(&untouched), &untouched),
        source(
            "RequestRocket, nothing redacted",
            stack.proxy_url(&untouched.proxy_id)?,
            &untouched,
        ),
        Source {
            is_redacting: true,
            ..source(
                "RequestRocket, redacting",
                stack.proxy_url(&redacting.proxy_id)?,
                &redacting,
            )
        },
    ];
    table(plan.answers, &sources)
}

fn source(name: &'static str, url: String, proxy: &BenchProxy) -> Source {
    Source {
        name,
        url,
        authorization: proxy.credential.clone(),
        is_redacting: false,
    }
}

fn table(answers: usize, sources: &[Source]) -> anyhow::Result<String> {
    let mut text =
        String::from("| answer | from | first byte after, p50 ms | p99 ms |\n|---|---|---|---|\n");
    for (kind, path) in [("SSE", "/events"), ("JSON", "/json")] {
        let mut delays: Vec<Vec<f64>> = sources.iter().map(|_| Vec::new()).collect();
        for number in 0..answers {
            let mut turn: Vec<_> = sources.iter().zip(&mut delays).collect();
            // Every order in turn: whoever follows a call to the same Envoy finds it awake.
            turn.rotate_left(number % sources.len());
            if number / sources.len() % 2 == 1 {
                turn.reverse();
            }
            for (source, own) in turn {
                own.push(delay_ms(source, path)?);
            }
        }
        for (source, own) in sources.iter().zip(&delays) {
            let _ = writeln!(
                text,
                "| {kind} | {} | {:.2} | {:.2} |",
                source.name,
                quantile(own.iter().copied(), 0.5),
                quantile(own.iter().copied(), 0.99),
            );
        }
    }
    Ok(text)
}

fn delay_ms(source: &Source, path: &str) -> anyhow::Result<f64> {
    let (delay, answer) = raw::first_byte(&(source.url.clone() + path), &source.authorization)?;
    anyhow::ensure!(
        answer.contains(LAST) && answer.contains(SECRET) != source.is_redacting,
        "{} answered {answer}",
        source.name
    );
    Ok(delay.as_secs_f64() * 1000.0)
}
