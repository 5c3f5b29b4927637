//! Bodies in both directions: streamed, chunked, large, with trailers, on kept connections.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::machine::resident_bytes;
use requestrocket_integration_tests::target::{
    Gate, Script, Step, Target, chunk, echo_body, head, respond, send,
};
use requestrocket_integration_tests::wire::{Framing, Part};

use crate::expect;

const MEGABYTE: u64 = 1 << 20;
const LARGE: u64 = 100 * MEGABYTE;
/// What Envoy may grow by while a large body passes; far below the body.
const FLAT: u64 = 24 * MEGABYTE;

#[tokio::test]
async fn chunked_bodies_pass_both_ways_and_trailers_of_responses() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| {
        Script::AfterRequest(vec![
            head(
                "200 OK",
                &[("transfer-encoding", "chunked"), ("trailer", "x-sum")],
            ),
            chunk("one "),
            chunk("two"),
            send("0\r\nx-sum: of-response\r\n\r\n"),
        ])
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let text = format!(
        "POST {} HTTP/1.1\r\nhost: g\r\nauthorization: {}\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
         3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nx-sum: of-request\r\n\r\n",
        proxy.path("/c"),
        proxy.authorization,
    );
    let reply = gateway
        .raw("POST", text.as_bytes())
        .await?
        .context("closed")?;
    expect::ok(&reply)?;
    assert_eq!(reply.text(), "one two");
    assert_eq!(reply.trailers.all("x-sum"), ["of-response"]);
    let seen = target.last()?;
    assert_eq!(seen.body, b"abcdefg");
    ensure!(seen.trailers.lines.is_empty(), "{:?}", seen.trailers);
    Ok(())
}

#[tokio::test]
async fn every_byte_value_survives_both_ways() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(echo_body).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let body: Vec<u8> = (0..=255_u8).cycle().take(200_000).collect();
    let reply = gateway
        .call(&proxy.request("POST", "/b").body(body.clone()))
        .await?;
    expect::ok(&reply)?;
    ensure!(reply.body == body, "the body changed");
    Ok(())
}

#[tokio::test]
async fn a_request_body_reaches_the_target_before_it_is_complete() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(echo_body).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    let request = proxy.request("POST", "/s").with("content-length", "10");
    connection.send(&request.bytes()).await?;
    for (part, so_far) in [("first", 5), ("rest.", 10)] {
        connection.send(part.as_bytes()).await?;
        target
            .wait_for("the body so far", |seen| seen.body_length == so_far)
            .await?;
    }
    let reply = connection.answer("POST").await?.context("closed")?;
    assert_eq!(reply.text(), "firstrest.");
    Ok(())
}

#[tokio::test]
async fn a_response_reaches_the_caller_before_it_is_complete() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let gate = Gate::default();
    let held = gate.clone();
    let target = Target::answering(move |_| {
        Script::AfterRequest(vec![
            head("200 OK", &[("content-length", "10")]),
            send("first"),
            Step::Wait(held.clone()),
            send("rest."),
        ])
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    connection.send(&proxy.get("/r").bytes()).await?;
    let reply = connection.answer_head().await?.context("closed")?;
    expect::granted(&reply)?;
    let mut framing = Framing::Length(10);
    let Part::Data(first) = connection.part(&mut framing).await? else {
        anyhow::bail!("no data")
    };
    assert_eq!(first, "first");
    gate.open();
    let Part::Data(rest) = connection.part(&mut framing).await? else {
        anyhow::bail!("no data")
    };
    assert_eq!(rest, "rest.");
    Ok(())
}

#[tokio::test]
async fn a_hundred_megabytes_pass_up_and_down_while_envoy_stays_flat() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let envoy = Gateway::shared_stack().await?.envoy_pid()?;
    let target = Target::answering(|request| match request.path() {
        "/down" => Script::AfterRequest(vec![
            head("200 OK", &[("content-length", &LARGE.to_string())]),
            Step::Filler(LARGE),
        ]),
        _ => respond("200 OK", &[], b"got it"),
    })
    .await?;
    // Above the default of proxyMaxResponseBytes, which would make the declared length a 413.
    let plan = requestrocket_integration_tests::gateway::ProxyPlan::to(&target.url())
        .with("proxyMaxResponseBytes", LARGE * 2);
    let proxy = gateway.proxy(&plan).await?;
    expect::ok(&gateway.call(&proxy.get("/warm")).await?)?;
    let before = resident_bytes(envoy)?;
    let mut highest = before;

    let mut connection = gateway.connect().await?;
    connection
        .send(
            &proxy
                .request("POST", "/up")
                .with("content-length", LARGE.to_string())
                .bytes(),
        )
        .await?;
    let block = vec![b'u'; 256 * 1024];
    for _ in 0..LARGE / block.len() as u64 {
        connection.send(&block).await?;
        highest = highest.max(resident_bytes(envoy)?);
    }
    expect::ok(&connection.answer("POST").await?.context("closed")?)?;
    ensure!(
        target.last()?.body_length == LARGE,
        "{} bytes arrived",
        target.last()?.body_length
    );

    connection.send(&proxy.get("/down").bytes()).await?;
    expect::granted(&connection.answer_head().await?.context("closed")?)?;
    let (mut framing, mut received) = (Framing::Length(LARGE), 0);
    while let Part::Data(data) = connection.part(&mut framing).await? {
        received += data.len() as u64;
        highest = highest.max(resident_bytes(envoy)?);
    }
    ensure!(received == LARGE, "{received} bytes came back");
    ensure!(
        highest - before < FLAT,
        "Envoy grew by {} MiB",
        (highest - before) / MEGABYTE
    );
    Ok(())
}

