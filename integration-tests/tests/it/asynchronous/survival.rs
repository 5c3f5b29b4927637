//! What was accepted is delivered, whatever dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::{Target, respond};

use super::{accepted, ended, later};

#[tokio::test]
async fn killed_processes_lose_nothing_that_was_accepted() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let gateway = Gateway::of(&stack)?;
    let is_up = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_up);
    let target = Target::answering(move |_| {
        let status = if seen.load(Ordering::Relaxed) {
            "200 OK"
        } else {
            "503 Service Unavailable"
        };
        respond(status, &[("retry-after", "2")], b"")
    });
    let target = target.await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut ids = Vec::new();
    for number in 0..10 {
        let request = later(&proxy, "POST", "/x").body(format!("{number}"));
        ids.push(accepted(&gateway, &request).await?);
    }
    // In the middle of first attempts.
    stack.kill(stack.xds_pid()?).await?;
    let lost = gateway
        .call(&later(&proxy, "POST", "/x").body("lost"))
        .await?;
    ensure!(lost.code() == "ASYNC_UNAVAILABLE", "{}", lost.text());
    ensure!(lost.header("retry-after")? == "1", "{:?}", lost.head);
    stack.revive().await?;
    stack.kill(stack.envoy_pid()?).await?;
    stack.revive().await?;
    is_up.store(true, Ordering::Relaxed);
    for id in &ids {
        let status = ended(&gateway, &proxy, id).await?;
        ensure!(status["status"] == "succeeded", "{status}");
    }
    // Each of them, and none but under its own key.
    for (number, id) in ids.iter().enumerate() {
        let body = number.to_string();
        let sent = target.requests();
        let sent: Vec<_> = sent
            .iter()
            .filter(|one| one.body == body.as_bytes())
            .collect();
        ensure!(!sent.is_empty(), "{number} is lost");
        for one in sent {
            let keys = one.head.all("idempotency-key");
            ensure!(keys == [id.clone()], "{keys:?} {id}");
        }
    }
    Ok(())
}
