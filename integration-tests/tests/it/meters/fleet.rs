//! Several Envoys of one region against one limit, all at once.

use anyhow::{Result, bail, ensure};
use requestrocket_integration_tests::caller::{Connection, Request};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use serde_json::json;
use tokio::task::JoinSet;

use super::{Scene, counting, used};
use crate::expect;

const THREE: [&str; 4] = ["--envoys-per-region", "3", "--envoy-threads", "2"];

/// Answers of so many callers at each Envoy, each with so many calls: granted and refused.
async fn storm(
    gateways: &[Gateway],
    call: &Request,
    callers: usize,
    calls: usize,
) -> Result<(usize, usize)> {
    let mut tasks = JoinSet::new();
    for gateway in gateways {
        for _ in 0..callers {
            tasks.spawn(repeat(gateway.address.clone(), call.clone(), calls));
        }
    }
    let (mut granted, mut refused) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        let (more_granted, more_refused) = done??;
        granted += more_granted;
        refused += more_refused;
    }
    Ok((granted, refused))
}

async fn repeat(address: String, call: Request, calls: usize) -> Result<(usize, usize)> {
    let (mut granted, mut refused) = (0, 0);
    let mut connection = Connection::open(&address).await?;
    for _ in 0..calls {
        let reply = connection.call(&call).await?;
        match reply.status {
            200 => granted += 1,
            429 => refused += 1,
            other => bail!("{other}: {}", reply.text()),
        }
    }
    Ok((granted, refused))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_envoys_together_admit_exactly_the_limit() -> Result<()> {
    let stack = Stack::start(&THREE).await?;
    let gateways = Gateway::of_region(&stack, &stack.region()?.name)?;
    ensure!(gateways.len() == 3, "{:?}", stack.file.regions);
    let target = Target::start().await?;
    // Of the last one, workers count most in batches.
    for (limit, callers, calls) in [
        (1, 4, 3),
        (10, 4, 5),
        (100, 4, 20),
        (500, 8, 40),
        (3_000, 8, 300),
    ] {
        let proxy = gateways[0].proxy_to(&target.url()).await?;
        let meter = counting(&json!({ "day": limit }));
        let meter = gateways[0].meter(&proxy, &meter).await?;
        let before = target.count();
        let (granted, refused) = storm(&gateways, &proxy.get("/"), callers, calls).await?;
        ensure!(
            granted == limit,
            "{granted} of {limit} were admitted, {refused} refused"
        );
        ensure!(
            target.count() - before == limit,
            "the target was asked {} times",
            target.count() - before
        );
        used(
            &gateways[0],
            &proxy,
            &meter,
            f64::from(u32::try_from(limit)?),
        )
        .await?;
        for gateway in &gateways {
            expect::rate_limited(&gateway.call(&proxy.get("/")).await?, &meter, "day")?;
        }
    }
    Ok(())
}

/// As many calls at once as the limit allows, all on one Envoy, while the others count nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_on_one_of_three_envoys_gets_all_that_is_left() -> Result<()> {
    let stack = Stack::start(&THREE).await?;
    let gateways = Gateway::of_region(&stack, &stack.region()?.name)?;
    let target = Target::start().await?;
    for limit in [30, 200] {
        let proxy = gateways[0].proxy_to(&target.url()).await?;
        let meter = counting(&json!({ "day": limit }));
        let meter = gateways[0].meter(&proxy, &meter).await?;
        let (granted, refused) = storm(&gateways[..1], &proxy.get("/"), limit, 1).await?;
        ensure!(
            (granted, refused) == (limit, 0),
            "{granted} of {limit} were admitted, {refused} refused"
        );
        expect::rate_limited(&gateways[1].call(&proxy.get("/")).await?, &meter, "day")?;
    }
    Ok(())
}

/// The other kinds of limit, and one after the other on different Envoys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_envoy_counted_the_others_know() -> Result<()> {
    let stack = Stack::start(&THREE).await?;
    let gateways = Gateway::of_region(&stack, &stack.region()?.name)?;
    let target = Target::start().await?;
    let plan = requestrocket_integration_tests::gateway::ProxyPlan::to(&target.url())
        .with("proxyMaxRequestsPerDay", 20);
    let proxy = gateways[0].proxy(&plan).await?;
    for (number, gateway) in gateways.iter().cycle().take(20).enumerate() {
        let reply = gateway.call(&proxy.get("/")).await?;
        ensure!(reply.status == 200, "call {number}: {}", reply.text());
    }
    for gateway in &gateways {
        expect::rate_limited(&gateway.call(&proxy.get("/")).await?, "proxy", "day")?;
    }
    let again = gateways[1].proxy(&plan).await?;
    let (granted, _) = storm(&gateways, &again.get("/"), 5, 10).await?;
    ensure!(granted == 20, "{granted} were admitted");
    Ok(())
}

/// One Envoy, several workers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_calls_at_the_edge_of_a_limit() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&counting(&json!({ "day": 123 }))).await?;
    let (granted, refused) = storm(
        std::slice::from_ref(&scene.gateway),
        &scene.proxy.get("/"),
        50,
        10,
    )
    .await?;
    ensure!(
        (granted, refused) == (123, 377),
        "{granted} granted, {refused} refused"
    );
    ensure!(
        scene.target.count() == 123,
        "the target was asked {} times",
        scene.target.count()
    );
    scene.used(&meter, 123.0).await
}

/// A push of the configuration resets nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_a_proxy_reset_no_count() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&counting(&json!({ "day": 60 }))).await?;
    let path = format!("proxies/{}", scene.proxy.id);
    let mut granted = 0;
    for round in 0..15 {
        let change =
            json!({ "proxyName": format!("round {round}"), "proxyTimeoutSeconds": 10 + round });
        scene.gateway.api.applied("PATCH", &path, &change).await?;
        let (more, _) = storm(
            std::slice::from_ref(&scene.gateway),
            &scene.proxy.get("/"),
            4,
            2,
        )
        .await?;
        granted += more;
    }
    ensure!(granted == 60, "{granted} were admitted");
    scene.used(&meter, 60.0).await
}
