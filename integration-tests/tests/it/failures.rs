//! Targets that fail: unreachable, slow, too large, dying in the middle.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan};
use requestrocket_integration_tests::target::{
    Gate, Script, Step, Style, Target, chunk, head, respond, send,
};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::expect;

/// A port on which nobody listens, because its only listener just went.
async fn deserted() -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    Ok(format!("http://{}", listener.local_addr()?))
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_is_502() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for base in [
        deserted().await?,
        "http://no-such-host.invalid".to_owned(),
        "https://no-such-host.invalid:8443/x".to_owned(),
    ] {
        let proxy = gateway.proxy_to(&base).await?;
        let reply = gateway.call(&proxy.get("/")).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").with_context(|| base.clone())?;
        let posted = gateway
            .call(&proxy.request("POST", "/").body("data"))
            .await?;
        expect::failed(&posted, 502, "TARGET_UNREACHABLE").with_context(|| base.clone())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_lost_before_the_head_is_502() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for style in [Style::Plain, Style::Abrupt] {
        let target = Target::with_style(style, |_| Script::AfterRequest(vec![Step::Close])).await?;
        let proxy = gateway.proxy_to(&target.url()).await?;
        let reply = gateway
            .call(&proxy.request("POST", "/").body("data"))
            .await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE")?;
        ensure!(
            target.count() == 1,
            "the request was sent {} times",
            target.count()
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_502() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for nonsense in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        "\0\0\0\r\n\r\n",
    ] {
        let target =
            Target::answering(move |_| Script::AfterRequest(vec![send(nonsense), Step::Close]))
                .await?;
        let proxy = gateway.proxy_to(&target.url()).await?;
        let reply = gateway.call(&proxy.get("/")).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").with_context(|| nonsense.to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_slow_target_is_504_after_the_proxys_timeout() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let gate = Gate::default();
    let target =
        Target::answering(move |_| Script::AfterRequest(vec![Step::Wait(gate.clone())])).await?;
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).with("proxyTimeoutSeconds", 1))
        .await?;
    let started = Instant::now();
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::failed(&reply, 504, "TARGET_TIMEOUT")?;
    let took = started.elapsed();
    ensure!(
        took >= Duration::from_millis(900) && took < Duration::from_secs(5),
        "took {took:?}"
    );
    Ok(())
}

/// The timeout is for the head, a body may take longer.
#[tokio::test]
async fn a_slow_body_is_not_a_timeout() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let gate = Gate::default();
    let held = gate.clone();
    let target = Target::answering(move |request| match request.path() {
        "/slow-body" => Script::AfterRequest(vec![
            head("200 OK", &[("transfer-encoding", "chunked")]),
            chunk("first"),
            Step::Wait(held.clone()),
            chunk("second"),
            send("0\r\n\r\n"),
        ]),
        _ => Script::AfterRequest(vec![Step::Wait(Gate::default())]),
    })
    .await?;
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).with("proxyTimeoutSeconds", 1))
        .await?;
    let mut slow = gateway.connect().await?;
    slow.send(&proxy.get("/slow-body").bytes()).await?;
    target
        .wait_for("the slow request", |seen| seen.path() == "/slow-body")
        .await?;
    // Another call that runs into the timeout proves that more than the timeout has passed.
    let reply = gateway.call(&proxy.get("/no-answer")).await?;
    expect::failed(&reply, 504, "TARGET_TIMEOUT")?;
    gate.open();
    let reply = slow.answer("GET").await?.context("closed")?;
    ensure!(reply.complete, "the slow body was cut");
    expect::ok(&reply)?;
    assert_eq!(reply.text(), "firstsecond");
    Ok(())
}

#[tokio::test]
async fn a_declared_length_above_the_limit_is_413() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let length: u64 = request.path().trim_start_matches('/').parse().unwrap_or(0);
        let declared = head("200 OK", &[("content-length", &length.to_string())]);
        let body = if request.method() == "HEAD" {
            0
        } else {
            length
        };
        Script::AfterRequest(vec![declared, Step::Filler(body)])
    })
    .await?;
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).with("proxyMaxResponseBytes", 4096))
        .await?;
    for (length, allowed) in [(0, true), (4096, true), (4097, false), (1 << 20, false)] {
        let reply = gateway.call(&proxy.get(&format!("/{length}"))).await?;
        if allowed {
            expect::ok(&reply)?;
            ensure!(reply.body.len() == length, "{} bytes", reply.body.len());
        } else {
            expect::error(&reply, 413, "response-too-large", "RESPONSE_TOO_LARGE")?;
        }
    }
    // What has no body is never too large.
    let reply = gateway.call(&proxy.request("HEAD", "/1000000")).await?;
    expect::ok(&reply)
}

#[tokio::test]
async fn a_target_that_dies_in_the_body_cuts_the_caller_too() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let lying = || {
        vec![
            head("200 OK", &[("content-length", "100")]),
            send("only this"),
            Step::Close,
        ]
    };
    let unfinished = || {
        vec![
            head("200 OK", &[("transfer-encoding", "chunked")]),
            chunk("only this"),
            Step::Close,
        ]
    };
    for style in [Style::Plain, Style::Abrupt] {
        let target = Target::with_style(style, move |request| {
            Script::AfterRequest(if request.path() == "/length" {
                lying()
            } else {
                unfinished()
            })
        })
        .await?;
        let proxy = gateway.proxy_to(&target.url()).await?;
        for path in ["/length", "/chunked"] {
            let reply = gateway.call(&proxy.get(path)).await?;
            ensure!(
                !reply.complete,
                "{path}: the broken answer was completed: {reply:?}"
            );
            // The head may already be out; when it is not, the failure may be said properly.
            ensure!(
                matches!(reply.status, 200 | 502),
                "{path}: {}",
                reply.status
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn bytes_beyond_the_declared_length_never_become_an_answer() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| {
        Script::AfterRequest(vec![send(
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngoodHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        )])
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    for _ in 0..5 {
        let reply = connection.call(&proxy.get("/")).await?;
        ensure!(reply.text() == "good" || reply.status == 502, "{reply:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_early_answer_to_an_upload_reaches_the_caller() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| match respond("403 Forbidden", &[], b"no thanks") {
        Script::AfterRequest(steps) | Script::AfterHead(steps) => Script::AfterHead(steps),
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    connection
        .send(
            &proxy
                .request("POST", "/")
                .with("content-length", "1000000")
                .bytes(),
        )
        .await?;
    let reply = connection.answer("POST").await?.context("closed")?;
    assert_eq!((reply.status, reply.text().as_str()), (403, "no thanks"));
    expect::granted(&reply)
}
