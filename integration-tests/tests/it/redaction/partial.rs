//! Parts of answers, tags and lengths that no longer hold, trailers.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::Connection;
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::target::answer::json as of_json;
use requestrocket_integration_tests::target::{Script, chunk_bytes, head, respond, send};

use super::{SECRET, Scene};
use crate::expect;

fn document() -> String {
    format!(r#"{{"s":"{SECRET}","a":1}}"#)
}

#[tokio::test]
async fn a_filtered_answer_is_always_asked_for_whole() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let call = scene
        .proxy
        .get("/r")
        .with("range", "bytes=0-9")
        .with("If-Range", "\"1\"");
    let reply = scene.reply_to(&call, of_json(document())).await?;
    expect::ok(&reply)?;
    ensure!(reply.text() == r#"{"a":1}"#, "{}", reply.text());
    let seen = scene.target.last()?.head;
    for name in ["range", "if-range"] {
        ensure!(seen.all(name).is_empty(), "{name} reached the target");
    }
    // And where nothing is filtered, ranges are the target's business.
    let plain = Scene::start().await?;
    let call = plain.proxy.get("/r").with("range", "bytes=0-1");
    let partial = [
        ("content-type", "text/plain"),
        ("content-range", "bytes 0-1/9"),
    ];
    let reply = plain
        .reply_to(&call, respond("206 Partial Content", &partial, b"ab"))
        .await?;
    ensure!(
        (reply.status, reply.text().as_str()) == (206, "ab"),
        "{reply:?}"
    );
    ensure!(plain.target.last()?.head.all("range") == ["bytes=0-1"]);
    Ok(())
}

#[tokio::test]
async fn what_was_said_of_the_whole_body_is_not_said_of_the_rest() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let headers = [
        ("content-type", "application/json"),
        ("etag", "\"of-the-whole\""),
        ("content-md5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
        ("digest", "sha-256=abc"),
        ("content-digest", "sha-256=:abc:"),
        ("repr-digest", "sha-256=:abc:"),
        ("x-kept", "yes"),
    ];
    let reply = scene
        .reply(respond("200 OK", &headers, document().as_bytes()))
        .await?;
    expect::ok(&reply)?;
    ensure!(reply.text() == r#"{"a":1}"#, "{}", reply.text());
    for name in ["etag", "content-md5", "digest"] {
        ensure!(reply.head.all(name).is_empty(), "{name} is still there");
    }
    ensure!(reply.header("x-kept")? == "yes", "another header went");
    if let Some(length) = reply.head.first("content-length") {
        ensure!(length == "7", "content-length {length}");
    }
    // Nothing of it where nothing is filtered.
    let plain = Scene::start().await?;
    let reply = plain.reply(respond("200 OK", &headers, b"{}")).await?;
    for (name, value) in headers {
        ensure!(reply.header(name)? == value, "{name} was changed");
    }
    ensure!(reply.header("content-length")? == "2");
    Ok(())
}

#[tokio::test]
async fn trailers_do_not_cost_the_body() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let documents = [document(), "{}".to_owned(), "1".to_owned()];
    for (document, end) in documents.iter().flat_map(|one| [(one, ""), (one, " \r\n")]) {
        let headers = [
            ("content-type", "application/json"),
            ("transfer-encoding", "chunked"),
            ("trailer", "x-sum"),
        ];
        let script = Script::AfterRequest(vec![
            head("200 OK", &headers),
            send(chunk_bytes(format!("{document}{end}").as_bytes())),
            send("0\r\nx-sum: 7\r\n\r\n"),
        ]);
        let reply = scene.reply(script).await?;
        expect::ok(&reply).context(document.clone())?;
        let left = if document.contains("\"a\"") {
            r#"{"a":1}"#
        } else {
            document
        };
        let wanted = format!("{left}{end}");
        ensure!(reply.text() == wanted, "{} of {document}", reply.text());
        ensure!(reply.trailers.all("x-sum") == ["7"], "{:?}", reply.trailers);
    }
    let headers = [
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
    ];
    let cut = format!(r#"{{"a":1,"s":"{SECRET}"#);
    let script = Script::AfterRequest(vec![
        head("200 OK", &headers),
        send(chunk_bytes(cut.as_bytes())),
        send("0\r\nx-sum: 7\r\n\r\n"),
    ]);
    let reply = scene.reply(script).await?;
    ensure!(
        reply.status == 422 || !reply.complete,
        "half a document came whole: {reply:?}"
    );
    Ok(())
}

#[tokio::test]
async fn early_hints_pass_and_change_nothing() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let length = document().len().to_string();
    let script = Script::AfterRequest(vec![
        head("103 Early Hints", &[("link", "</x>; rel=preload")]),
        head(
            "200 OK",
            &[
                ("content-type", "application/json"),
                ("content-length", &length),
            ],
        ),
        send(document()),
    ]);
    let reply = scene.reply(script).await?;
    expect::ok(&reply)?;
    ensure!(reply.text() == r#"{"a":1}"#, "{}", reply.text());
    Ok(())
}

/// A length that promises more than comes is a target that broke off.
#[tokio::test]
async fn a_body_that_is_shorter_than_it_said_is_not_completed() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    for (said, body) in [
        ("400", document()),
        ("30", document()),
        ("9", r#"{"a":1}"#.to_owned()),
    ] {
        let headers = [
            ("content-type", "application/json"),
            ("content-length", said),
        ];
        let script = Script::AfterRequest(vec![
            head("200 OK", &headers),
            send(body.clone()),
            requestrocket_integration_tests::target::Step::Close,
        ]);
        scene.plays(script);
        let mut connection = Connection::open(&scene.gateway.address).await?;
        connection.send(&scene.proxy.get("/").bytes()).await?;
        let Some(reply) = connection.answer("GET").await? else {
            continue;
        };
        Canary::new(SECRET).absent_from("the body", &reply.body)?;
        ensure!(reply.status != 200 || !reply.complete, "{said}: {reply:?}");
    }
    Ok(())
}
