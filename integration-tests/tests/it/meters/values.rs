//! Meters that sum what responses report.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::codings::encode;
use requestrocket_integration_tests::target::answer::{
    Pace, chunked, coded, json as of_json, typed,
};
use requestrocket_integration_tests::target::{Script, respond};
use requestrocket_integration_tests::wire::{Framing, Part};
use serde_json::json;

use super::{summing, used};
use crate::scene::Plays;
use crate::{expect, scene};

const WARNING: &str = "meter-value-missing";

type Scene = scene::Scene<Plays>;

impl Scene {
    async fn meter(&self, meter: &serde_json::Value) -> Result<String> {
        self.gateway.meter(&self.proxy, meter).await
    }

    /// One call with this answer; says whether a value was missed.
    async fn missed(&self, script: Script) -> Result<bool> {
        self.plays(script);
        let reply = self.gateway.call(&self.proxy.get("/")).await?;
        ensure!(reply.complete, "the answer was cut");
        expect::granted(&reply)?;
        let warnings = reply.head.all("requestrocket-proxy-warning");
        Ok(warnings.iter().any(|warning| warning.contains(WARNING)))
    }
}

#[tokio::test]
async fn numbers_of_bodies_are_summed() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&summing("$.usage.tokens", &json!({}))).await?;
    let mut total = 0.0;
    let tokens = |value: &str| format!(r#"{{"usage":{{"tokens":{value}}}}}"#);
    for (value, adds) in [
        ("12", 12.0),
        ("\"30\"", 30.0),
        ("0.25", 0.25),
        ("\"1.5\"", 1.5),
        ("0.000001", 0.000_001),
        ("0", 0.0),
    ] {
        for script in [
            of_json(tokens(value)),
            chunked(
                "application/json",
                &tokens(value).as_bytes().chunks(1).collect::<Vec<_>>(),
            ),
            respond(
                "404 X",
                &[("content-type", "application/json")],
                tokens(value).as_bytes(),
            ),
        ] {
            scene.missed(script).await?;
            total += adds;
        }
        used(&scene.gateway, &scene.proxy, &meter, total)
            .await
            .with_context(|| value.to_owned())?;
    }
    for value in [
        "-1", "\"-1\"", "null", "true", "\"many\"", "\"\"", "[1]", "{}", "-1e400",
    ] {
        scene.missed(of_json(tokens(value))).await?;
        used(&scene.gateway, &scene.proxy, &meter, total)
            .await
            .with_context(|| value.to_owned())?;
    }
    for script in [
        of_json("{}"),
        of_json("{"),
        of_json(""),
        typed("text/plain", "12"),
        respond("204 No Content", &[], b""),
    ] {
        scene.missed(script).await?;
        used(&scene.gateway, &scene.proxy, &meter, total).await?;
    }
    Ok(())
}

/// Nothing is lost of a value that cannot be had exactly.
#[tokio::test]
async fn what_is_too_fine_is_rounded_up_and_what_is_too_large_is_the_most() -> Result<()> {
    const MOST: f64 = 18_446_744_073_709.55;
    let scene = Scene::start().await?;
    let meter = scene.meter(&summing("$.n", &json!({}))).await?;
    for (number, total) in [
        ("0.0000001", 0.000_001),
        ("1.0000001", 1.000_002),
        ("\"1e-30\"", 1.000_003),
        ("18446744073710", MOST),
        ("1e400", MOST),
    ] {
        let script = of_json(format!(r#"{{"n":{number}}}"#));
        ensure!(!scene.missed(script).await?, "{number} is missed");
        used(&scene.gateway, &scene.proxy, &meter, total)
            .await
            .with_context(|| number.to_owned())?;
    }
    Ok(())
}

/// A part of a body, or one in a coding that nobody reads, has no value.
#[tokio::test]
async fn a_caller_cannot_ask_for_an_answer_that_is_not_counted() -> Result<()> {
    const NAMES: [&str; 3] = ["range", "if-range", "accept-encoding"];
    let scene = Scene::start().await?;
    let asking = || {
        let call = scene.proxy.get("/").with("range", "bytes=0-1");
        call.with("If-Range", "\"1\"")
            .with("Accept-Encoding", "compress")
    };
    scene.gateway.call(&asking()).await?;
    let head = scene.target.last()?.head;
    ensure!(
        NAMES.iter().all(|name| head.all(name).len() == 1),
        "{head:?}"
    );

    scene.meter(&summing("$.cost", &json!({}))).await?;
    scene.gateway.call(&asking()).await?;
    let head = scene.target.last()?.head;
    ensure!(
        NAMES.iter().all(|name| head.all(name).is_empty()),
        "{head:?}"
    );
    Ok(())
}

#[tokio::test]
async fn several_nodes_are_summed() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&summing("$.items[*].cost", &json!({}))).await?;
    scene
        .missed(of_json(
            r#"{"items":[{"cost":1.5},{"cost":"2"},{"x":1},{"cost":3}]}"#,
        ))
        .await?;
    used(&scene.gateway, &scene.proxy, &meter, 6.5).await
}

