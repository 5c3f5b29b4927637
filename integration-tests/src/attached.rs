//! What is attached to the records of a proxy: rules, filters, meters and default effects.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::core_api::Answer;
use crate::gateway::{Gateway, Proxy, id};
use crate::wait::{self, Window};

/// The four places for rules and filters, in the order in which a denial is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    ProxyCredential,
    TargetCredential,
    Target,
    Proxy,
}

impl Layer {
    pub const ALL: [Self; 4] = [
        Self::ProxyCredential,
        Self::TargetCredential,
        Self::Target,
        Self::Proxy,
    ];

    /// As denials and previews name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::ProxyCredential => "proxyCredential",
            Self::TargetCredential => "targetCredential",
            Self::Target => "target",
            Self::Proxy => "proxy",
        }
    }

    /// `attachedTo.type`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::ProxyCredential | Self::TargetCredential => "credential",
            Self::Target => "target",
            Self::Proxy => "proxy",
        }
    }
}

impl Proxy {
    /// Path of the record that carries a layer; of several proxy credentials the first.
    pub fn record(&self, layer: Layer) -> String {
        match layer {
            Layer::ProxyCredential => {
                let first = self.credential_ids.first().map_or("none", String::as_str);
                format!("credentials/{first}")
            }
            Layer::TargetCredential => format!("credentials/{}", self.target_credential_id),
            Layer::Target => format!("targets/{}", self.target_id),
            Layer::Proxy => format!("proxies/{}", self.id),
        }
    }

    /// Path of one of its meters.
    pub fn meter(&self, meter_id: &str) -> String {
        format!("proxies/{}/meters/{meter_id}", self.id)
    }
}

impl Gateway {
    /// Attaches a rule and gives its id back; it is enforced when this returns.
    pub async fn rule(&self, proxy: &Proxy, layer: Layer, rule: &Value) -> Result<String> {
        let path = format!("{}/rules", proxy.record(layer));
        let made = self.api.applied("POST", &path, rule).await?;
        id(&made.json, "ruleId")
    }

    /// Attaches a filter and gives its id back; it is enforced when this returns.
    pub async fn filter(&self, proxy: &Proxy, layer: Layer, filter: &Value) -> Result<String> {
        let path = format!("{}/filters", proxy.record(layer));
        let made = self.api.applied("POST", &path, filter).await?;
        id(&made.json, "filterId")
    }

    /// A filter on the proxy that takes these paths out of every response.
    pub async fn destroy(&self, proxy: &Proxy, paths: &[&str]) -> Result<String> {
        let filter = json!({ "operation": "destroy", "paths": paths });
        self.filter(proxy, Layer::Proxy, &filter).await
    }

    /// A filter on the proxy that leaves only these paths in a response.
    pub async fn retain(&self, proxy: &Proxy, paths: &[&str]) -> Result<String> {
        let filter = json!({ "operation": "retain", "paths": paths });
        self.filter(proxy, Layer::Proxy, &filter).await
    }

    /// Makes a meter and gives its id back; it counts when this returns, and its hour, day and
    /// month go on for a minute.
    pub async fn meter(&self, proxy: &Proxy, meter: &Value) -> Result<String> {
        wait::for_window(Window::Hour, 60).await?;
        let path = format!("proxies/{}/meters", proxy.id);
        let made = self.api.applied("POST", &path, meter).await?;
        id(&made.json, "meterId")
    }

    /// Removes a rule, filter or meter for good.
    pub async fn detach(&self, path: &str) -> Result<()> {
        self.api.applied("DELETE", path, &Value::Null).await?;
        Ok(())
    }

    /// What a layer does when no rule of it matches.
    pub async fn default_effect(&self, proxy: &Proxy, layer: Layer, effect: &str) -> Result<()> {
        let member = format!("{}DefaultRuleEffect", layer.kind());
        let change = json!({ member: effect });
        self.api
            .applied("PATCH", &proxy.record(layer), &change)
            .await?;
        Ok(())
    }

    /// What the Core API says of a sample call.
    pub async fn evaluate(&self, proxy: &Proxy, call: &Value) -> Result<Answer> {
        let path = format!("proxies/{}/evaluate", proxy.id);
        self.api.send("POST", &path, call).await
    }

    /// What the Core API makes of a sample response.
    pub async fn preview(&self, proxy: &Proxy, call: &Value) -> Result<Answer> {
        let path = format!("proxies/{}/preview", proxy.id);
        self.api.send("POST", &path, call).await
    }

    /// The four windows of a meter.
    pub async fn usage(&self, proxy: &Proxy, meter_id: &str) -> Result<Value> {
        let path = format!("{}/usage", proxy.meter(meter_id));
        let answer = self.api.get(&path).await?.succeeded()?;
        let named = answer.text_at("/meterId");
        ensure!(named == meter_id, "usage of another: {}", answer.text);
        Ok(answer.json)
    }

    /// What a meter has counted in its open window of this name.
    pub async fn used(&self, proxy: &Proxy, meter_id: &str, window: &str) -> Result<f64> {
        let usage = self.usage(proxy, meter_id).await?;
        let windows = usage.get("windows").and_then(Value::as_array);
        let found = windows
            .into_iter()
            .flatten()
            .find(|entry| entry.get("window").and_then(Value::as_str) == Some(window));
        let used = found.and_then(|entry| entry.get("used")?.as_f64());
        used.with_context(|| format!("no {window} in {usage}"))
    }
}
