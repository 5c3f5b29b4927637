//! Coded answers are decoded before they are redacted, or refused.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::codings::{self, bomb, encode, gzip, raw_deflate};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::machine::resident_bytes;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::answer::{coded, json as of_json};
use requestrocket_integration_tests::target::{Script, chunk_bytes, head, respond, send};

use super::{SECRET, Scene, destroy};
use crate::expect;

fn document() -> Vec<u8> {
    format!(r#"{{"s":"{SECRET}","a":1}}"#).into_bytes()
}

#[tokio::test]
async fn every_coding_is_decoded() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    for coding in codings::ALL {
        let body = encode(coding, &document())?;
        for name in [coding.to_owned(), coding.to_uppercase()] {
            let reply = scene.reply(coded(&name, &body)).await?;
            expect::ok(&reply).context(name.clone())?;
            ensure!(reply.text() == r#"{"a":1}"#, "{name}: {}", reply.text());
            ensure!(
                reply.head.all("content-encoding").is_empty(),
                "{name}: still said"
            );
        }
        let headers = [
            ("content-type", "application/json"),
            ("content-encoding", coding),
            ("transfer-encoding", "chunked"),
        ];
        let mut steps = vec![head("200 OK", &headers)];
        steps.extend(body.chunks(1).map(|piece| send(chunk_bytes(piece))));
        steps.push(send("0\r\n\r\n"));
        let reply = scene.reply(Script::AfterRequest(steps)).await?;
        expect::ok(&reply).context(coding)?;
        ensure!(
            reply.text() == r#"{"a":1}"#,
            "{coding} in pieces: {}",
            reply.text()
        );
    }
    // Several at once, in the order in which they were put on.
    let twice = encode("br", &gzip(&document())?)?;
    let reply = scene.reply(coded("gzip, br", twice)).await?;
    ensure!(
        reply.status == 422 || reply.text() == r#"{"a":1}"#,
        "{reply:?}"
    );
    let reply = scene.reply(coded("x-gzip", gzip(&document())?)).await?;
    ensure!(
        reply.status == 422 || reply.text() == r#"{"a":1}"#,
        "{reply:?}"
    );
    let reply = scene
        .reply(coded("deflate", raw_deflate(&document())?))
        .await?;
    ensure!(
        reply.status == 422 || reply.text() == r#"{"a":1}"#,
        "{reply:?}"
    );
    let reply = scene.reply(coded("identity", document())).await?;
    ensure!(
        reply.status == 422 || reply.text() == r#"{"a":1}"#,
        "{reply:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_decoded_does_not_pass() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let whole = gzip(&document())?;
    let mut wrong_sum = whole.clone();
    let length = wrong_sum.len();
    wrong_sum[length - 8] ^= 0xff;
    let behind = [whole.as_slice(), b"trailing"].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("gzip", document()),
        ("br", document()),
        ("zstd", document()),
        ("deflate", document()),
        ("br", whole.clone()),
        ("compress", document()),
        ("x-unknown", document()),
        ("gzip, br", whole.clone()),
        ("aes128gcm", document()),
        ("gzip", whole[..whole.len() / 2].to_vec()),
        ("gzip", whole[..4].to_vec()),
        ("gzip", wrong_sum),
        ("gzip", behind),
    ];
    for (coding, body) in cases {
        let label = format!("{coding} {} bytes", body.len());
        let reply = scene
            .reply(coded(coding, body))
            .await
            .context(label.clone())?;
        // Refused while the head is held, cut after; an end that is known only later may be
        // either, but never a whole answer.
        if reply.status == 200 {
            ensure!(!reply.complete, "{label} came whole: {}", reply.text());
        } else {
            expect::not_filterable(&reply).context(label)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn targets_are_not_asked_for_codings_when_filters_apply() -> Result<()> {
    let scene = Scene::start().await?;
    let mut filter = destroy(&["$.s"]);
    filter["path"] = serde_json::json!({ "pattern": "^/r" });
    scene.filter(Layer::Proxy, &filter).await?;
    let wish = "gzip, br;q=0.9, zstd, *";
    let call = scene.proxy.get("/r").with("accept-encoding", wish);
    expect::ok(&scene.reply_to(&call, of_json("{}")).await?)?;
    let asked = scene.target.last()?.head.all("accept-encoding");
    ensure!(asked.is_empty() || asked == ["identity"], "{asked:?}");
    let call = scene.proxy.get("/other").with("accept-encoding", wish);
    expect::ok(&scene.reply_to(&call, of_json("{}")).await?)?;
    ensure!(
        scene.target.last()?.head.all("accept-encoding") == [wish],
        "taken off for no filter"
    );
    Ok(())
}

/// Without filters a coded answer is none of the gateway's business.
#[tokio::test]
async fn coded_answers_pass_untouched_where_nothing_is_redacted() -> Result<()> {
    let scene = Scene::start().await?;
    for (coding, body) in [("gzip", gzip(b"{}")?), ("x-unknown", b"\xff\x00".to_vec())] {
        let reply = scene.reply(coded(coding, &body)).await?;
        expect::ok(&reply)?;
        ensure!(reply.body == body, "{coding} was changed");
        ensure!(reply.header("content-encoding")? == coding);
    }
    Ok(())
}

/// 200 MiB in 200 KB: cut at the proxy's ceiling of decoded bytes, and never held.
#[tokio::test]
async fn a_bomb_fills_no_memory() -> Result<()> {
    let stack = Stack::start(&[]).await?;
    let scene = Scene::at(Gateway::of(&stack)?, |plan| plan).await?;
    scene.gateway.destroy(&scene.proxy, &["$.s"]).await?;
    let envoy = stack.envoy_pid()?;
    let before = format!(r#"{{"s":"{SECRET}","a":["#);
    let small = bomb(before.as_bytes(), 200, b"1]}")?;
    ensure!(small.len() < 400_000, "{} bytes", small.len());
    scene.reply(coded("gzip", gzip(&document())?)).await?;
    let resident = resident_bytes(envoy)?;
    let reply = scene.reply(coded("gzip", small)).await?;
    if reply.status == 200 {
        ensure!(!reply.complete, "a bomb came whole");
        ensure!(reply.body.len() <= 6 << 20, "{} bytes", reply.body.len());
    } else {
        ensure!(matches!(reply.status, 413 | 422), "{reply:?}");
    }
    let grown = resident_bytes(envoy)?.saturating_sub(resident);
    ensure!(grown < 64 << 20, "Envoy grew by {} MiB", grown >> 20);
    let script = respond("200 OK", &[("content-type", "application/json")], b"{}");
    expect::ok(&scene.reply(script).await?)
}
