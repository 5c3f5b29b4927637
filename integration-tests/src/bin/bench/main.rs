//! `make bench`: what a call costs beside bare Envoy, and how fast a change is enforced.
//!
//! Everything is measured in one run on one machine, because only the ratios travel. The variants
//! are made from the configuration that the running Envoy dumps, so "bare" is our own listener
//! without our filter and nothing else.

#![expect(
    clippy::indexing_slicing,
    reason = "a member that is missing ends the benchmark, which is right"
)]

mod load;
mod propagation;
mod stack;
mod upstream;
mod variants;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use crate::load::{Load, Measured};
use crate::stack::BenchStack;
use crate::variants::{Variant, VariantEnvoy};

/// How long and how much; set on the command line as `name=value`.
#[derive(Clone, Debug)]
struct Plan {
    /// Measured seconds of each round of each variant.
    seconds: u64,
    /// Rounds; variants take turns within one, and the median round counts.
    rounds: usize,
    /// Fleet sizes for the propagation part.
    proxies: Vec<usize>,
    /// Changes measured at each size.
    changes: usize,
    /// Writes the tables there too.
    output: Option<PathBuf>,
}

impl Plan {
    fn parse(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut plan = Self {
            seconds: 5,
            rounds: 5,
            proxies: vec![10, 1_000, 10_000],
            changes: 200,
            output: None,
        };
        for argument in arguments {
            let (name, value) = argument
                .split_once('=')
                .with_context(|| format!("`{argument}` is not name=value"))?;
            match name {
                "seconds" => plan.seconds = value.parse()?,
                "rounds" => plan.rounds = value.parse()?,
                "changes" => plan.changes = value.parse()?,
                "proxies" => {
                    plan.proxies = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
                }
                "output" => plan.output = Some(PathBuf::from(value)),
                _ => anyhow::bail!(
                    "unknown option `{name}`; known: seconds, rounds, proxies, changes, output"
                ),
            }
        }
        Ok(plan)
    }
}

fn main() -> anyhow::Result<()> {
    let plan = Plan::parse(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(&plan))
}

#[expect(clippy::print_stdout, reason = "the tables are the product")]
async fn run(plan: &Plan) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let upstream = upstream::Nginx::start(scratch.path())?;
    let mut stack = BenchStack::start(scratch.path()).await?;
    let proxy = stack.create_proxy("bench", &upstream.url()).await?;

    let mut report = String::from("# Cost of one call\n\n");
    report.push_str(&cost_of_a_call(plan, &stack, &proxy, scratch.path()).await?);
    report.push_str("\n# Configuration\n\n");
    report.push_str(
        &propagation::measure(&mut stack, &upstream.url(), &plan.proxies, plan.changes).await?,
    );
    println!("{report}");
    if let Some(output) = &plan.output {
        std::fs::write(output, &report).with_context(|| output.display().to_string())?;
    }
    Ok(())
}

/// Takes turns among the variants and prints one row for each.
async fn cost_of_a_call(
    plan: &Plan,
    stack: &BenchStack,
    proxy: &stack::BenchProxy,
    scratch: &std::path::Path,
) -> anyhow::Result<String> {
    let dump = stack.config_dump().await?;
    let mut envoys = Vec::new();
    for variant in [Variant::Bare, Variant::Native, Variant::Lua] {
        envoys.push(VariantEnvoy::start(variant, &dump, proxy, scratch).await?);
    }
    let mut loads: Vec<(&'static str, Load)> = envoys
        .iter()
        .map(|envoy| (envoy.variant.name(), envoy.load(proxy)))
        .collect();
    loads.push(("RequestRocket", stack.load(proxy)?));

    let duration = Duration::from_secs(plan.seconds);
    let mut rounds: Vec<Vec<Measured>> = loads.iter().map(|_| Vec::new()).collect();
    for (_, load) in &loads {
        load.run(Duration::from_secs(1))?;
    }
    for _ in 0..plan.rounds {
        for ((_, load), measured) in loads.iter().zip(&mut rounds) {
            measured.push(load.run(duration)?);
        }
    }
    let names: Vec<&str> = loads.iter().map(|(name, _)| *name).collect();
    Ok(load::table(&names, &rounds))
}
