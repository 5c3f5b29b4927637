//! So many calls at a time that something is full: the cause of it is refused, nobody else.

use anyhow::{Context, Result, ensure};
use h2::client::{self, ResponseFuture};
use requestrocket_integration_tests::caller::Connection;
use requestrocket_integration_tests::gateway::{Proxy, ProxyPlan};
use requestrocket_integration_tests::machine::raise_open_files;
use requestrocket_integration_tests::wait;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::scene::Scene;
use crate::silent::Silent;
use crate::witness::Witness;

/// How many connections to one address a node makes at most.
const MOST_TO_ONE: usize = 10_000;
/// How many calls a connection carries at most.
const STREAMS: usize = 100;
/// So many calls are sent before their arrival is waited for.
const BATCH: usize = 100;

/// Calls over HTTP/2 that nobody answers yet.
struct Open {
    drivers: JoinSet<()>,
    calls: Vec<ResponseFuture>,
}

impl Open {
    fn new() -> Self {
        Self {
            drivers: JoinSet::new(),
            calls: Vec::new(),
        }
    }

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
            self.calls.push(response);
        }
        Ok(())
    }
}

fn plan(silent: &Silent) -> ProxyPlan {
    // As long as may be, so that no call ends by itself before the last one is sent.
    Witness::new("a-silent-target")
        .plan(&silent.url)
        .with("proxyTimeoutSeconds", 60)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_a_target_leaves_open_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let silent = Silent::start().await?;
    let proxy = scene.gateway.proxy(&plan(&silent)).await?;
    // Two ends of each call are in this process, and the machine may not allow that many files.
    let files = usize::try_from(raise_open_files()?)?;
    let calls = (files.saturating_sub(2_000) / 2).min(5_000);
    ensure!(calls > 1_000, "only {files} open files are allowed");
    let work = async {
        let mut open = Vec::with_capacity(calls);
        for number in 1..=calls {
            let mut connection = Connection::open(&scene.gateway.address).await?;
            connection.send(&proxy.get("/").bytes()).await?;
            open.push(connection);
            if number % BATCH == 0 {
                silent.has(number).await?;
            }
        }
        silent.has(calls).await?;
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
async fn a_target_with_too_many_calls_is_overloaded_and_no_other_is() -> Result<()> {
    let scene = Scene::new().await?;
    let silent = Silent::start().await?;
    let proxy = scene.gateway.proxy(&plan(&silent)).await?;
    let mut open = Open::new();
    let full = async {
        for connection in 1..=MOST_TO_ONE / STREAMS {
            open.add(&scene.gateway.address, &proxy, STREAMS).await?;
            silent.has(connection * STREAMS).await?;
        }
        // It is refused, not made to wait for as long as the target may take.
        let one_more = proxy.get("/one-more");
        let refused = scene.gateway.call(&one_more);
        wait::within(wait::PATIENCE, "a refusal", refused).await
    };
    let case = format!("{MOST_TO_ONE} calls to a silent target, and one more");
    let refused = scene.beside(&case, full).await?;
    let outcome = (refused.status, refused.code());
    ensure!(outcome == (503, "OVERLOADED".into()), "{outcome:?}");
    let again: u32 = refused.header("retry-after")?.parse().context("seconds")?;
    ensure!(again > 0, "at once");
    ensure!(open.calls.len() == MOST_TO_ONE);
    Ok(())
}
