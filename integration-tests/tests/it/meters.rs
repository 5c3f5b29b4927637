//! Limits and meters: what is counted, what is refused, and what a refusal says.

mod changing;
mod fleet;
mod limits;
mod restarts;
mod usage;
mod values;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::scene::Agrees;
use crate::{expect, scene};

type Scene = scene::Scene<Agrees>;

impl Scene {
    async fn meter(&self, meter: &Value) -> Result<String> {
        self.gateway.meter(&self.proxy, meter).await
    }

    /// So many calls, all granted.
    async fn granted(&self, calls: usize) -> Result<()> {
        for number in 0..calls {
            let reply = self.gateway.call(&self.proxy.get("/")).await?;
            expect::ok(&reply).with_context(|| format!("call {number} of {calls}"))?;
        }
        Ok(())
    }

    /// The call is refused for this meter and window before the target is asked.
    async fn refused(&self, call: &Request, meter: &str, window: &str) -> Result<Reply> {
        let before = self.target.count();
        let reply = self.gateway.call(call).await?;
        expect::rate_limited(&reply, meter, window)?;
        ensure!(self.target.count() == before, "the target was asked");
        Ok(reply)
    }

    /// Waits until the region knows of this much.
    async fn used(&self, meter: &str, wanted: f64) -> Result<()> {
        used(&self.gateway, &self.proxy, meter, wanted).await
    }
}

/// Waits until a meter's day shows this much. The fleet may be a second ahead of it.
async fn used(gateway: &Gateway, proxy: &Proxy, meter: &str, wanted: f64) -> Result<()> {
    let what = format!("{wanted} to be used of {meter}");
    wait::until(&what, || async {
        let found = gateway.used(proxy, meter, "day").await?;
        ensure!(found <= wanted + 1e-9, "{found} is used");
        Ok(((found - wanted).abs() < 1e-9).then_some(()))
    })
    .await
}

/// Counts requests, with these limits.
fn counting(limits: &Value) -> Value {
    json!({ "meterName": "requests", "meterType": "request_count", "limits": limits })
}

/// Sums what this path of a response's body says.
fn summing(path: &str, limits: &Value) -> Value {
    json!({
        "meterName": "values",
        "meterType": "response_value",
        "extraction": { "location": "body", "path": path },
        "limits": limits,
    })
}

/// Items of a structured field such as `"minute";q=100;w=60`, by name.
fn items(reply: &Reply, header: &str) -> Result<BTreeMap<String, BTreeMap<String, u64>>> {
    let mut items = BTreeMap::new();
    for item in reply.header(header)?.split(',') {
        let mut parts = item.trim().split(';');
        let name = parts.next().unwrap_or("").trim_matches('"').to_owned();
        let mut members = BTreeMap::new();
        for part in parts {
            let (key, value) = part.split_once('=').context("no `=`")?;
            members.insert(key.trim().to_owned(), value.trim().parse()?);
        }
        items.insert(name, members);
    }
    Ok(items)
}
