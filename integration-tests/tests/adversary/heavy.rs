//! The heaviest policy that an organisation may have for a proxy.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use serde_json::json;

/// A proxy with as many costly patterns on its four layers as it may have.
pub(crate) async fn proxy(gateway: &Gateway, base_url: &str) -> Result<Proxy> {
    let proxy = gateway.proxy(&ProxyPlan::to(base_url)).await?;
    let mut refused = 0;
    let mut attached = 0;
    for layer in Layer::ALL.into_iter().cycle() {
        let names: Vec<_> = (0..10)
            .map(|name| json!({ "name": { "pattern": format!(r"\w\w\w\w{attached}-{name}") } }))
            .collect();
        let rule = json!({ "effect": "deny", "query": names });
        let path = format!("{}/rules", proxy.record(layer));
        let answer = gateway.api.send("POST", &path, &rule).await?;
        if answer.code() == "LIMIT_REACHED" {
            refused += 1;
        } else {
            answer.succeeded()?;
            attached += 1;
        }
        if refused == Layer::ALL.len() {
            break;
        }
        ensure!(attached < 100, "there is no end");
    }
    // Everything above is applied when this is.
    gateway
        .default_effect(&proxy, Layer::Proxy, "allow")
        .await?;
    Ok(proxy)
}

/// So many changes of its policy, one after the other, as fast as the Core API takes them.
pub(crate) async fn changes(gateway: &Gateway, proxy: &Proxy, count: usize) -> Result<()> {
    for number in 0..count {
        let effect = ["deny", "allow"][number % 2];
        let change = json!({ "proxyDefaultRuleEffect": effect });
        let path = proxy.record(Layer::Proxy);
        gateway
            .api
            .send("PATCH", &path, &change)
            .await?
            .succeeded()?;
    }
    Ok(())
}
