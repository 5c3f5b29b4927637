//! Calls that wait for the region server while the configuration changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail, ensure};
use requestrocket_integration_tests::caller::{Connection, Request};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::Stack;
use serde_json::json;
use tokio::task::JoinSet;

use super::counting;
use crate::destination::Destination;

const THREE: [&str; 4] = ["--envoys-per-region", "3", "--envoy-threads", "1"];

/// One call after the other until the limit is reached; how many were granted.
async fn until_refused(address: String, call: Request, is_over: Arc<AtomicBool>) -> Result<usize> {
    let mut connection = Connection::open(&address).await?;
    let mut granted = 0;
    while !is_over.load(Ordering::Relaxed) {
        let reply = connection.call(&call).await?;
        match reply.status {
            200 => granted += 1,
            429 => is_over.store(true, Ordering::Relaxed),
            other => bail!("{other}: {}", reply.text()),
        }
    }
    Ok(granted)
}

/// A proxy with a limit is called through all Envoys until nothing is left, and led from one place to
/// the other meanwhile. How many calls were granted.
async fn use_up(gateways: &[Gateway], places: &[Destination; 2], limit: usize) -> Result<usize> {
    let [gateway, ..] = gateways else {
        bail!("no gateway")
    };
    let proxy = gateway.proxy_to(&places[0].target.url()).await?;
    let record = format!("proxies/{}", proxy.id);
    let api = &gateway.api;
    api.applied("PATCH", &record, &places[0].change).await?;
    let meter = counting(&json!({ "day": limit }));
    gateway.meter(&proxy, &meter).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for gateway in gateways {
        let (address, call) = (gateway.address.clone(), proxy.get("/"));
        callers.spawn(until_refused(address, call, is_over.clone()));
    }
    let changes = async {
        for place in places.iter().cycle() {
            api.applied("PATCH", &record, &place.change).await?;
            if is_over.load(Ordering::Relaxed) {
                break;
            }
        }
        anyhow::Ok(())
    };
    let calls = async {
        let mut granted = 0;
        while let Some(done) = callers.join_next().await {
            granted += done??;
        }
        Ok(granted)
    };
    let ((), granted) = tokio::try_join!(changes, calls)?;
    Ok(granted)
}

/// Near its end a limit is given out call by call: each Envoy waits until what the others were given
/// has ended. Whatever changes meanwhile, the call goes where it is to go then, and counts once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_goes_where_the_proxy_leads_then() -> Result<()> {
    let stack = Stack::start(&THREE).await?;
    let gateways = Gateway::of_region(&stack, &stack.region()?.name)?;
    let places = [
        Destination::new(&gateways[0]).await?,
        Destination::new(&gateways[0]).await?,
    ];
    let mut all = 0;
    for limit in [10, 11, 12, 13, 14, 15] {
        let granted = use_up(&gateways, &places, limit).await?;
        ensure!(granted <= limit, "{granted} of {limit} were admitted");
        all += granted;
    }
    let arrived = places[0].arrived()? + places[1].arrived()?;
    ensure!(arrived == all, "{arrived} of {all} arrived");
    Ok(())
}
