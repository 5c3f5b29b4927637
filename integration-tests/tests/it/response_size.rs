//! `proxyMaxResponseBytes`: what is longer is refused while that can be said, and cut after.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::codings::gzip;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use requestrocket_integration_tests::target::answer::{chunked_head, last_chunk};
use requestrocket_integration_tests::target::{
    Script, Step, Target, chunk_bytes, head, respond, send,
};
use serde_json::json;

use crate::expect;

const LIMIT: u64 = 64 << 10;

/// A proxy that allows 64 KiB to a target that answers by the path: kind and length.
async fn scene(plan: impl FnOnce(ProxyPlan) -> ProxyPlan) -> Result<(Gateway, Target, Proxy)> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let mut words = request.path().trim_start_matches('/').split('/');
        let kind = words.next().unwrap_or("").to_owned();
        let length = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        answer(&kind, length)
    })
    .await?;
    let all = ProxyPlan::to(&target.url()).with("proxyMaxResponseBytes", LIMIT);
    let proxy = gateway.proxy(&plan(all)).await?;
    Ok((gateway, target, proxy))
}

fn answer(kind: &str, length: u64) -> Script {
    let text = length.to_string();
    let octets = "application/octet-stream";
    Script::AfterRequest(match kind {
        "declared" => vec![
            head(
                "200 OK",
                &[("content-type", octets), ("content-length", &text)],
            ),
            Step::Filler(length),
        ],
        "error" => vec![
            head(
                "500 X",
                &[("content-type", octets), ("content-length", &text)],
            ),
            Step::Filler(length),
        ],
        "undeclared" | "events" => {
            let block = chunk_bytes(&[b'.'; 1024]);
            let content_type = if kind == "events" {
                "text/event-stream"
            } else {
                octets
            };
            let rest = vec![b'.'; usize::try_from(length % 1024).unwrap_or(0)];
            let mut steps = vec![
                chunked_head(content_type),
                Step::Repeat(block, length / 1024),
            ];
            if !rest.is_empty() {
                steps.push(send(chunk_bytes(&rest)));
            }
            steps.push(last_chunk());
            steps
        }
        // What says both is wrong (RFC 9112, 6.3).
        "contradicting" => vec![
            head(
                "200 OK",
                &[
                    ("content-type", octets),
                    ("content-length", "10"),
                    ("transfer-encoding", "chunked"),
                ],
            ),
            Step::Repeat(chunk_bytes(&[b'.'; 1024]), length / 1024),
            last_chunk(),
        ],
        "until-close" => vec![
            head(
                "200 OK",
                &[("content-type", octets), ("connection", "close")],
            ),
            Step::Filler(length),
            Step::Close,
        ],
        "head-only" => vec![head("200 OK", &[("content-length", &text)])],
        _ => return respond("200 OK", &[], b"{}"),
    })
}

