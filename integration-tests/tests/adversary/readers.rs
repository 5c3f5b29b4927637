//! Who looks into a response: filters and meters, as costly as a configuration can make them.

use anyhow::Result;
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use serde_json::{Value, json};

/// What of the response is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paths {
    None,
    One,
    Hundred,
    /// Needs the whole body.
    Last,
    Anywhere,
    Condition,
    /// Some of everything.
    Mixed,
}

impl Paths {
    fn texts(self) -> Vec<String> {
        let texts: &[&str] = match self {
            Self::None => &[],
            Self::One => &["$.a"],
            Self::Hundred => return (0..100).map(|n| format!("$.a{n}[*].x")).collect(),
            Self::Last => &["$.a[-1]"],
            Self::Anywhere => &["$..x"],
            Self::Condition => &["$.a[?@.x > 1]"],
            Self::Mixed => &["$.a[-1]", "$..x", "$.a[?@.x > 1]", "$[*]..y"],
        };
        texts.iter().map(|text| (*text).to_owned()).collect()
    }
}

/// A configuration that reads responses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    paths: Paths,
    layers: &'static [Layer],
    meter: Option<&'static str>,
}

const ONE_LAYER: &[Layer] = &[Layer::Proxy];

const fn reader(
    name: &'static str,
    paths: Paths,
    layers: &'static [Layer],
    meter: Option<&'static str>,
) -> Reader {
    Reader {
        name,
        paths,
        layers,
        meter,
    }
}

pub(crate) const ONE_PATH: Reader = reader("one path", Paths::One, ONE_LAYER, None);
pub(crate) const HUNDRED_PATHS: Reader = reader("100 paths", Paths::Hundred, ONE_LAYER, None);
pub(crate) const VALUE: Reader = reader("a value", Paths::None, ONE_LAYER, Some("$.x"));
pub(crate) const LAST: Reader = reader("the last", Paths::Last, ONE_LAYER, None);
pub(crate) const LAST_FOUR_TIMES: Reader =
    reader("the last, on four layers", Paths::Last, &Layer::ALL, None);

pub(crate) const READERS: [Reader; 10] = [
    // What the same bytes cost others when nothing is done to them.
    reader("nobody", Paths::None, ONE_LAYER, None),
    ONE_PATH,
    HUNDRED_PATHS,
    VALUE,
    LAST_FOUR_TIMES,
    reader("anywhere", Paths::Anywhere, ONE_LAYER, None),
    reader("a condition", Paths::Condition, ONE_LAYER, None),
    reader("a value and a path", Paths::One, ONE_LAYER, Some("$..x")),
    reader(
        "100 paths on four layers",
        Paths::Hundred,
        &Layer::ALL,
        None,
    ),
    reader("all of it", Paths::Mixed, &Layer::ALL, Some("$.a[*].x")),
];

/// A rule that denies nothing that is sent here, and needs the body to know that.
pub(crate) fn body_rule() -> Value {
    json!({
        "effect": "deny",
        "body": [{ "path": "$.model", "value": { "pattern": "^large$" } }],
    })
}

impl Reader {
    /// A proxy that reads so.
    pub(crate) async fn proxy(&self, gateway: &Gateway, plan: &ProxyPlan) -> Result<Proxy> {
        let proxy = gateway.proxy(plan).await?;
        let filter = json!({ "operation": "destroy", "paths": self.paths.texts() });
        if !matches!(self.paths, Paths::None) {
            for layer in self.layers {
                gateway.filter(&proxy, *layer, &filter).await?;
            }
        }
        if let Some(path) = self.meter {
            let meter = json!({
                "meterName": "values",
                "meterType": "response_value",
                "extraction": { "location": "body", "path": path },
                "limits": {},
            });
            // Nothing here depends on the window it counts in.
            let meters = format!("proxies/{}/meters", proxy.id);
            gateway.api.applied("POST", &meters, &meter).await?;
        }
        Ok(proxy)
    }
}
