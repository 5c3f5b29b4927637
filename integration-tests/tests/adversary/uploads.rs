//! Uploads that do not get on, because their callers stop before the end of what rules wait for or
//! because their target reads nothing: what they hold is theirs, and nobody else is refused for it.

use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Connection, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::target::answer::json as of_json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::readers::body_rule;
use crate::scene::Scene;
use crate::silent::Silent;
use crate::witness::Witness;

pub(crate) const MEBIBYTE: usize = 1 << 20;

/// A gateway may stop to read; nothing more is sent to it then.
const PATIENCE: Duration = Duration::from_secs(10);

/// An upload of which all but the last bytes are sent.
async fn upload(address: &str, request: &Request, body: &Bytes) -> Result<Connection> {
    let mut connection = Connection::open(address).await?;
    connection.send(&request.bytes()).await?;
    // It may be refused or reset in the middle, which is what ought to happen.
    let _ = timeout(PATIENCE, connection.send(body)).await;
    Ok(connection)
}

/// So many uploads of that length, none of which ends.
pub(crate) async fn uploads(
    address: &str,
    proxy: &Proxy,
    count: usize,
    length: usize,
) -> Result<Vec<Connection>> {
    let body = Bytes::from(vec![b' '; length - 16]);
    let request = proxy
        .request("POST", "/")
        .with("content-type", "application/json")
        .with("content-length", length.to_string());
    let mut sending = JoinSet::new();
    for _ in 0..count {
        let (address, request, body) = (address.to_owned(), request.clone(), body.clone());
        sending.spawn(async move { upload(&address, &request, &body).await });
    }
    let mut open = Vec::with_capacity(count);
    while let Some(sent) = sending.join_next().await {
        open.push(sent??);
    }
    Ok(open)
}

/// A small call while much is held: answered, or refused in the documented way.
async fn small_call(gateway: &Gateway, proxy: &Proxy) -> Result<()> {
    let reply = gateway.call(&proxy.get("/small")).await?;
    if reply.status != 200 {
        let refusal = (reply.status, reply.code());
        ensure!(refusal == (503, "OVERLOADED".into()), "{refusal:?}");
        reply.header("retry-after")?;
    }
    Ok(())
}

async fn case(count: usize, length: usize) -> Result<()> {
    let scene = Scene::new().await?;
    let gateway = &scene.gateway;
    let witness = Witness::new("an-uploading-target");
    let target = witness.target(|_| of_json("{}")).await?.keeping_newest();
    let plan = witness
        .plan(&target.url())
        .with("proxyMaxInspectedBytes", 16 * MEBIBYTE);
    let proxy = gateway.proxy(&plan).await?;
    gateway.rule(&proxy, Layer::Proxy, &body_rule()).await?;
    let sending = uploads(&gateway.address, &proxy, count, length);
    let name = format!("{count} unfinished uploads of {} KiB", length >> 10);
    let open = scene.beside(&name, sending).await?;
    let small = small_call(gateway, &proxy);
    scene.beside("the same, all open", small).await?;
    drop(open);
    scene.beside("the same, closed", async { Ok(()) }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_uploads_that_never_end_refuse_no_other_call() -> Result<()> {
    case(150, 16 * MEBIBYTE).await
}

/// Envoy resets streams that hold a mebibyte or more first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_uploads_that_never_end_refuse_no_other_call() -> Result<()> {
    case(2_500, MEBIBYTE - 1024).await
}

/// What Envoy holds of them, at 64 KiB each way, leaves half of its heap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_nobody_reads_refuse_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let silent = Silent::start().await?;
    let plan = Witness::new("a-silent-target").plan(&silent.url);
    let proxy = scene.gateway.proxy(&plan).await?;
    let before = scene.heap_bytes().await?;
    let sending = uploads(&scene.gateway.address, &proxy, 2_500, MEBIBYTE);
    let open = scene.beside("2500 uploads nobody reads", sending).await?;
    let held = scene.heap_bytes().await?.saturating_sub(before);
    ensure!(held < 1 << 30, "{} MiB are held", held >> 20);
    drop(open);
    scene.beside("the same, closed", async { Ok(()) }).await
}
