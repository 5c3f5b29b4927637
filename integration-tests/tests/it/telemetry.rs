//! What calls come to is what was called, counted by somebody else.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::core_api::CoreApi;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::{Recorded, Script, Target, head, send};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::records;

/// What callers saw.
#[derive(Debug, Default)]
struct Seen {
    requests: u64,
    errors: u64,
    response_bytes: u64,
    statuses: BTreeMap<u16, u64>,
    proxy_codes: BTreeMap<String, u64>,
}

impl Seen {
    fn add(&mut self, reply: &Reply) -> Result<()> {
        self.requests += 1;
        self.errors += u64::from(reply.status >= 400);
        self.response_bytes += u64::try_from(reply.body.len())?;
        *self.statuses.entry(reply.status).or_default() += 1;
        let code = reply.header("requestrocket-proxy-code")?.clone();
        *self.proxy_codes.entry(code).or_default() += 1;
        Ok(())
    }

    fn of_code(&self, code: &str) -> u64 {
        self.proxy_codes.get(code).copied().unwrap_or(0)
    }
}

/// Telemetry once it knows of so many calls.
async fn counted(api: &CoreApi, path: &str, requests: u64) -> Result<Value> {
    wait::until("telemetry", || async {
        let told = api.get(path).await?.succeeded()?.json;
        let found = told["totals"]["requests"].as_u64().context("requests")?;
        ensure!(found <= requests, "{found} of {requests} calls");
        Ok((found == requests).then_some(told))
    })
    .await
}

fn counts(list: &Value, member: &str) -> Result<BTreeMap<String, u64>> {
    let list = list.as_array().context("a list")?.iter();
    let counts = list.map(|one| {
        let name = one[member]
            .as_str()
            .map_or_else(|| one[member].to_string(), str::to_owned);
        Ok((name, one["requests"].as_u64().context("requests")?))
    });
    counts.collect()
}

fn exact(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

/// A target that says what the last segment of the path asks for.
async fn target() -> Result<Target> {
    let script = |request: &Recorded| {
        let status = match request.path().rsplit('/').next() {
            Some("missing") => "404 Not Found",
            Some("broken") => "500 Broken",
            _ => "200 OK",
        };
        let length = [("content-length", "4")];
        Script::AfterRequest(vec![head(status, &length), send("body")])
    };
    Target::answering(script).await
}

/// Eighty calls with the proxy's credential, and one without.
async fn call(gateway: &Gateway, proxy: &Proxy) -> Result<Seen> {
    let mut seen = Seen::default();
    for n in 0..80_usize {
        let path = ["/a", "/missing", "/denied", "/broken", "/a"][n % 5];
        let body = "x".repeat(n);
        let call = proxy.request("POST", path).body(body);
        seen.add(&gateway.call(&call).await?)?;
    }
    let wrong = Request::get(&proxy.path("/a")).with("authorization", "wrong");
    seen.add(&gateway.call(&wrong).await?)?;
    ensure!(seen.of_code("rate-limit-exceeded") > 0, "{seen:?}");
    Ok(seen)
}

#[tokio::test]
async fn telemetry_equals_an_independent_count_of_the_same_calls() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = target().await?;
    let plan = ProxyPlan::to(&target.url()).with("proxyMaxRequestsPerDay", 60);
    let proxy = gateway.proxy(&plan).await?;
    let rule = json!({ "effect": "deny", "path": { "pattern": "^/denied" } });
    gateway.rule(&proxy, Layer::Proxy, &rule).await?;
    let seen = call(&gateway, &proxy).await?;
    let path = format!("proxies/{}/telemetry", proxy.id);
    let told = counted(&gateway.api, &path, seen.requests).await?;
    counts_fit(&told, &seen)?;
    let records = records::all(&gateway, &proxy, 81).await?;
    times_fit(&told["totals"], &records)?;
    // The last one presented no credential of ours.
    let path = format!("credentials/{}/telemetry", proxy.credential_ids[0]);
    let of_credential = counted(&gateway.api, &path, 80).await?;
    let series = of_credential["series"].as_array().context("series")?;
    let in_all: u64 = series
        .iter()
        .filter_map(|point| point["requests"].as_u64())
        .sum();
    ensure!(in_all == 80 && series.len() >= 24, "{of_credential}");
    nobody_else_sees_it(&gateway, &proxy).await
}

