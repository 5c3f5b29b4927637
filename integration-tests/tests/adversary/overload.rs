//! So many calls at a time that something is full: the cause of it is refused, nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use h2::client::{self, ResponseFuture};
use requestrocket_integration_tests::caller::Connection;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::machine::raise_open_files;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::scene::Scene;
use crate::silent::Silent;
use crate::witness::Witness;

/// How many calls of a caller a worker keeps open at most.
const MOST_OF_CALLER: usize = 2_000;
/// And of an organisation.
const MOST_OF_ORGANISATION: usize = 4_500;
const WORKERS: usize = 2;
/// How many calls a connection carries at most.
const STREAMS: usize = 100;
/// So many connections that no worker has room for its own.
const CONNECTIONS: usize = 60;
/// So many that all their callers together may have as many calls as a test opens.
const PROXIES: usize = 4;
/// More than Envoy lets wait for one target unless told otherwise (1,024), and for DNS as well.
const ENVOYS_OWN_LIMIT: usize = 1_100;
/// So many calls are sent before their arrival is waited for.
const BATCH: usize = 100;

/// Calls over HTTP/2 of which nobody answers those that are let through.
#[derive(Default)]
struct Open {
    drivers: JoinSet<()>,
    calls: JoinSet<Result<()>>,
    refused: Arc<AtomicUsize>,
    sent: usize,
}

impl Open {
    /// Sends so many calls over one further connection.
    async fn add(&mut self, address: &str, proxy: &Proxy, count: usize) -> Result<()> {
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = client::handshake(stream).await?;
        self.drivers.spawn(async move {
            // The calls report what went wrong; the connection only has to be driven.
            let _ = connection.await;
        });
        for _ in 0..count {
            let request = http::Request::get(format!("http://gateway.test{}", proxy.path("/")));
            let request = request.header("authorization", &proxy.authorization);
            sender = sender.ready().await?;
            let (response, _) = sender.send_request(request.body(())?, true)?;
            self.calls.spawn(refusal(response, self.refused.clone()));
            self.sent += 1;
        }
        Ok(())
    }

    /// Waits until each call is at the target or refused.
    async fn settle(&mut self, silent: &Silent) -> Result<()> {
        let limit = Duration::from_mins(1);
        wait::until_within(limit, "an end of each call", || async {
            let settled = silent.taken() + self.refused.load(Ordering::Relaxed);
            Ok((settled >= self.sent).then_some(()))
        })
        .await?;
        while let Some(over) = self.calls.try_join_next() {
            over??;
        }
        Ok(())
    }
}

/// Whoever is answered is told to come again.
async fn refusal(response: ResponseFuture, refused: Arc<AtomicUsize>) -> Result<()> {
    let (head, mut body) = response.await?.into_parts();
    let mut text = Vec::new();
    while let Some(chunk) = body.data().await {
        text.extend_from_slice(&chunk?);
    }
    refused.fetch_add(1, Ordering::Relaxed);
    let text = String::from_utf8_lossy(&text);
    let is_overload = head.status == 503 && text.contains("\"OVERLOADED\"");
    ensure!(is_overload, "{} {text}", head.status);
    let again: u32 = head.headers["retry-after"].to_str()?.parse()?;
    ensure!(again > 0, "at once");
    Ok(())
}

fn plan(silent: &Silent) -> ProxyPlan {
    // As long as may be, so that no call ends by itself before the last one is sent.
    Witness::new("a-silent-target")
        .plan(&silent.url)
        .with("proxyTimeoutSeconds", 60)
}

