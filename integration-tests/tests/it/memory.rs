//! What a filter keeps per request would show after a hundred thousand of them.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::machine::resident_bytes;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::traffic::Traffic;
use requestrocket_integration_tests::wait;

const MEGABYTE: u64 = 1 << 20;
const WARM_UP: u64 = 10_000;
const REQUESTS: u64 = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_requests_leave_nothing_behind() -> Result<()> {
    let stack = Stack::start(&[]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::unrecorded().await?;
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key("soak-key"));
    let proxy = gateway.proxy(&plan).await?;
    let traffic = Traffic::start(&gateway.address, &proxy.get("/soak?a=1"), 8);
    let reached = async |count: u64| {
        let limit = std::time::Duration::from_mins(2);
        wait::until_within(limit, "the requests to be answered", || async {
            Ok((traffic.granted() >= count).then_some(()))
        })
        .await
    };
    reached(WARM_UP).await?;
    let before = resident_bytes(stack.envoy_pid()?)?;
    reached(WARM_UP + REQUESTS).await?;
    let grown = resident_bytes(stack.envoy_pid()?)?.saturating_sub(before);
    traffic.finish().await?;
    ensure!(
        grown < 16 * MEGABYTE,
        "Envoy grew by {} MiB",
        grown / MEGABYTE
    );
    Ok(())
}
