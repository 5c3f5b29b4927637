//! Server-sent events and NDJSON, record by record as they come.

use anyhow::{Context, Result, bail, ensure};
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::target::answer::{Pace, chunked, until_close};
use requestrocket_integration_tests::wire::{Framing, Part};

use super::{SECRET, Scene};
use crate::expect;

const EVENTS: &str = "text/event-stream";
const NDJSON: [&str; 4] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "Application/X-NDJSON; charset=utf-8",
];

fn secret() -> String {
    format!(r#"{{"s":"{SECRET}","a":1}}"#)
}

async fn check(scene: &Scene, content_type: &str, stream: &str, wanted: &str) -> Result<()> {
    let whole = chunked(content_type, &[stream]);
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    for script in [
        whole,
        chunked(content_type, &bytes),
        until_close(content_type, stream),
    ] {
        let reply = scene.reply(script).await?;
        expect::ok(&reply).with_context(|| stream.to_owned())?;
        ensure!(reply.text() == wanted, "{:?} of {stream:?}", reply.text());
    }
    Ok(())
}

#[tokio::test]
async fn events_are_redacted_one_by_one() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let secret = secret();
    let cases = [
        (format!("data: {secret}\n\n"), "data: {\"a\":1}\n\n"),
        (format!("data:{secret}\n\n"), "data: {\"a\":1}\n\n"),
        (
            format!(": note\nid: 7\nevent: x\nretry: 5\ndata: {secret}\n\n"),
            ": note\nid: 7\nevent: x\nretry: 5\ndata: {\"a\":1}\n\n",
        ),
        (
            format!("data: {{\"s\":\ndata: \"{SECRET}\",\ndata: \"a\":1}}\n\n"),
            "data: {\n",
        ),
        ("data: [DONE]\n\n".to_owned(), "data: [DONE]\n\n"),
        ("data\n\ndata:\n\n".to_owned(), "data"),
        (
            format!("data: {secret}\n\ndata: {secret}\n\ndata: [DONE]\n\n"),
            "data: {\"a\":1}\n\ndata: {\"a\":1}\n\ndata: [DONE]\n\n",
        ),
        (": only a comment\n\n".to_owned(), ": only a comment\n\n"),
        (format!("\u{feff}data: {secret}\n\n"), "data: {\"a\":1}\n\n"),
    ];
    for (stream, wanted) in &cases {
        if wanted.ends_with("\n\n") && !stream.starts_with('\u{feff}') {
            check(&scene, EVENTS, stream, wanted).await?;
            continue;
        }
        // Line ends inside a record may move, and so may a mark at the start.
        let reply = scene.reply(chunked(EVENTS, &[stream])).await?;
        expect::ok(&reply).with_context(|| stream.clone())?;
        ensure!(
            reply.text().contains(wanted.trim_end()),
            "{:?}",
            reply.text()
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_line_end_of_events_is_known() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    for end in ["\n", "\r\n", "\r"] {
        let stream = format!(
            "id: 1{end}data: {}{end}{end}data: {}{end}{end}",
            secret(),
            secret()
        );
        let reply = scene.reply(chunked(EVENTS, &[&stream])).await?;
        expect::ok(&reply)?;
        let lines: Vec<String> = reply
            .text()
            .split(['\r', '\n'])
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        ensure!(
            lines == ["id: 1", r#"data: {"a":1}"#, r#"data: {"a":1}"#],
            "{lines:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn lines_of_ndjson_are_redacted_one_by_one() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let secret = secret();
    for content_type in NDJSON {
        let stream = format!("{secret}\n[1]\n{secret}\n");
        check(&scene, content_type, &stream, "{\"a\":1}\n[1]\n{\"a\":1}\n").await?;
    }
    // Without an end after the last, with other ends, and with empty lines.
    for (stream, wanted) in [
        (secret.clone(), "{\"a\":1}"),
        (
            format!("{secret}\r\n{secret}\r\n"),
            "{\"a\":1}\r\n{\"a\":1}\r\n",
        ),
        (format!("\n{secret}\n\n"), "\n{\"a\":1}\n\n"),
    ] {
        check(&scene, NDJSON[0], &stream, wanted).await?;
    }
    Ok(())
}

/// Also of its last record, whose own end did not come.
#[tokio::test]
async fn the_end_of_a_stream_ends_its_last_record() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let secret = secret();
    for (end, wanted) in [("", ""), ("\n", "\n"), ("\r\n", "\r\n"), ("\r", "\r")] {
        let event = format!("data: {secret}{end}");
        check(
            &scene,
            EVENTS,
            &event,
            &format!("data: {{\"a\":1}}{wanted}"),
        )
        .await?;
        let after = format!("data: {secret}\n\nid: 2\ndata:{secret}{end}");
        let wanted = format!("data: {{\"a\":1}}\n\nid: 2\ndata: {{\"a\":1}}{wanted}");
        check(&scene, EVENTS, &after, &wanted).await?;
    }
    let done = "data: {\"a\":1}\n\ndata: [DONE]";
    check(&scene, EVENTS, done, done).await?;
    check(
        &scene,
        NDJSON[0],
        &format!("[1]\n{secret}"),
        "[1]\n{\"a\":1}",
    )
    .await
}

/// A target that answers JSON, or something like events, under the name of events.
#[tokio::test]
async fn what_is_called_events_and_is_something_else_does_not_pass() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let secret = secret();
    for stream in [
        secret.clone(),
        format!("{secret}\n\n"),
        format!("{{\n  \"s\": \"{SECRET}\"\n}}\n"),
        format!("Data: {secret}\n\n"),
        format!(" data: {secret}\n\n"),
        format!("id: 1\n{secret}\n\n"),
    ] {
        let reply = scene.reply(chunked(EVENTS, &[&stream])).await?;
        ensure!(reply.status == 422, "{}: {stream:?}", reply.status);
        ensure!(!reply.text().contains(SECRET), "{stream:?}");
    }
    Ok(())
}

/// Not a byte of a record that cannot be read, and nothing behind it.
#[tokio::test]
async fn a_record_that_is_no_json_ends_the_stream() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let secret = secret();
    let broken = format!(r#"{{"s":"{SECRET}""#);
    let cases = [
        (
            EVENTS,
            format!("data: {{\"a\":1}}\n\ndata: {broken}\n\ndata: {secret}\n\n"),
        ),
        (
            EVENTS,
            format!("data: {{\"a\":1}}\n\ndata: text {SECRET}\n\n"),
        ),
        (
            EVENTS,
            format!("data: {{\"a\":1}}\n\ndata: [DONE] {SECRET}\n\n"),
        ),
        (
            EVENTS,
            format!("data: {{\"a\":1}}\n\ndata: {{\"a\":1}} {secret}\n\n"),
        ),
        (NDJSON[0], format!("{{\"a\":1}}\n{broken}\n{secret}\n")),
        (NDJSON[0], format!("{{\"a\":1}}\n{SECRET}\n")),
        (NDJSON[0], format!("{{\"a\":1}}\n{{\"a\":1}}{secret}\n")),
        (NDJSON[0], format!("{{\"a\":1}}\n{broken}")),
        (EVENTS, format!("data: {{\"a\":1}}\n\ndata: {broken}")),
        (EVENTS, format!("data: {{\"a\":1}}\n\ndata: {broken}\n")),
    ];
    for (content_type, stream) in cases {
        let reply = scene.reply(chunked(content_type, &[&stream])).await?;
        let label = format!(
            "{content_type} {stream:?}: {} {:?}",
            reply.status,
            reply.text()
        );
        if reply.status == 200 {
            ensure!(!reply.complete, "whole: {label}");
            ensure!(reply.text().matches(r#""a":1"#).count() <= 1, "{label}");
        } else {
            expect::not_filterable(&reply).context(label)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn each_record_is_passed_on_before_the_next_one_comes() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let secret = secret();
    for (content_type, record, wanted) in [
        (EVENTS, format!("data: {secret}\n\n"), "data: {\"a\":1}\n\n"),
        (NDJSON[0], format!("{secret}\n"), "{\"a\":1}\n"),
    ] {
        let pace = Pace::default();
        scene.plays(pace.chunked(content_type, &vec![record; 5]));
        let mut connection = scene.gateway.connect().await?;
        connection.send(&scene.proxy.get("/events").bytes()).await?;
        let reply = connection.answer_head().await?.context("closed")?;
        expect::granted(&reply)?;
        let mut framing = reply.head.framing(Framing::UntilClose);
        for _ in 0..5 {
            pace.sent().await;
            let mut event = Vec::new();
            while event.len() < wanted.len() {
                let Part::Data(data) = connection.part(&mut framing).await? else {
                    bail!("the stream ended")
                };
                event.extend_from_slice(&data);
            }
            ensure!(event == wanted.as_bytes(), "{}", event.escape_ascii());
            pace.go_on();
        }
        ensure!(
            matches!(connection.part(&mut framing).await?, Part::End(_)),
            "no end"
        );
    }
    Ok(())
}

/// Product §3: streams have no ceiling; one record does.
#[tokio::test]
async fn streams_are_longer_than_an_answer_may_be() -> Result<()> {
    let scene = Scene::with(|plan| plan.with("proxyMaxResponseBytes", 64 << 10)).await?;
    scene.gateway.destroy(&scene.proxy, &["$.s"]).await?;
    let fill = "f".repeat(1_000);
    let record = format!(r#"{{"s":"{SECRET}","a":"{fill}"}}"#);
    for (content_type, record) in [
        (EVENTS, format!("data: {record}\n\n")),
        (NDJSON[0], format!("{record}\n")),
    ] {
        let reply = scene
            .reply(chunked(content_type, &vec![record; 300]))
            .await?;
        expect::ok(&reply).context(content_type)?;
        ensure!(
            reply.body.len() > 300_000,
            "{content_type}: {}",
            reply.body.len()
        );
    }
    Ok(())
}

/// A target that goes away in the middle cuts the caller's stream too.
#[tokio::test]
async fn a_stream_that_breaks_off_is_broken_off() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    for (content_type, record) in [
        (EVENTS, format!("data: {}\n\n", secret())),
        (NDJSON[0], format!("{}\n", secret())),
        (
            "application/json",
            format!("{},", secret().trim_end_matches('}')),
        ),
    ] {
        let pace = Pace::default();
        let mut script = pace.chunked(content_type, &[record]);
        let requestrocket_integration_tests::target::Script::AfterRequest(steps) = &mut script
        else {
            bail!("another script")
        };
        steps.pop();
        steps.push(requestrocket_integration_tests::target::Step::Close);
        scene.plays(script);
        let mut connection = scene.gateway.connect().await?;
        connection.send(&scene.proxy.get("/").bytes()).await?;
        pace.sent().await;
        pace.go_on();
        let reply = connection.answer("GET").await?;
        let Some(reply) = reply else { continue };
        Canary::new(SECRET).absent_from("the body", &reply.body)?;
        ensure!(
            reply.status != 200 || !reply.complete,
            "{content_type} came whole: {reply:?}"
        );
    }
    Ok(())
}
