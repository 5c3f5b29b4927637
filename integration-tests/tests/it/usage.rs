//! What Envoys told is what they let through, whoever is killed meanwhile. Each test has a stack of
//! its own.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::{Script, Target, head, send};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::expect;

/// An Envoy is taken for ended ten seconds after its last word.
const ENDED: Duration = Duration::from_secs(40);

/// Rows of usage, once there is a first one and it says this.
async fn rows(gateway: &Gateway, query: &str, admitted: u64) -> Result<Vec<Value>> {
    let path = format!("usage?interval=month&{query}");
    wait::until("usage", || async {
        let told = gateway.api.get(&path).await?.succeeded()?.json;
        let rows = told["rows"].as_array().cloned().context("rows")?;
        let found: u64 = rows.iter().filter_map(|row| row["admitted"].as_u64()).sum();
        ensure!(found <= admitted, "{found} of {admitted} calls: {told}");
        Ok((found == admitted).then_some(rows))
    })
    .await
}

fn sums(rows: &[Value]) -> Vec<Value> {
    let rows = rows.iter();
    rows.map(|row| {
        json!([
            row["key"],
            row["admitted"],
            row["refused"],
            row["values"].as_f64()
        ])
    })
    .collect()
}

struct Scene {
    gateway: Gateway,
    proxy: Proxy,
    meters: [String; 2],
    admitted: u64,
    refused: u64,
}

impl Scene {
    /// A proxy that counts calls, and a value of 0.5 in each response.
    async fn start(stack: &Stack, target: &Target) -> Result<Self> {
        let gateway = Gateway::of(stack)?;
        let proxy = gateway.proxy(&ProxyPlan::to(&target.url())).await?;
        let rule = json!({ "effect": "deny", "path": { "pattern": "^/denied" } });
        gateway.rule(&proxy, Layer::Proxy, &rule).await?;
        let calls = json!({ "meterName": "calls", "meterType": "request_count" });
        let value = json!({
            "meterName": "value", "meterType": "response_value",
            "extraction": { "location": "header", "name": "x-value" },
        });
        let meters = [
            gateway.meter(&proxy, &calls).await?,
            gateway.meter(&proxy, &value).await?,
        ];
        Ok(Self {
            gateway,
            proxy,
            meters,
            admitted: 0,
            refused: 0,
        })
    }

    /// Lets so many calls through, and has half as many refused.
    async fn call(&mut self, calls: u64) -> Result<()> {
        for n in 0..calls {
            expect::ok(&self.gateway.call(&self.proxy.get("/")).await?)?;
            self.admitted += 1;
            if n % 2 == 0 {
                let denied = self.gateway.call(&self.proxy.get("/denied")).await?;
                ensure!(denied.code() == "RULE_DENIED", "{}", denied.text());
                self.refused += 1;
            }
        }
        // Of nobody that is known.
        let unknown = self.proxy.get("/").with("x-none", "1");
        let unknown = unknown.with("authorization", "wrong");
        self.gateway.call(&unknown).await?;
        Ok(())
    }

    /// Every sum is that of the calls.
    async fn is_told(&self) -> Result<()> {
        let (admitted, refused) = (self.admitted, self.refused);
        let value = f64::from(u32::try_from(admitted)?) * 0.5;
        let both = f64::from(u32::try_from(admitted)?) + value;
        for (query, want) in [
            ("", json!([null, admitted, refused, both])),
            (
                "groupBy=region",
                json!([self.gateway.region, admitted, refused, both]),
            ),
            (
                "groupBy=proxy",
                json!([self.proxy.id, admitted, refused, both]),
            ),
            (
                "groupBy=credential",
                json!([self.proxy.credential_ids[0], admitted, refused, 0.0]),
            ),
        ] {
            let rows = rows(&self.gateway, query, admitted).await?;
            ensure!(sums(&rows) == [want], "{query}: {rows:?}");
        }
        let by_meter = rows(&self.gateway, "groupBy=meter", 0).await?;
        let mut found = sums(&by_meter);
        found.sort_by_key(Value::to_string);
        let mut want = vec![
            json!([self.meters[0], 0, 0, f64::from(u32::try_from(admitted)?)]),
            json!([self.meters[1], 0, 0, value]),
        ];
        want.sort_by_key(Value::to_string);
        ensure!(found == want, "{by_meter:?}: {want:?}");
        Ok(())
    }
}

async fn target() -> Result<Target> {
    let script = |_: &_| {
        let lines = [("content-length", "2"), ("x-value", "0.5")];
        Script::AfterRequest(vec![head("200 OK", &lines), send("ok")])
    };
    Target::answering(script).await
}

#[tokio::test]
async fn usage_is_what_was_admitted_over_kills_of_both_servers() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let target = target().await?;
    let mut scene = Scene::start(&stack, &target).await?;
    scene.call(10).await?;
    scene.is_told().await?;
    let neighbour = scene.gateway.neighbour().await?;
    let own = neighbour.api.get("usage").await?.succeeded()?.json;
    ensure!(own["rows"] == json!([]), "{own}");
    for _ in 0..2 {
        scene.call(10).await?;
        stack.kill(stack.xds_pid()?).await?;
        scene.call(10).await?;
        stack.kill(stack.file.pids.core_api).await?;
        scene.call(5).await?;
        stack.revive().await?;
        scene.gateway = Gateway::of(&stack)?;
    }
    scene.is_told().await?;
    let rows = rows(&scene.gateway, "", scene.admitted).await?;
    ensure!(rows[0]["uncertain"] == false, "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn the_usage_of_a_killed_envoy_is_uncertain_and_what_it_told_is_there() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let target = target().await?;
    let mut scene = Scene::start(&stack, &target).await?;
    scene.call(10).await?;
    scene.is_told().await?;
    stack.kill(stack.envoy_pid()?).await?;
    stack.revive().await?;
    scene.gateway = Gateway::of(&stack)?;
    wait::until("the proxy to be served again", || async {
        let reply = scene.gateway.call(&scene.proxy.get("/denied")).await?;
        Ok((reply.code() == "RULE_DENIED").then_some(()))
    })
    .await?;
    scene.refused += 1;
    wait::until_within(ENDED, "the hour to be uncertain", || async {
        let told = scene.gateway.api.get("usage?interval=hour").await?;
        let rows = told.succeeded()?.json["rows"].clone();
        let mut rows = rows.as_array().context("rows")?.iter();
        Ok(rows.any(|row| row["uncertain"] == true).then_some(()))
    })
    .await?;
    scene.call(10).await?;
    scene.is_told().await
}