#[tokio::test]
async fn a_header_is_read_before_the_answer_goes_out_and_missed_aloud() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = json!({
        "meterName": "cost",
        "meterType": "response_value",
        "extraction": { "location": "header", "name": "X-Cost" },
        "limits": {},
    });
    let meter = scene.meter(&meter).await?;
    let with = |lines: &[(&str, &str)]| respond("200 OK", lines, b"");
    ensure!(
        !scene.missed(with(&[("x-cost", "2.5")])).await?,
        "a value was there"
    );
    ensure!(
        !scene.missed(with(&[("X-COST", " 7 ")])).await?,
        "a value was there"
    );
    let with_body = respond("200 OK", &[("x-cost", "3")], b"{\"a\":1}");
    ensure!(!scene.missed(with_body).await?, "a value was there");
    used(&scene.gateway, &scene.proxy, &meter, 12.5).await?;
    for lines in [
        &[][..],
        &[("x-cost", "")],
        &[("x-cost", "much")],
        &[("x-cost", "-1")],
    ] {
        ensure!(scene.missed(with(lines)).await?, "no warning for {lines:?}");
    }
    used(&scene.gateway, &scene.proxy, &meter, 12.5).await
}

/// Product §7: of streams the last record that has the value.
#[tokio::test]
async fn the_last_record_of_a_stream_that_has_the_value_counts() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&summing("$.usage.total", &json!({}))).await?;
    let events = "data: {\"usage\":{\"total\":1}}\n\ndata: {\"x\":1}\n\n\
                  data: {\"usage\":\ndata: {\"total\":\"40\"}}\n\ndata: {}\n\ndata: [DONE]\n\n";
    let lines = "{\"usage\":{\"total\":1}}\n{\"usage\":{\"total\":2}}\n{}\n";
    let cases = [
        ("text/event-stream", events, 40.0),
        ("text/event-stream", "data: {\"usage\":{\"total\":4}}", 4.0),
        (
            "text/event-stream",
            "data: {\"usage\":{\"total\":1}}\n\ndata: {\"usage\":{\"total\":5}}\n",
            5.0,
        ),
        ("application/x-ndjson", lines, 2.0),
        ("application/jsonl", "{\"usage\":{\"total\":3}}", 3.0),
    ];
    let mut total = 0.0;
    for (n, &(content_type, stream, adds)) in cases.iter().chain(&cases).enumerate() {
        if n == cases.len() {
            scene.gateway.destroy(&scene.proxy, &["$.x"]).await?;
        }
        let single: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        for script in [
            chunked(content_type, &[stream]),
            chunked(content_type, &single),
        ] {
            scene.missed(script).await?;
            total += adds;
        }
        used(&scene.gateway, &scene.proxy, &meter, total)
            .await
            .context(content_type)?;
    }
    Ok(())
}

