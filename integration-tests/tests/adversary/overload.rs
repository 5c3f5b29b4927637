//! So many calls at a time that something is full: the cause of it is refused, nobody else.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::caller::Connection;
use requestrocket_integration_tests::gateway::ProxyPlan;
use requestrocket_integration_tests::machine::raise_open_files;

use crate::scene::Scene;
use crate::silent::Silent;
use crate::witness::Witness;

/// So many calls are sent before their arrival is waited for.
const BATCH: usize = 100;

fn plan(silent: &Silent) -> ProxyPlan {
    // As long as may be, so that no call ends by itself before the last one is sent.
    Witness::new("a-silent-target")
        .plan(&silent.url)
        .with("proxyTimeoutSeconds", 60)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_a_target_leaves_open_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let silent = Silent::start().await?;
    let proxy = scene.gateway.proxy(&plan(&silent)).await?;
    // Two ends of each call are in this process, and the machine may not allow that many files.
    let files = usize::try_from(raise_open_files()?)?;
    let calls = (files.saturating_sub(2_000) / 2).min(5_000);
    ensure!(calls > 1_000, "only {files} open files are allowed");
    let work = async {
        let mut open = Vec::with_capacity(calls);
        for number in 1..=calls {
            let mut connection = Connection::open(&scene.gateway.address).await?;
            connection.send(&proxy.get("/").bytes()).await?;
            open.push(connection);
            if number % BATCH == 0 {
                silent.has(number).await?;
            }
        }
        silent.has(calls).await?;
        Ok(open)
    };
    let case = format!("{calls} calls to a silent target");
    let open = scene.beside(&case, work).await?;
    scene.beside("the same, all open", async { Ok(()) }).await?;
    let closing = async move {
        drop(open);
        Ok(())
    };
    scene.beside("the same, closed at once", closing).await
}
