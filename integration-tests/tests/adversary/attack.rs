//! Calls of the hostile.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::caller::{self, Request};
use tokio::task::JoinSet;

use crate::witness::is_free_of_secrets;

/// Calls at the same time. Each may be refused or cut, as one of `statuses`, but is over; a fault of
/// the gateway (500, or 503 without a word) is none of them, and overload always is one.
pub(crate) async fn at_once(
    address: &str,
    statuses: &'static [u16],
    requests: Vec<Request>,
) -> Result<()> {
    let mut calls = JoinSet::new();
    for request in requests {
        let gateway = address.to_owned();
        calls.spawn(async move {
            let reply = caller::call(&gateway, &request).await?;
            let said = reply.text();
            let is_overloaded = reply.status == 503 && reply.code() == "OVERLOADED";
            ensure!(
                statuses.contains(&reply.status) || is_overloaded,
                "{} of {:.80}: {said:.200}",
                reply.status,
                request.path,
            );
            ensure!(is_free_of_secrets(&said), "a secret is in an answer");
            Ok(())
        });
    }
    while let Some(done) = calls.join_next().await {
        done??;
    }
    Ok(())
}