#[tokio::test]
async fn values_are_read_before_redaction_and_out_of_every_coding() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&summing("$.usage", &json!({}))).await?;
    let document = br#"{"usage":5,"a":1}"#;
    scene.missed(of_json(document)).await?;
    scene.gateway.destroy(&scene.proxy, &["$.usage"]).await?;
    scene.plays(of_json(document));
    let reply = scene.gateway.call(&scene.proxy.get("/")).await?;
    ensure!(reply.text() == r#"{"a":1}"#, "{}", reply.text());
    let mut total = 10.0;
    used(&scene.gateway, &scene.proxy, &meter, total).await?;
    for coding in ["gzip", "br"] {
        scene
            .missed(coded(coding, encode(coding, document)?))
            .await?;
        total += 5.0;
        used(&scene.gateway, &scene.proxy, &meter, total)
            .await
            .context(coding)?;
    }
    Ok(())
}

/// A value is known only afterwards: the call that passes the limit is the last.
#[tokio::test]
async fn calls_are_admitted_while_the_total_is_below_the_limit() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&summing("$.n", &json!({ "day": 100 }))).await?;
    for (number, total) in [("60", 60.0), ("39.5", 99.5), ("500", 599.5)] {
        scene
            .missed(of_json(format!(r#"{{"n":{number}}}"#)))
            .await?;
        used(&scene.gateway, &scene.proxy, &meter, total).await?;
    }
    let reply = scene.gateway.call(&scene.proxy.get("/")).await?;
    expect::rate_limited(&reply, &meter, "day")?;
    used(&scene.gateway, &scene.proxy, &meter, 599.5).await
}

/// Issue 3: who leaves a stream early is metered for what passed.
#[tokio::test]
async fn a_caller_that_goes_away_is_metered_for_what_passed() -> Result<()> {
    let scene = Scene::start().await?;
    let values = scene.meter(&summing("$.total", &json!({}))).await?;
    let requests = scene.meter(&super::counting(&json!({}))).await?;
    let pace = Pace::default();
    let records = ["data: {\"total\":7}\n\n", "data: {\"total\":9}\n\n"];
    scene.plays(pace.chunked("text/event-stream", &records));
    for round in 1..=3 {
        let mut connection = scene.gateway.connect().await?;
        connection.send(&scene.proxy.get("/").bytes()).await?;
        let reply = connection.answer_head().await?.context("closed")?;
        let mut framing = reply.head.framing(Framing::UntilClose);
        ensure!(
            matches!(connection.part(&mut framing).await?, Part::Data(_)),
            "no event"
        );
        pace.sent().await;
        drop(connection);
        used(
            &scene.gateway,
            &scene.proxy,
            &values,
            7.0 * f64::from(round),
        )
        .await?;
        used(&scene.gateway, &scene.proxy, &requests, f64::from(round)).await?;
    }
    Ok(())
}

/// The last record that has the value is the last that passed, with or without its end, and with
/// filters or without.
#[tokio::test]
async fn a_caller_that_goes_away_is_metered_for_the_latest_value() -> Result<()> {
    let scene = Scene::start().await?;
    let values = scene.meter(&summing("$.total", &json!({}))).await?;
    let mut total = 0.0;
    for is_redacted in [false, true] {
        if is_redacted {
            scene.gateway.destroy(&scene.proxy, &["$.secret"]).await?;
        }
        for (content_type, piece) in [
            (
                "text/event-stream",
                "data: {\"total\":3}\n\ndata: {\"x\":1}\n\n",
            ),
            ("text/event-stream", "data: {}\n\ndata: {\"total\":3}\n"),
            ("application/x-ndjson", "{\"total\":1}\n{\"total\":3}"),
        ] {
            let pace = Pace::default();
            scene.plays(pace.chunked(content_type, &[piece, "never"]));
            let mut connection = scene.gateway.connect().await?;
            connection.send(&scene.proxy.get("/").bytes()).await?;
            let reply = connection.answer_head().await?.context("closed")?;
            let mut framing = reply.head.framing(Framing::UntilClose);
            let part = connection.part(&mut framing).await?;
            ensure!(matches!(part, Part::Data(_)), "no record");
            drop(connection);
            total += 3.0;
            let used = used(&scene.gateway, &scene.proxy, &values, total).await;
            used.with_context(|| format!("{content_type}, filters: {is_redacted}"))?;
        }
    }
    Ok(())
}
