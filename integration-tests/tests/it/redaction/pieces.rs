//! Bodies that come in pieces, cut in the middle of tokens and characters.

use anyhow::{Context, Result, bail, ensure};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::answer::Pace;
use requestrocket_integration_tests::wire::{Framing, Part};

use super::{SECRET, Scene, destroy, retain};
use crate::expect;
use requestrocket_integration_tests::attached::Layer;

const DOCUMENT: &str =
    r#"{"a":"ä€😀\u00e4\ud83d\ude00","s":"SECRET","n":-12.50e+10,"t":[true,false,null,{"s":1}]}"#;

/// One worker: when a later call was answered, it has read what was sent before.
async fn scene(stack: &Stack) -> Result<Scene> {
    Scene::at(Gateway::of(stack)?, |plan| plan).await
}

/// What the caller gets of pieces that each were read before the next was sent.
async fn separately(scene: &Scene, pieces: &[&[u8]]) -> Result<Vec<u8>> {
    let pace = Pace::default();
    scene.plays(pace.chunked("application/json", pieces));
    let mut connection = scene.gateway.connect().await?;
    connection.send(&scene.proxy.get("/").bytes()).await?;
    for _ in pieces {
        pace.sent().await;
        scene.gateway.call(&Request::get("/api/nobody/")).await?;
        pace.go_on();
    }
    let reply = connection.answer("GET").await?.context("closed")?;
    expect::ok(&reply)?;
    Canary::new(SECRET).absent_from("the body", &reply.body)?;
    Ok(reply.body)
}

#[tokio::test]
async fn no_place_to_cut_lets_anything_through() -> Result<()> {
    let stack = Stack::start(&["--envoy-threads", "1"]).await?;
    let document = DOCUMENT.replace("SECRET", SECRET);
    let bytes = document.as_bytes();
    for (filter, wanted) in [
        (
            destroy(&["$..s"]),
            r#"{"a":"ä€😀\u00e4\ud83d\ude00","n":-12.50e+10,"t":[true,false,null,{}]}"#,
        ),
        (
            retain(&["$.n", "$.t[1]"]),
            r#"{"n":-12.50e+10,"t":[false]}"#,
        ),
    ] {
        let scene = scene(&stack).await?;
        scene.filter(Layer::Proxy, &filter).await?;
        for cut in 1..bytes.len() {
            let (before, after) = bytes.split_at(cut);
            let got = separately(&scene, &[before, after]).await?;
            ensure!(
                got == wanted.as_bytes(),
                "cut at {cut}: {}",
                String::from_utf8_lossy(&got)
            );
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let got = separately(&scene, &single).await?;
        ensure!(
            got == wanted.as_bytes(),
            "byte by byte: {}",
            String::from_utf8_lossy(&got)
        );
    }
    Ok(())
}

/// What is already decided does not wait for the rest.
#[tokio::test]
async fn a_redacted_answer_reaches_the_caller_before_it_is_complete() -> Result<()> {
    let scene = Scene::destroying(&["$[*].s"]).await?;
    let first = format!(r#"[{{"s":"{SECRET}","a":1}},"#);
    let pace = Pace::default();
    scene.plays(pace.chunked("application/json", &[first.as_bytes(), b"2]"]));
    let mut connection = scene.gateway.connect().await?;
    connection.send(&scene.proxy.get("/").bytes()).await?;
    let reply = connection.answer_head().await?.context("closed")?;
    expect::granted(&reply)?;
    let mut framing = reply.head.framing(Framing::UntilClose);
    let mut early = Vec::new();
    while early.len() < r#"[{"a":1}"#.len() {
        let Part::Data(data) = connection.part(&mut framing).await? else {
            bail!("the body ended")
        };
        early.extend_from_slice(&data);
    }
    ensure!(
        early.starts_with(br#"[{"a":1}"#),
        "{}",
        early.escape_ascii()
    );
    for _ in 0..2 {
        pace.sent().await;
        pace.go_on();
    }
    loop {
        match connection.part(&mut framing).await? {
            Part::Data(data) => early.extend_from_slice(&data),
            Part::End(_) => break,
            Part::Cut => bail!("the body was cut"),
        }
    }
    ensure!(early == br#"[{"a":1},2]"#, "{}", early.escape_ascii());
    Ok(())
}
