//! Redaction of answers without end: flat memory, and the proxy's ceiling.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan};
use requestrocket_integration_tests::machine::resident_bytes;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::answer::{chunked_head, last_chunk};
use requestrocket_integration_tests::target::{Gate, Script, Step, chunk_bytes};
use requestrocket_integration_tests::wait;
use requestrocket_integration_tests::wire::{Framing, Part, find};

use super::{SECRET, Scene};
use crate::expect;

const MEBIBYTE: u64 = 1 << 20;
const BODY: u64 = 200 * MEBIBYTE;
/// What Envoy may grow by, far below the body.
const FLAT: u64 = 32 * MEBIBYTE;

/// `[` element, element … `]`, about that many bytes.
fn endless(bytes: u64) -> Script {
    let element = format!(r#"{{"s":"{SECRET}","a":"{}"}},"#, "x".repeat(900));
    let block = element.repeat(60);
    let block: Bytes = chunk_bytes(block.as_bytes());
    let times = bytes / block.len() as u64;
    Script::AfterRequest(vec![
        chunked_head("application/json"),
        Step::Send(chunk_bytes(b"[")),
        Step::Repeat(block, times),
        Step::Send(chunk_bytes(b"0]")),
        last_chunk(),
    ])
}

#[tokio::test]
async fn two_hundred_megabytes_are_redacted_while_envoy_stays_flat() -> Result<()> {
    let stack = Stack::start(&[]).await?;
    let plan = |plan: ProxyPlan| plan.with("proxyMaxResponseBytes", 2 * BODY);
    let scene = Scene::at(Gateway::of(&stack)?, plan).await?;
    scene.gateway.destroy(&scene.proxy, &["$[*].s"]).await?;
    let envoy = stack.envoy_pid()?;
    expect::ok(&scene.reply(endless(MEBIBYTE)).await?)?;
    let before = resident_bytes(envoy)?;
    scene.plays(endless(BODY));
    let mut connection = scene.gateway.connect().await?;
    connection.send(&scene.proxy.get("/").bytes()).await?;
    let reply = connection.answer_head().await?.context("closed")?;
    expect::granted(&reply)?;
    let mut framing = reply.head.framing(Framing::UntilClose);
    let (mut received, mut highest) = (0_u64, before);
    let read = async {
        loop {
            match connection.part(&mut framing).await? {
                Part::Data(data) => {
                    ensure!(
                        find(&data, SECRET.as_bytes()).is_none(),
                        "the secret passed"
                    );
                    received += data.len() as u64;
                    highest = highest.max(resident_bytes(envoy)?);
                }
                Part::End(_) => return Ok(()),
                Part::Cut => bail!("the body was cut"),
            }
        }
    };
    wait::within(Duration::from_mins(3), "the body", read).await?;
    ensure!(received > BODY / 100 * 90, "{received} bytes came");
    let grown = highest.saturating_sub(before);
    ensure!(grown < FLAT, "Envoy grew by {} MiB", grown / MEBIBYTE);
    Ok(())
}

/// Streamed redaction needs no hold, so what is longer is cut, in decoded bytes.
#[tokio::test]
async fn a_redacted_body_above_the_ceiling_is_cut() -> Result<()> {
    let scene = Scene::with(|plan| plan.with("proxyMaxResponseBytes", MEBIBYTE)).await?;
    scene.gateway.destroy(&scene.proxy, &["$[*].s"]).await?;
    let gate = Gate::default();
    let mut steps = vec![
        chunked_head("application/json"),
        Step::Send(chunk_bytes(b"[1,")),
        Step::Wait(gate.clone()),
    ];
    let Script::AfterRequest(rest) = endless(4 * MEBIBYTE) else {
        bail!("another script")
    };
    steps.extend(rest.into_iter().skip(2));
    scene.plays(Script::AfterRequest(steps));
    let mut connection = scene.gateway.connect().await?;
    connection.send(&scene.proxy.get("/").bytes()).await?;
    // The head is out before there is too much.
    let reply = connection.answer_head().await?.context("closed")?;
    expect::granted(&reply)?;
    gate.open();
    let mut framing = reply.head.framing(Framing::UntilClose);
    let mut received = 0;
    loop {
        match connection.part(&mut framing).await? {
            Part::Data(data) => {
                ensure!(
                    find(&data, SECRET.as_bytes()).is_none(),
                    "the secret passed"
                );
                received += data.len() as u64;
            }
            Part::End(_) => bail!("the body came whole"),
            Part::Cut => break,
        }
    }
    ensure!(received <= MEBIBYTE, "{received} bytes passed");
    let reply = scene.reply(endless(MEBIBYTE / 2)).await?;
    expect::ok(&reply)
}

/// As long as the head is held, what is too long is refused.
#[tokio::test]
async fn too_much_at_once_is_413_or_cut() -> Result<()> {
    let scene = Scene::with(|plan| plan.with("proxyMaxResponseBytes", MEBIBYTE / 8)).await?;
    scene.gateway.destroy(&scene.proxy, &["$[*].s"]).await?;
    let reply = scene.reply(endless(4 * MEBIBYTE)).await?;
    if reply.status == 200 {
        ensure!(!reply.complete, "the body came whole");
        ensure!(
            reply.body.len() as u64 <= MEBIBYTE / 8,
            "{} bytes",
            reply.body.len()
        );
        return Ok(());
    }
    expect::too_large(&reply)
}
