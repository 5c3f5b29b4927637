//! How soon a caller's credential that was revoked is refused.

use std::path::Path;

use crate::load::quantile;
use crate::propagation::{Switch, change_delays};
use crate::stack::BenchStack;

/// Switches a credential off and on, so often; one Envoy.
pub(crate) async fn measure(
    scratch: &Path,
    target_url: &str,
    changes: usize,
) -> anyhow::Result<String> {
    let stack = BenchStack::start(scratch, None).await?;
    let proxy = stack.create_proxy("revoked", target_url).await?;
    let credential = format!("credentials/{}", proxy.bindings.proxy_credential_id);
    let switch = Switch {
        path: &credential,
        member: "credentialActive",
    };
    let delays = change_delays(
        &stack,
        switch,
        (&proxy.proxy_id, &proxy.credential),
        changes,
    );
    let delays = delays.await?;
    // Every other one: off, then on.
    let revoked = || delays.iter().copied().step_by(2);
    Ok(format!(
        "\nA revoked credential is refused {:.1} ms (p50), {:.1} ms (p99) after the Core API's answer; \
         {changes} of them.\n",
        quantile(revoked(), 0.5),
        quantile(revoked(), 0.99),
    ))
}