/// A target that nobody called before needs a connection, which is no matter of other targets.
async fn first_call(gateway: &Gateway) -> Result<()> {
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    ensure!(reply.status == 200, "a first call: {reply:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_a_target_leaves_open_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let silent = Silent::start().await?;
    let mut proxies = Vec::new();
    for _ in 0..PROXIES {
        proxies.push(scene.gateway.proxy(&plan(&silent)).await?);
    }
    // Two ends of each call are in this process, and the machine may not allow that many files.
    let files = usize::try_from(raise_open_files()?)?;
    let calls = (files.saturating_sub(2_000) / 2).min(5_000);
    ensure!(
        calls > ENVOYS_OWN_LIMIT,
        "only {files} open files are allowed"
    );
    let work = async {
        let mut open = Vec::with_capacity(calls);
        for (number, proxy) in (1..=calls).zip(proxies.iter().cycle()) {
            let mut connection = Connection::open(&scene.gateway.address).await?;
            connection.send(&proxy.get("/").bytes()).await?;
            open.push(connection);
            if number % BATCH == 0 {
                silent.has(number).await?;
            }
            if number == ENVOYS_OWN_LIMIT {
                first_call(&scene.gateway).await?;
            }
        }
        silent.has(calls).await?;
        first_call(&scene.gateway).await?;
        Ok(open)
    };
    let case = format!("{calls} calls to a silent target");
    let open = scene.beside(&case, work).await?;
    scene.beside("the same, all open", async { Ok(()) }).await?;
    let closing = async move {
        drop(open);
        Ok(())
    };
    scene.beside("the same, closed at once", closing).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_with_too_many_calls_is_overloaded_and_no_other_is() -> Result<()> {
    let scene = Scene::new().await?;
    let silent = Silent::start().await?;
    let (first, second) = (unique("hostile"), unique("colleague"));
    let secrets = [&first, &second].map(|key| Secret::api_key(key));
    let both = plan(&silent).callers(&secrets);
    let proxy = scene.gateway.proxy(&both).await?;
    let other = scene.gateway.proxy(&plan(&silent)).await?;
    let mut open = Open::default();
    let full = async {
        for _ in 0..CONNECTIONS {
            open.add(&scene.gateway.address, &proxy, STREAMS).await?;
            open.settle(&silent).await?;
        }
        Ok(silent.taken())
    };
    let case = format!("{} calls of one caller", CONNECTIONS * STREAMS);
    let taken = scene.beside(&case, full).await?;
    ensure!(taken <= WORKERS * MOST_OF_CALLER, "{taken} at the target");
    ensure!(
        open.refused.load(Ordering::Relaxed) > 0,
        "nobody is refused"
    );
    let mut connection = Connection::open(&scene.gateway.address).await?;
    connection.send(&other.get("/").bytes()).await?;
    silent.has(taken + 1).await.context("another proxy")?;
    let same_proxy = Proxy {
        authorization: second,
        ..proxy
    };
    let mut connection = Connection::open(&scene.gateway.address).await?;
    connection.send(&same_proxy.get("/").bytes()).await?;
    silent.has(taken + 2).await.context("another caller")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisation_with_too_many_calls_is_overloaded_and_no_other_is() -> Result<()> {
    let scene = Scene::new().await?;
    let silent = Silent::start().await?;
    let mut proxies = Vec::new();
    for _ in 0..PROXIES {
        proxies.push(scene.gateway.proxy(&plan(&silent)).await?);
    }
    let neighbour = scene.gateway.neighbour().await?;
    let other = neighbour.proxy(&plan(&silent)).await?;
    let mut open = Open::default();
    let full = async {
        for proxy in proxies.iter().cycle().take(2 * CONNECTIONS) {
            open.add(&scene.gateway.address, proxy, STREAMS).await?;
            open.settle(&silent).await?;
        }
        Ok(silent.taken())
    };
    let case = format!("{} calls of one organisation", 2 * CONNECTIONS * STREAMS);
    let taken = scene.beside(&case, full).await?;
    ensure!(
        taken <= WORKERS * MOST_OF_ORGANISATION,
        "{taken} at the target"
    );
    ensure!(
        open.refused.load(Ordering::Relaxed) > 0,
        "nobody is refused"
    );
    let mut connection = Connection::open(&neighbour.address).await?;
    connection.send(&other.get("/").bytes()).await?;
    let same_target = silent.has(taken + 1).await;
    same_target.context("another organisation, at the same target")
}