fn counts_fit(told: &Value, seen: &Seen) -> Result<()> {
    let totals = &told["totals"];
    for (member, want) in [
        ("errors", seen.errors),
        ("denied", seen.of_code("proxy-access-denied")),
        ("rateLimited", seen.of_code("rate-limit-exceeded")),
        ("responseBytes", seen.response_bytes),
    ] {
        ensure!(totals[member] == want, "{member} of {totals}: {want}");
    }
    let statuses = seen.statuses.iter();
    let statuses = statuses.map(|(status, calls)| (status.to_string(), *calls));
    let methods = [("apiKey".to_owned(), 80), ("null".to_owned(), 1)];
    for (list, member, want) in [
        ("responseCodes", "status", statuses.collect()),
        ("proxyCodes", "proxyCode", seen.proxy_codes.clone()),
        ("authMethods", "authType", BTreeMap::from(methods)),
    ] {
        ensure!(counts(&told[list], member)? == want, "{told}: {want:?}");
    }
    Ok(())
}

/// Sums are exact, percentiles within 1 %.
fn times_fit(totals: &Value, records: &[Value]) -> Result<()> {
    let all = |member: &str| {
        records
            .iter()
            .filter_map(|it| it[member].as_f64())
            .collect()
    };
    let mut durations: Vec<f64> = all("durationMs");
    durations.sort_by(f64::total_cmp);
    let sum: f64 = durations.iter().sum();
    let seconds = totals["apiSeconds"].as_f64().context("apiSeconds")?;
    ensure!((seconds - sum / 1_000.0).abs() < 1e-6, "{totals}: {sum}");
    for percent in [50, 95, 99] {
        let found = totals[format!("p{percent}ResponseTimeMs")].as_f64();
        let (found, want) = (found.context("percentile")?, exact(&durations, percent));
        ensure!(
            (found - want).abs() <= want / 100.0,
            "p{percent}: {found} for {want}"
        );
    }
    // Of a refused call Envoy may not have read the body to its end.
    let sent = records.iter().filter_map(|it| it["requestBytes"].as_u64());
    ensure!(totals["requestBytes"] == sent.sum::<u64>(), "{totals}");
    let gateway: Vec<f64> = all("gatewayDurationMs");
    let (sum, count) = (
        gateway.iter().sum::<f64>(),
        f64::from(u32::try_from(gateway.len())?),
    );
    let average = totals["averageGatewayTimeMs"].as_f64().context("average")?;
    ensure!(
        (average - sum / count).abs() < 0.001,
        "{average}: {}",
        sum / count
    );
    Ok(())
}

async fn nobody_else_sees_it(gateway: &Gateway, proxy: &Proxy) -> Result<()> {
    let neighbour = gateway.neighbour().await?;
    let own = neighbour.api.get("telemetry").await?.succeeded()?.json;
    ensure!(own["totals"]["requests"] == 0, "{own}");
    ensure!(
        own["top"] == json!({"proxies": [], "credentials": []}),
        "{own}"
    );
    for path in [
        format!("proxies/{}/telemetry", proxy.id),
        format!("credentials/{}/telemetry", proxy.credential_ids[0]),
    ] {
        ensure!(neighbour.api.get(&path).await?.status == 404, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn sums_outlive_the_region_server_and_are_added_up_over_regions() -> Result<()> {
    let regions = [
        "--regions",
        "east-1,west-1",
        "--envoy-threads",
        "1",
        "--no-restart",
    ];
    let mut stack = Stack::start(&regions).await?;
    let target = Target::unrecorded().await?;
    let mut proxies = Vec::new();
    for (region, calls) in [("east-1", 3_u64), ("west-1", 5)] {
        let gateway = Gateway::of_region(&stack, region)?.remove(0);
        let proxy = gateway.proxy_to(&target.url()).await?;
        for _ in 0..calls {
            gateway.call(&proxy.get("/")).await?;
        }
        counted(&gateway.api, &format!("telemetry?region={region}"), calls).await?;
        proxies.push((region, proxy, calls));
    }
    // The first region's.
    stack.kill(stack.xds_pid()?).await?;
    let gateway = Gateway::of(&stack)?;
    let (_, proxy, calls) = &mut proxies[0];
    for _ in 0..7 {
        gateway.call(&proxy.get("/")).await?;
    }
    *calls += 7;
    stack.revive().await?;
    let gateway = Gateway::of(&stack)?;
    let told = counted(&gateway.api, "telemetry?interval=day", 15).await?;
    ensure!(told["completeness"]["recorded"] == 15, "{told}");
    let top: Vec<_> = proxies
        .iter()
        .map(|(_, proxy, calls)| json!([proxy.id, calls]))
        .collect();
    let named = told["top"]["proxies"].as_array().context("top")?;
    let named: Vec<_> = named
        .iter()
        .map(|one| json!([one["proxyId"], one["requests"]]))
        .collect();
    ensure!(named == top, "{told}");
    for (region, proxy, calls) in &proxies {
        counted(&gateway.api, &format!("telemetry?region={region}"), *calls).await?;
        counted(
            &gateway.api,
            &format!("proxies/{}/telemetry", proxy.id),
            *calls,
        )
        .await?;
    }
    Ok(())
}
