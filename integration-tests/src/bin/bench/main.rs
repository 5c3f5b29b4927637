//! `make bench`: what a call and redaction cost beside bare Envoy, and how fast a change is enforced.
//!
//! Everything is measured in one run on one machine, because only the ratios travel. The variants
//! are made from the configuration that the running Envoy dumps, so "bare" is our own listener
//! without our filter and nothing else.

#![expect(
    clippy::indexing_slicing,
    reason = "a member that is missing ends the benchmark, which is right"
)]

mod calls;
mod credentials;
mod editors;
mod first_byte;
mod guards;
mod load;
mod plan;
mod process;
mod propagation;
mod raw;
mod redaction;
mod stack;
mod traps;
mod upstream;
mod variants;

use std::path::Path;

use anyhow::Context;
use requestrocket_integration_tests::binaries::variable;

use crate::plan::{Part, Plan};
use crate::stack::BenchStack;
use crate::upstream::Nginx;

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
    let upstream = Nginx::start(scratch.path())?;
    let mut stack = BenchStack::start(&scratch.path().join("stack"), None).await?;
    let mut report = String::new();
    for part in &plan.parts {
        let (title, table) = measure(*part, plan, &mut stack, (&upstream, scratch.path())).await?;
        let section = format!("# {title}\n\n{table}\n");
        println!("{section}");
        report.push_str(&section);
        if let Some(output) = &plan.output {
            std::fs::write(output, &report).with_context(|| output.display().to_string())?;
        }
    }
    Ok(())
}

async fn measure(
    part: Part,
    plan: &Plan,
    stack: &mut BenchStack,
    (upstream, scratch): (&Nginx, &Path),
) -> anyhow::Result<(&'static str, String)> {
    Ok(match part {
        Part::Calls => (
            "Cost of one call",
            calls::measure(plan, &upstream.url(), scratch).await?,
        ),
        Part::Credentials => (
            "Types of credentials",
            credentials::measure(plan, upstream, scratch).await?,
        ),
        Part::Redaction => (
            "Throughput of redaction",
            redaction::throughput(plan, stack, upstream, scratch).await?,
        ),
        Part::Memory => (
            "Memory of redaction",
            redaction::memory(plan, stack, upstream, scratch).await?,
        ),
        Part::FirstByte => (
            "First byte of a slow answer",
            first_byte::measure(plan, stack, scratch).await?,
        ),
        Part::Traps => (
            "Traps",
            traps::measure(&upstream.url(), scratch, plan).await?,
        ),
        Part::Editors => ("Many editors", many_editors(plan, stack, scratch).await?),
        Part::Configuration => (
            "Configuration",
            propagation::measure(stack, &upstream.url(), &plan.proxies, plan.changes).await?,
        ),
    })
}

async fn many_editors(plan: &Plan, stack: &BenchStack, scratch: &Path) -> anyhow::Result<String> {
    let on_sqlite = editors::measure(stack, plan.editor_seconds).await?;
    let Some(url) = variable("REQUESTROCKET_TEST_POSTGRES_URL") else {
        return Ok(format!("SQLite:\n\n{on_sqlite}"));
    };
    let stack = BenchStack::start_on(&scratch.join("postgres"), &url).await?;
    let on_postgres = editors::measure(&stack, plan.editor_seconds).await?;
    Ok(format!(
        "SQLite:\n\n{on_sqlite}\nPostgreSQL:\n\n{on_postgres}"
    ))
}
