//! Redaction inside Envoy, beside other ways to do it.

mod document;
mod download;
mod memory;
mod subject;
mod throughput;

use std::path::Path;

use crate::plan::Plan;
use crate::stack::BenchStack;
use crate::upstream::Nginx;

use subject::Subjects;

/// What is taken out. The filter's buffering build and `redact.lua` have the same paths.
const PATHS: [&str; 3] = [
    "$.items[*].ssn",
    "$.items[*].card.number",
    "$.items[*].secret",
];
/// The most that a proxy may be given.
const MAX_RESPONSE_BYTES: u64 = 1 << 30;

/// Bytes of the target's body per second of Envoy's CPU time, and per second that passed.
pub(crate) async fn throughput(
    plan: &Plan,
    stack: &BenchStack,
    upstream: &Nginx,
    scratch: &Path,
) -> anyhow::Result<String> {
    document::write_all(&upstream.data, &plan.bodies)?;
    let subjects = Subjects::start("throughput", stack, &upstream.url(), scratch).await?;
    throughput::table(plan, &subjects.all).await
}

/// The most memory that Envoy takes while one body passes.
pub(crate) async fn memory(
    plan: &Plan,
    stack: &BenchStack,
    upstream: &Nginx,
    scratch: &Path,
) -> anyhow::Result<String> {
    document::write_all(&upstream.data, &plan.memory)?;
    let subjects = Subjects::start("memory", stack, &upstream.url(), scratch).await?;
    memory::table(&plan.memory, &subjects.all).await
}
