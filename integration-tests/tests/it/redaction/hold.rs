//! Paths that a stream cannot decide: the whole body is held back first.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::codings::gzip;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan};
use requestrocket_integration_tests::target::answer::{chunked, coded, json as of_json};
use requestrocket_integration_tests::target::{Script, chunk_bytes, head, send};

use super::{Pairs, SECRET, Scene, check, destroy, retain};
use crate::expect;

#[tokio::test]
async fn paths_that_look_ahead_are_decided_on_the_whole_document() -> Result<()> {
    let scene = Scene::start().await?;
    let destroyed: &[(&[&str], Pairs)] = &[
        (
            &["$[-1]"],
            &[("[1,2,3]", "[1,2]"), ("[]", "[]"), ("{}", "{}")],
        ),
        (&["$[-2:]"], &[("[1,2,3,4]", "[1,2]")]),
        (&["$[::-2]"], &[("[0,1,2,3,4]", "[1,3]")]),
        (
            &["$[?@.secret == true].v"],
            &[(
                r#"[{"v":1,"secret":true},{"v":2,"secret":false}]"#,
                r#"[{"secret":true},{"v":2,"secret":false}]"#,
            )],
        ),
        (
            &["$.users[?@.age < 18]"],
            &[(
                r#"{"users":[{"age":17,"n":"a"},{"age":18,"n":"b"}]}"#,
                r#"{"users":[{"age":18,"n":"b"}]}"#,
            )],
        ),
        (
            &["$..[?@.kind == 'card'].number"],
            &[(
                r#"{"p":[{"number":1.00,"kind":"card"},{"number":2,"kind":"iban"}]}"#,
                r#"{"p":[{"kind":"card"},{"number":2,"kind":"iban"}]}"#,
            )],
        ),
    ];
    for (paths, pairs) in destroyed {
        check(&scene, &destroy(paths), pairs).await?;
    }
    let retained: &[(&[&str], Pairs)] = &[
        (&["$[-1]"], &[("[1,2,3]", "[3]")]),
        (
            &["$.a[?@.ok].id"],
            &[(
                r#"{"a":[{"id":1,"ok":1},{"id":2}],"b":3}"#,
                r#"{"a":[{"id":1}]}"#,
            )],
        ),
    ];
    for (paths, pairs) in retained {
        check(&scene, &retain(paths), pairs).await?;
    }
    Ok(())
}

fn document(bytes: usize) -> String {
    let before = format!(r#"{{"list":[{{"s":"{SECRET}","hide":1}}],"fill":""#);
    let fill = "f".repeat(bytes - before.len() - 2);
    format!("{before}{fill}\"}}")
}

async fn holding(max_response_bytes: u64) -> Result<Scene> {
    let gateway = Gateway::shared_for_much().await?;
    let plan = |plan: ProxyPlan| plan.with("proxyMaxResponseBytes", max_response_bytes);
    let scene = Scene::at(gateway, plan).await?;
    scene
        .filter(Layer::Proxy, &destroy(&["$.list[?@.hide == 1].s"]))
        .await?;
    Ok(scene)
}

/// Far beyond what Envoy keeps by itself, with every framing, and with trailers.
#[tokio::test]
async fn large_bodies_are_held_whole() -> Result<()> {
    let scene = holding(6 << 20).await?;
    for bytes in [1_000, 1 << 20, (6 << 20) - 1, 6 << 20] {
        let body = document(bytes);
        let pieces: Vec<&[u8]> = body.as_bytes().chunks(30_000).collect();
        let headers = [
            ("content-type", "application/json"),
            ("transfer-encoding", "chunked"),
        ];
        let mut steps = vec![head("200 OK", &headers)];
        steps.extend(pieces.iter().map(|piece| send(chunk_bytes(piece))));
        steps.push(send("0\r\nx-sum: 7\r\n\r\n"));
        for script in [
            of_json(&body),
            chunked("application/json", &pieces),
            Script::AfterRequest(steps),
        ] {
            let reply = scene
                .reply(script)
                .await
                .with_context(|| bytes.to_string())?;
            expect::ok(&reply).with_context(|| bytes.to_string())?;
            ensure!(
                reply
                    .text()
                    .starts_with(r#"{"list":[{"hide":1}],"fill":"f"#),
                "{bytes}"
            );
            ensure!(
                reply.body.len() == bytes - SECRET.len() - 7,
                "{bytes}: {}",
                reply.body.len()
            );
        }
    }
    Ok(())
}

/// What has to be held and is too long is 413, declared or not, in decoded bytes.
#[tokio::test]
async fn what_is_too_long_to_hold_is_413() -> Result<()> {
    let scene = holding(64 << 10).await?;
    let body = document((64 << 10) + 1);
    let pieces: Vec<&[u8]> = body.as_bytes().chunks(1_000).collect();
    let coded = coded("gzip", gzip(body.as_bytes())?);
    for (name, script) in [
        ("declared", of_json(&body)),
        ("undeclared", chunked("application/json", &pieces)),
        ("coded", coded),
    ] {
        let reply = scene.reply(script).await?;
        expect::too_large(&reply).context(name)?;
    }
    let reply = scene.reply(of_json(document(64 << 10))).await?;
    expect::ok(&reply)
}

#[tokio::test]
async fn an_invalid_body_that_is_held_is_422_and_nothing_of_it_leaves() -> Result<()> {
    let scene = holding(6 << 20).await?;
    let whole = document(2_000);
    let cut = whole.trim_end_matches('}');
    for body in [
        cut.to_owned(),
        format!("{whole}x"),
        format!("{whole}{whole}"),
        whole.replace("\"fill\"", "fill"),
        format!("\u{1}{whole}"),
    ] {
        for script in [of_json(&body), chunked("application/json", &[&body])] {
            expect::not_filterable(&scene.reply(script).await?).context(body.clone())?;
        }
    }
    Ok(())
}

/// Stages that stream and a stage that holds, together.
#[tokio::test]
async fn a_held_stage_sees_what_the_streamed_ones_left() -> Result<()> {
    let scene = Scene::start().await?;
    scene
        .filter(Layer::TargetCredential, &destroy(&["$[0]"]))
        .await?;
    scene.filter(Layer::Target, &destroy(&["$[-1]"])).await?;
    scene.filter(Layer::Proxy, &destroy(&["$[0]"])).await?;
    ensure!(scene.redacted("[0,1,2,3]").await? == "[2]");
    Ok(())
}
