//! Which answers are redacted, which pass, and which are refused.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::target::answer::{json as of_json, typed};
use requestrocket_integration_tests::target::{Script, head, respond, send};

use super::{SECRET, Scene};
use crate::expect;

fn document() -> String {
    format!(r#"{{"s":"{SECRET}","a":1}}"#)
}

#[tokio::test]
async fn json_is_told_by_its_type() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    for content_type in [
        "application/json",
        "APPLICATION/JSON",
        "Application/Json; Charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "application/json; charset=utf8; profile=x",
        "text/json",
        "application/problem+json",
        "application/vnd.api+JSON; v=1",
        "image/x+json",
        "  application/json  ",
    ] {
        let reply = scene.reply(typed(content_type, document())).await?;
        expect::ok(&reply).context(content_type)?;
        ensure!(
            reply.text() == r#"{"a":1}"#,
            "{content_type}: {}",
            reply.text()
        );
        ensure!(
            reply.header("content-type")? == content_type.trim(),
            "{content_type} was changed"
        );
    }
    for content_type in [
        "text/plain",
        "application/octet-stream",
        "text/html; x=application/json",
        "application/jsonx",
        "application/x-json",
        "application/javascript",
        "application/json-seq",
        "multipart/byteranges; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json, text/plain",
        "json",
        "",
    ] {
        let reply = scene.reply(typed(content_type, document())).await?;
        expect::not_filterable(&reply).context(content_type)?;
    }
    let untyped = respond("200 OK", &[], document().as_bytes());
    expect::not_filterable(&scene.reply(untyped).await?).context("no type")?;
    let twice = [
        ("content-type", "text/plain"),
        ("content-type", "application/json"),
    ];
    let reply = scene
        .reply(respond("200 OK", &twice, document().as_bytes()))
        .await?;
    ensure!(
        reply.status == 422 || reply.text() == r#"{"a":1}"#,
        "{}",
        reply.status
    );
    Ok(())
}

#[tokio::test]
async fn only_successes_are_redacted() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let json = [("content-type", "application/json")];
    for status in [200, 201, 202, 203, 207, 226, 299] {
        let script = respond(&format!("{status} X"), &json, document().as_bytes());
        let reply = scene.reply(script).await?;
        ensure!(
            (reply.status, reply.text().as_str()) == (status, r#"{"a":1}"#),
            "{reply:?}"
        );
        expect::granted(&reply)?;
    }
    for status in [
        300, 301, 302, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503,
    ] {
        let script = respond(&format!("{status} X"), &json, br#"{"s":"shown"}"#);
        let reply = scene.reply(script).await?;
        ensure!(
            reply.status == status,
            "{} instead of {status}",
            reply.status
        );
        ensure!(
            reply.text() == r#"{"s":"shown"}"#,
            "{status}: {}",
            reply.text()
        );
        let script = respond(
            &format!("{status} X"),
            &[("content-type", "text/html")],
            b"<p>",
        );
        ensure!(scene.reply(script).await?.text() == "<p>", "{status}");
    }
    let partial = [
        ("content-type", "application/json"),
        ("content-range", "bytes 0-9/99"),
    ];
    let reply = scene
        .reply(respond(
            "206 Partial Content",
            &partial,
            document().as_bytes(),
        ))
        .await?;
    expect::not_filterable(&reply)
}

#[tokio::test]
async fn answers_without_a_body_pass() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    for status in ["204 No Content", "304 Not Modified"] {
        let script = Script::AfterRequest(vec![head(status, &[("etag", "\"1\"")])]);
        let reply = scene.reply(script).await?;
        expect::granted(&reply)?;
        ensure!(status.starts_with(&reply.status.to_string()), "{reply:?}");
    }
    for content_type in ["application/json", "text/plain", "image/png"] {
        let reply = scene.reply(typed(content_type, "")).await?;
        expect::ok(&reply).context(content_type)?;
        ensure!(reply.body.is_empty(), "{content_type}");
        let headers = [("content-type", content_type), ("content-length", "40")];
        let script = Script::AfterRequest(vec![head("200 OK", &headers)]);
        let reply = scene
            .reply_to(&scene.proxy.request("HEAD", "/"), script)
            .await?;
        expect::ok(&reply).context(content_type)?;
    }
    let chunked = Script::AfterRequest(vec![
        head(
            "200 OK",
            &[
                ("content-type", "text/plain"),
                ("transfer-encoding", "chunked"),
            ],
        ),
        send("0\r\n\r\n"),
    ]);
    let reply = scene.reply(chunked).await?;
    ensure!(reply.body.is_empty(), "{reply:?}");
    ensure!(matches!(reply.status, 200 | 422), "{reply:?}");
    Ok(())
}

fn upgrade(call: Request, protocol: &str) -> Request {
    call.with("connection", "Upgrade")
        .with("upgrade", protocol)
        .with("sec-websocket-version", "13")
        .with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

#[tokio::test]
async fn a_websocket_is_refused_before_the_target_is_asked() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let call = upgrade(scene.proxy.get("/ws"), "websocket");
    let reply = scene.reply_to(&call, of_json("{}")).await?;
    expect::not_filterable(&reply)?;
    ensure!(scene.target.count() == 0, "the target was asked");
    for protocol in ["h2c", "foo"] {
        let call = upgrade(scene.proxy.get("/ws"), protocol);
        let reply = scene.reply_to(&call, of_json(document())).await?;
        expect::ok(&reply)?;
        ensure!(reply.text() == r#"{"a":1}"#, "{protocol}: {}", reply.text());
        ensure!(
            scene.target.last()?.head.all("upgrade").is_empty(),
            "{protocol}"
        );
    }
    Ok(())
}