#[tokio::test]
async fn a_declared_length_above_the_limit_is_413() -> Result<()> {
    let (gateway, _target, proxy) = scene(|plan| plan).await?;
    for (length, is_allowed) in [
        (0, true),
        (LIMIT - 1, true),
        (LIMIT, true),
        (LIMIT + 1, false),
        (LIMIT * 100, false),
    ] {
        for kind in ["declared", "error"] {
            let reply = gateway
                .call(&proxy.get(&format!("/{kind}/{length}")))
                .await?;
            if is_allowed {
                expect::granted(&reply).with_context(|| format!("{kind} {length}"))?;
                ensure!(
                    reply.body.len() as u64 == length && reply.complete,
                    "{kind} {length}"
                );
            } else {
                expect::too_large(&reply).with_context(|| format!("{kind} {length}"))?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_short_length_beside_chunks_is_no_way_round_the_limit() -> Result<()> {
    let (gateway, _target, proxy) = scene(|plan| plan).await?;
    for length in [LIMIT + 1_024, LIMIT * 4] {
        let call = proxy.get(&format!("/contradicting/{length}"));
        let reply = gateway.call(&call).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").with_context(|| length.to_string())?;
    }
    Ok(())
}

#[tokio::test]
async fn an_undeclared_body_is_cut_at_the_limit() -> Result<()> {
    let (gateway, _target, proxy) = scene(|plan| plan).await?;
    for kind in ["undeclared", "until-close"] {
        for length in [1_000, LIMIT] {
            let reply = gateway
                .call(&proxy.get(&format!("/{kind}/{length}")))
                .await?;
            expect::ok(&reply).with_context(|| format!("{kind} {length}"))?;
            ensure!(
                reply.body.len() as u64 == length,
                "{kind} {length}: {}",
                reply.body.len()
            );
        }
        for length in [LIMIT + 1, LIMIT * 4, LIMIT * 200] {
            let reply = gateway.call(&proxy.get(&format!("/{kind}/{length}"))).await;
            // The cut may come before the head is out.
            let Ok(reply) = reply else { continue };
            ensure!(!reply.complete, "{kind} {length} came whole");
            ensure!(
                reply.body.len() as u64 <= LIMIT,
                "{kind} {length}: {} bytes",
                reply.body.len()
            );
        }
    }
    Ok(())
}

/// Streams have no ceiling, and what has no body is never too long.
#[tokio::test]
async fn streams_and_heads_have_no_ceiling() -> Result<()> {
    let (gateway, _target, proxy) = scene(|plan| plan).await?;
    let length = LIMIT * 5;
    let reply = gateway
        .call(&proxy.get(&format!("/events/{length}")))
        .await?;
    expect::ok(&reply)?;
    ensure!(
        reply.body.len() as u64 == length,
        "{} bytes",
        reply.body.len()
    );
    let call = proxy.request("HEAD", &format!("/head-only/{length}"));
    let reply = gateway.call(&call).await?;
    expect::ok(&reply)?;
    ensure!(reply.header("content-length")? == length.to_string());
    Ok(())
}

/// Wire bytes for what passes as it is.
#[tokio::test]
async fn coded_bodies_count_as_they_are_sent() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let body = gzip(&vec![b' '; 4 << 20])?;
    ensure!((body.len() as u64) < LIMIT, "no good example");
    let sent = body.clone();
    let target =
        Target::answering(move |_| respond("200 OK", &[("content-encoding", "gzip")], &sent))
            .await?;
    let plan = ProxyPlan::to(&target.url()).with("proxyMaxResponseBytes", LIMIT);
    let proxy = gateway.proxy(&plan).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::ok(&reply)?;
    ensure!(reply.body == body, "changed");
    Ok(())
}

/// What was cut was admitted: it counts.
#[tokio::test]
async fn an_answer_that_is_too_long_is_metered() -> Result<()> {
    let (gateway, _target, proxy) = scene(|plan| plan).await?;
    let meter = json!({ "meterName": "all", "meterType": "request_count" });
    let meter = gateway.meter(&proxy, &meter).await?;
    for kind in ["declared", "undeclared"] {
        // Cut or refused: what the caller gets of it is tested above.
        drop(
            gateway
                .call(&proxy.get(&format!("/{kind}/{}", LIMIT * 4)))
                .await,
        );
    }
    requestrocket_integration_tests::wait::until("both to be counted", || async {
        Ok((gateway.used(&proxy, &meter, "day").await? > 1.5).then_some(()))
    })
    .await
}

/// The limit is the proxy's, and can be changed while it serves.
#[tokio::test]
async fn the_limit_can_be_raised() -> Result<()> {
    let (gateway, _target, proxy) = scene(|plan| plan).await?;
    let call = proxy.get(&format!("/declared/{}", LIMIT * 2));
    expect::too_large(&gateway.call(&call).await?)?;
    let path = format!("proxies/{}", proxy.id);
    let raised = json!({ "proxyMaxResponseBytes": LIMIT * 2 });
    gateway.api.applied("PATCH", &path, &raised).await?;
    expect::ok(&gateway.call(&call).await?)?;
    let undeclared = proxy.get(&format!("/undeclared/{}", LIMIT * 2));
    expect::ok(&gateway.call(&undeclared).await?)
}
