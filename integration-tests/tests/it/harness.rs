//! The harness against itself: what it claims to see is what was sent.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::{Connection, Request, call};
use requestrocket_integration_tests::certificates::{self_signed, trusted};
use requestrocket_integration_tests::target::{
    Script, Step, Style, Target, chunk, echo_body, head, send,
};
use requestrocket_integration_tests::traffic::Traffic;

#[tokio::test]
async fn caller_and_target_see_each_others_bytes() -> Result<()> {
    let target = Target::answering(echo_body).await?;
    let address = target.address.to_string();
    let request = Request::new("POST", "/a?b")
        .with("x-bytes", b"\xff\x01")
        .body("hello");
    let reply = call(&address, &request).await?;
    assert_eq!(
        (reply.status, reply.text().as_str(), reply.complete),
        (200, "hello", true)
    );
    let seen = target.last()?;
    ensure!(seen.complete && seen.bytes == request.bytes(), "{seen:?}");
    assert_eq!(
        (seen.method(), seen.path(), seen.body_length),
        ("POST", "/a?b", 5)
    );
    Ok(())
}

#[tokio::test]
async fn chunks_trailers_and_cuts_are_told_apart() -> Result<()> {
    let target = Target::answering(|request| {
        let mut steps = vec![
            head("200 OK", &[("transfer-encoding", "chunked")]),
            chunk("ab"),
            chunk("c"),
        ];
        match request.path() {
            "/whole" => steps.push(send("0\r\nx-t: 1\r\n\r\n")),
            "/cut" => steps.push(Step::Close),
            _ => steps = vec![head("200 OK", &[]), send("until close"), Step::Close],
        }
        Script::AfterRequest(steps)
    })
    .await?;
    let address = target.address.to_string();
    let whole = call(&address, &Request::get("/whole")).await?;
    assert_eq!((whole.text().as_str(), whole.complete), ("abc", true));
    assert_eq!(whole.trailers.all("x-t"), ["1"]);
    let cut = call(&address, &Request::get("/cut")).await?;
    assert_eq!((cut.text().as_str(), cut.complete), ("abc", false));
    let open = call(&address, &Request::get("/open")).await?;
    assert_eq!((open.text().as_str(), open.complete), ("until close", true));
    Ok(())
}

#[tokio::test]
async fn a_chunked_request_and_its_trailers_are_recorded() -> Result<()> {
    let target = Target::answering(echo_body).await?;
    let mut connection = Connection::open(&target.address.to_string()).await?;
    connection
        .send(
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n",
        )
        .await?;
    let reply = connection.answer("POST").await?.context("closed")?;
    assert_eq!(reply.text(), "abc");
    assert_eq!(target.last()?.trailers.all("x-t"), ["1"]);
    Ok(())
}

#[tokio::test]
async fn a_reset_is_no_answer() -> Result<()> {
    let target =
        Target::with_style(Style::Abrupt, |_| Script::AfterRequest(vec![Step::Close])).await?;
    let mut connection = Connection::open(&target.address.to_string()).await?;
    connection.send(&Request::get("/").bytes()).await?;
    ensure!(
        connection.answer("GET").await?.is_none(),
        "an answer out of nothing"
    );
    Ok(())
}

#[tokio::test]
async fn certificates_can_be_made() -> Result<()> {
    trusted()?
        .identity(&["localhost", "127.0.0.1"])?
        .acceptor(&["h2"])?;
    self_signed(&["localhost"])?.acceptor(&[])?;
    Ok(())
}

#[tokio::test]
async fn traffic_reports_the_first_failure() -> Result<()> {
    let target = Target::start().await?;
    let address = target.address.to_string();
    let traffic = Traffic::start(&address, &Request::get("/"), 2);
    traffic.more(50).await?;
    ensure!(traffic.finish().await? >= 50, "traffic was not counted");
    let broken = Target::answering(|_| {
        Script::AfterRequest(vec![head("503 No", &[("content-length", "0")])])
    })
    .await?;
    let traffic = Traffic::start(&broken.address.to_string(), &Request::get("/"), 1);
    broken.wait_for("a request", |_| true).await?;
    ensure!(traffic.finish().await.is_err(), "a failure went unseen");
    Ok(())
}