#[tokio::test]
async fn a_slow_reader_is_not_buffered_for() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let envoy = Gateway::shared_stack().await?.envoy_pid()?;
    let target = Target::answering(|_| {
        Script::AfterRequest(vec![
            head(
                "200 OK",
                &[("transfer-encoding", "identity"), ("connection", "close")],
            ),
            Step::Filler(LARGE),
            Step::Close,
        ])
    })
    .await?;
    let plan = requestrocket_integration_tests::gateway::ProxyPlan::to(&target.url())
        .with("proxyMaxResponseBytes", LARGE * 2);
    let proxy = gateway.proxy(&plan).await?;
    let before = resident_bytes(envoy)?;
    let mut connection = gateway.connect().await?;
    connection.send(&proxy.get("/slow").bytes()).await?;
    connection.answer_head().await?.context("closed")?;
    // Other traffic goes on while the reader does not read.
    for _ in 0..200 {
        gateway.call(&Request::get(&proxy.path("/x"))).await?;
    }
    let grown = resident_bytes(envoy)?.saturating_sub(before);
    ensure!(grown < FLAT, "Envoy grew by {} MiB", grown / MEGABYTE);
    Ok(())
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(echo_body).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    for number in 0..20 {
        let body = format!("request {number}");
        let reply = connection
            .call(&proxy.request("POST", "/k").body(body.clone()))
            .await?;
        expect::ok(&reply)?;
        assert_eq!(reply.text(), body);
    }
    let connections: std::collections::BTreeSet<usize> = target
        .requests()
        .iter()
        .map(|seen| seen.connection)
        .collect();
    // One for each of Envoy's workers at most: the caller's connection belongs to one worker.
    assert_eq!(connections.len(), 1, "upstream connections");
    Ok(())
}

#[tokio::test]
async fn a_caller_that_expects_100_continue_gets_it() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(echo_body).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    let request = proxy
        .request("PUT", "/e")
        .with("expect", "100-continue")
        .with("content-length", "5");
    connection.send(&request.bytes()).await?;
    let interim = connection.any_head().await?;
    assert_eq!(interim.word(1), "100");
    connection.send(b"hello").await?;
    let reply = connection.answer("PUT").await?.context("closed")?;
    expect::ok(&reply)?;
    assert_eq!(reply.text(), "hello");
    Ok(())
}

#[tokio::test]
async fn a_refused_caller_that_expects_100_continue_is_told_at_once() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let request = Request::new("PUT", &proxy.path("/e"))
        .with("authorization", "wrong")
        .with("expect", "100-continue")
        .with("content-length", "5");
    let reply = gateway
        .raw("PUT", &request.bytes())
        .await?
        .context("closed")?;
    expect::denied(&reply, 403, "CREDENTIAL_INVALID")?;
    ensure!(target.count() == 0, "the target was asked");
    Ok(())
}

#[tokio::test]
async fn every_status_of_the_target_passes_as_it_is() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let status = request.path().trim_start_matches('/').to_owned();
        respond(
            &format!("{status} Some Reason"),
            &[("location", "http://169.254.169.254/")],
            b"own body",
        )
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for status in [
        200, 201, 202, 203, 206, 299, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 418,
        429, 451, 500, 502, 503, 504, 599,
    ] {
        let reply = gateway.call(&proxy.get(&format!("/{status}"))).await?;
        ensure!(
            reply.status == status,
            "{} instead of {status}",
            reply.status
        );
        expect::granted(&reply).with_context(|| status.to_string())?;
        assert_eq!(reply.text(), "own body", "{status}");
        assert_eq!(reply.header("location")?, "http://169.254.169.254/");
    }
    Ok(())
}

#[tokio::test]
async fn empty_answers_and_not_modified_stay_empty() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let status = request.path().trim_start_matches('/').to_owned();
        Script::AfterRequest(vec![head(&format!("{status} X"), &[("etag", "\"1\"")])])
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut connection = gateway.connect().await?;
    for status in [204, 304, 204] {
        let reply = connection.call(&proxy.get(&format!("/{status}"))).await?;
        ensure!(reply.status == status && reply.body.is_empty(), "{reply:?}");
        expect::granted(&reply)?;
        assert_eq!(reply.header("etag")?, "\"1\"");
    }
    Ok(())
}
