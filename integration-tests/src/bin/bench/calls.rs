//! What a call costs beside bare Envoy.

use std::path::Path;
use std::time::Duration;

use crate::guards;
use crate::load::{self, Load, Measured};
use crate::plan::Plan;
use crate::stack::{BenchProxy, BenchStack};
use crate::variants::{Variant, VariantEnvoy};

/// Takes turns among the variants, with several sets of processes, and prints one row for each.
pub(crate) async fn measure(
    plan: &Plan,
    target_url: &str,
    scratch: &Path,
) -> anyhow::Result<String> {
    let mut names = Vec::new();
    let mut rounds: Vec<Vec<Measured>> = Vec::new();
    for fleet in 0..plan.fleets {
        let scratch = scratch.join(format!("fleet-{fleet}"));
        std::fs::create_dir(&scratch)?;
        let measured = measure_fleet(plan, target_url, &scratch).await?;
        names = measured.iter().map(|(name, _)| *name).collect();
        rounds.resize(names.len(), Vec::new());
        for (all, (_, own)) in rounds.iter_mut().zip(measured) {
            all.extend(own);
        }
    }
    Ok(load::table(&names, &rounds))
}

/// The turns of each variant with one set of processes.
async fn measure_fleet(
    plan: &Plan,
    target_url: &str,
    scratch: &Path,
) -> anyhow::Result<Vec<(&'static str, Vec<Measured>)>> {
    let stack = BenchStack::start(&scratch.join("stack"), None).await?;
    let bound = stack.create_proxy("bench", target_url).await?;
    let ruled = stack.create_proxy("ruled", target_url).await?;
    guards::attach_rules(&stack, &ruled).await?;
    let metered = stack.create_proxy("metered", target_url).await?;
    guards::attach_rules(&stack, &metered).await?;
    guards::attach_meters(&stack, &metered).await?;
    let envoys = start_variants(&stack, &bound, scratch).await?;
    let mut loads: Vec<(&'static str, Load)> = envoys
        .iter()
        .map(|envoy| (envoy.variant.name(), envoy.load(&bound)))
        .collect();
    loads.push(("RequestRocket", stack.load(&bound)?));
    loads.push(("RequestRocket, 20 rules", stack.load(&ruled)?));
    loads.push(("RequestRocket, 20 rules, 2 meters", stack.load(&metered)?));
    let rounds = run_rounds(plan, &loads)?;
    let names = loads.into_iter().map(|(name, _)| name);
    Ok(names.zip(rounds).collect())
}

async fn start_variants(
    stack: &BenchStack,
    proxy: &BenchProxy,
    scratch: &Path,
) -> anyhow::Result<Vec<VariantEnvoy>> {
    let dump = stack.config_dump().await?;
    let mut envoys = Vec::new();
    for variant in [Variant::Bare, Variant::Native, Variant::Lua] {
        envoys.push(VariantEnvoy::start(variant, &dump, proxy, scratch).await?);
    }
    Ok(envoys)
}

/// All loads in turn, round by round.
pub(crate) fn run_rounds<Name>(
    plan: &Plan,
    loads: &[(Name, Load)],
) -> anyhow::Result<Vec<Vec<Measured>>> {
    let turn_length = Duration::from_secs(1);
    let mut rounds: Vec<Vec<Measured>> = loads.iter().map(|_| Vec::new()).collect();
    for (_, load) in loads {
        load.run(turn_length)?;
    }
    for round in 0..plan.turns {
        // Each round begins with another one, so that nobody's turn is always after the same.
        let turns = (0..loads.len()).map(|turn| (turn + round) % loads.len());
        for turn in turns {
            rounds[turn].push(loads[turn].1.run(turn_length)?);
        }
    }
    Ok(rounds)
}
