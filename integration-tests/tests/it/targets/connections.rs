//! How targets treat their connections: closed while a call is on its way, or on one kind of
//! address only.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::certificates::trusted;
use requestrocket_integration_tests::external::NodeTarget;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::target::{
    Gate, Recorded, Script, Step, Style, Target, echo_body,
};
use tokio::time::Instant;

use crate::destination::Destination;
use crate::expect;

/// Answers calls to `/first`; closes at any other.
fn first_only(request: &Recorded) -> Script {
    match request.path() {
        "/first" => echo_body(request),
        _ => Script::AfterHead(vec![Step::Close]),
    }
}

#[tokio::test]
async fn a_call_that_may_be_repeated_is_when_its_connection_closes() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for style in [Style::Plain, Style::Abrupt] {
        for (method, is_repeated) in [
            ("GET", true),
            ("HEAD", true),
            ("OPTIONS", true),
            ("PUT", true),
            ("DELETE", true),
            ("POST", false),
            ("PATCH", false),
        ] {
            let closed = AtomicUsize::new(0);
            let target = Target::with_style(style.clone(), move |request| {
                let is_first = request.path() == "/first";
                if is_first || closed.fetch_add(1, Ordering::Relaxed) > 0 {
                    echo_body(request)
                } else {
                    Script::AfterHead(vec![Step::Close])
                }
            })
            .await?;
            let proxy = gateway.proxy_to(&target.url()).await?;
            let mut connection = gateway.connect().await?;
            expect::ok(&connection.call(&proxy.get("/first")).await?)?;
            let request = proxy
                .request(method, "/then")
                .with("x-forwarded-for", "1.2.3.4");
            let request = if method == "PUT" {
                request.body("abc")
            } else {
                request
            };
            let reply = connection.call(&request).await?;
            if is_repeated {
                expect::ok(&reply).context(method)?;
                let last = target.last()?;
                assert_eq!(last.head.all("x-forwarded-for"), ["1.2.3.4, 127.0.0.1"]);
                assert_eq!(target.count(), 3, "{method}");
            } else {
                expect::failed(&reply, 502, "TARGET_UNREACHABLE").context(method)?;
                assert_eq!(target.count(), 2, "{method}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_call_is_repeated_once_and_no_long_one() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(first_only).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let reply = gateway.call(&proxy.get("/closes")).await?;
    expect::failed(&reply, 502, "TARGET_UNREACHABLE")?;
    assert_eq!(target.count(), 2);
    let long = proxy.request("PUT", "/closes").body(vec![b'x'; 20 << 10]);
    expect::failed(&gateway.call(&long).await?, 502, "TARGET_UNREACHABLE")?;
    assert_eq!(target.count(), 3);
    Ok(())
}

#[tokio::test]
async fn a_silent_target_is_asked_once() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for method in ["GET", "POST"] {
        let target =
            Target::answering(|_| Script::AfterRequest(vec![Step::Wait(Gate::default())])).await?;
        let plan = ProxyPlan::to(&target.url()).with("proxyTimeoutSeconds", 1);
        let proxy = gateway.proxy(&plan).await?;
        let started = Instant::now();
        let reply = gateway.call(&proxy.request(method, "/").body("")).await?;
        expect::failed(&reply, 504, "TARGET_TIMEOUT").context(method)?;
        ensure!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(target.count(), 1, "{method}");
    }
    Ok(())
}

#[tokio::test]
async fn a_target_on_either_kind_of_address_is_reached() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for host in ["::1", "127.0.0.1"] {
        let script =
            format!("listen(http.createServer((_, response) => response.end('here')), '{host}');");
        let target = NodeTarget::start(&trusted()?.identity(&["localhost"])?, &script).await?;
        let proxy = gateway.proxy_to(&target.http_url()).await?;
        let reply = gateway.call(&proxy.get("/")).await?;
        expect::ok(&reply).context(host)?;
        assert_eq!(reply.text(), "here");
    }
    Ok(())
}

/// Each try leaves by the route whose policy edited the call, whatever changed since.
#[tokio::test]
async fn a_call_that_is_sent_again_goes_where_its_secret_belongs() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let other = Destination::new(&gateway).await?;
    let gate = Gate::default();
    let (held, tries) = (gate.clone(), AtomicUsize::new(0));
    let target = Target::answering(move |request| {
        if tries.fetch_add(1, Ordering::Relaxed) > 0 {
            return echo_body(request);
        }
        Script::AfterHead(vec![Step::Wait(held.clone()), Step::Close])
    })
    .await?;
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key("of-the-first"));
    let proxy = gateway.proxy(&plan).await?;
    let mut connection = gateway.connect().await?;
    connection.send(&proxy.get("/").bytes()).await?;
    target.wait_for("the first try", |_| true).await?;
    let record = format!("proxies/{}", proxy.id);
    gateway.api.applied("PATCH", &record, &other.change).await?;
    gate.open();
    let reply = connection.answer("GET").await?.context("closed")?;
    expect::ok(&reply)?;
    assert_eq!(target.count(), 2);
    for seen in target.requests() {
        assert_eq!(seen.head.all("authorization"), ["of-the-first"]);
    }
    assert_eq!(other.arrived()?, 0);
    Ok(())
}
