//! Rules on the JSON body of a request: a body that cannot be read lets nothing pass.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::codings::{self, bomb, encode, gzip};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan};
use requestrocket_integration_tests::http2;
use serde_json::{Value, json};

use super::Scene;
use crate::expect;

/// What a body that no condition can be decided on is denied by.
const UNREADABLE: &str = "unreadable-body";

const FORBIDDEN: &str = r#"{"model":"gpt-4"}"#;
const OTHER: &str = r#"{"model":"other"}"#;

fn on_model(effect: &str) -> Value {
    json!({
        "effect": effect,
        "path": { "pattern": "^/chat" },
        "body": [{ "path": "$.model", "value": { "pattern": "^gpt" } }],
    })
}

fn post(scene: &Scene, body: impl Into<Vec<u8>>) -> Request {
    let call = scene.proxy.request("POST", "/chat");
    call.with("content-type", "application/json")
        .body(body.into())
}

async fn denying() -> Result<(Scene, String)> {
    let scene = Scene::start().await?;
    let rule = scene.rule(Layer::Proxy, &on_model("deny")).await?;
    Ok((scene, rule))
}

#[tokio::test]
async fn no_spelling_of_a_body_gets_past_a_deny_rule() -> Result<()> {
    let (scene, rule) = denying().await?;
    for body in [
        FORBIDDEN,
        " \r\n\t{ \"model\" : \"gpt-4\" } \n",
        r#"{"model":"other","model":"gpt-4"}"#,
        r#"{"model":"gpt-4","model":"other"}"#,
        r#"{"\u006dodel":"gpt-4"}"#,
        r#"{"model":"\u0067\u0070t"}"#,
        r#"{"a":[{"model":1}],"model":"gpt"}"#,
    ] {
        for content_type in [
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
            "x",
        ] {
            let call = scene.proxy.request("POST", "/chat");
            let call = call.with("content-type", content_type).body(body);
            scene
                .denied(&call, Layer::Proxy, &rule)
                .await
                .context(body)?;
        }
        let untyped = scene.proxy.request("POST", "/chat").body(body);
        scene
            .denied(&untyped, Layer::Proxy, &rule)
            .await
            .context(body)?;
        let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
        let chunked = scene.proxy.request("POST", "/chat").chunks(&bytes);
        scene
            .denied(&chunked, Layer::Proxy, &rule)
            .await
            .context(body)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_coded_body_is_decoded_for_the_rule_and_sent_as_it_came() -> Result<()> {
    let (scene, rule) = denying().await?;
    for coding in codings::ALL {
        let call = post(&scene, encode(coding, FORBIDDEN.as_bytes())?);
        let call = call.with("content-encoding", coding);
        scene
            .denied(&call, Layer::Proxy, &rule)
            .await
            .context(coding)?;
        let coded = encode(coding, OTHER.as_bytes())?;
        let call = post(&scene, coded.clone()).with("content-encoding", coding);
        scene.passes(&call).await.context(coding)?;
        let seen = scene.target.last()?;
        ensure!(seen.body == coded, "{coding}: the body was changed");
        ensure!(
            seen.head.all("content-encoding") == [coding],
            "{:?}",
            seen.head
        );
    }
    Ok(())
}

/// What looks random, the same every time (xorshift).
fn binary(start: &[u8], length: usize, state: &mut u64) -> Vec<u8> {
    let mut body = start.to_vec();
    for _ in 0..length {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        body.extend(state.to_le_bytes().first());
    }
    body
}

/// Bodies that claim nothing: binaries pass, and members for lenient readers do not.
#[tokio::test]
async fn uploads_pass_and_hide_no_member() -> Result<()> {
    let (scene, _) = denying().await?;
    let upload = |body: Vec<u8>| {
        let call = scene.proxy.request("POST", "/chat");
        call.with("content-type", "application/octet-stream")
            .body(body)
    };
    let mut state = 1;
    for n in 0..300 {
        let start: &[u8] = [&b""[..], b"{", b"[", b"\"", b"{\\rtf1\\ansi{"][n % 5];
        let body = binary(start, 1 + 37 * n, &mut state);
        scene
            .passes(&upload(body))
            .await
            .with_context(|| format!("upload {n}"))?;
    }
    for body in [
        &b"{} {\"model\":\"gpt-4\"}"[..],
        b"{'model':'gpt-4'}",
        b"{model:'gpt-4'}",
        b"/* x */{\"model\":\"gpt-4\"}",
        b"{/* ' */\"model\"/* : */:\"gpt-4\"/* ' */}",
        b"{\"m\\x6fdel\":\"gpt-4\"}",
        b"{\"mo\xffdel\":\"gpt-4\"}",
        b"\xff{\"model\":\"gpt-4\"}",
        b"\xef\xbb\xbf{\"model\":\"gpt-4\"}",
        b"{\0\"\0m\0o\0d\0e\0l\0\"\0:\0\"\0g\0\"\0}\0",
        b"\x1e{\"model\":\"gpt-4\"}",
    ] {
        scene
            .denied(&upload(body.to_vec()), Layer::Proxy, UNREADABLE)
            .await
            .with_context(|| String::from_utf8_lossy(body).into_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_is_denied() -> Result<()> {
    let (scene, _) = denying().await?;
    let utf16: Vec<u8> = FORBIDDEN
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let half = &gzip(FORBIDDEN.as_bytes())?[..12];
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("", br#"{"model":"other"}{"model":"gpt-4"}"#.to_vec()),
        (
            "",
            b"{\"model\":\"other\"}\n{\"model\":\"gpt-4\"}\n".to_vec(),
        ),
        ("", br#"{"model":"other"} x"#.to_vec()),
        ("", br#"{"model":"other""#.to_vec()),
        ("", br#"{"model":"other",}"#.to_vec()),
        ("", br"{'model':'gpt-4'}".to_vec()),
        ("", br"{model:1}".to_vec()),
        ("", b"{\"model\":\"gpt\xff\"}".to_vec()),
        ("", b"{\"model\":\"\xc0\xaf\"}".to_vec()),
        ("", b"hello".to_vec()),
        ("", b"NaN".to_vec()),
        ("", utf16),
        ("", deep.into_bytes()),
        ("gzip", half.to_vec()),
        ("gzip", FORBIDDEN.as_bytes().to_vec()),
        ("br", vec![0xff; 40]),
        ("zstd", b"not zstd".to_vec()),
        ("compress", FORBIDDEN.as_bytes().to_vec()),
        ("aes128gcm", vec![1; 40]),
        ("x-own", FORBIDDEN.as_bytes().to_vec()),
    ];
    for (coding, body) in bodies {
        let label = format!(
            "{coding} {}",
            body.escape_ascii().to_string().get(..40).unwrap_or("")
        );
        let mut call = post(&scene, body);
        if !coding.is_empty() {
            call = call.with("content-encoding", coding);
        }
        scene
            .denied(&call, Layer::Proxy, UNREADABLE)
            .await
            .context(label)?;
    }
    Ok(())
}

/// Readers differ in whether they skip it: either reading is denied.
#[tokio::test]
async fn a_byte_order_mark_hides_nothing() -> Result<()> {
    let (scene, _) = denying().await?;
    let before = scene.target.count();
    let reply = scene
        .gateway
        .call(&post(&scene, format!("\u{feff}{FORBIDDEN}")))
        .await?;
    expect::denied(&reply, 403, "RULE_DENIED")?;
    ensure!(scene.target.count() == before, "the target was asked");
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_no_json_and_does_not_claim_to_be_has_no_nodes() -> Result<()> {
    let (scene, _) = denying().await?;
    for (content_type, body) in [
        ("text/plain", "hello"),
        ("application/x-www-form-urlencoded", "model=gpt-4"),
        ("application/octet-stream", "\u{1}\u{2}"),
        ("application/xml", "<model>gpt-4</model>"),
        ("application/json", ""),
    ] {
        let call = scene.proxy.request("POST", "/chat");
        let call = call.with("content-type", content_type).body(body);
        scene.passes(&call).await.context(content_type)?;
        ensure!(
            scene.target.last()?.body == body.as_bytes(),
            "{content_type}: changed"
        );
    }
    scene.passes(&scene.proxy.get("/chat")).await?;
    Ok(())
}

/// Only when the condition would be evaluated.
#[tokio::test]
async fn a_rule_that_does_not_get_to_its_body_condition_minds_no_body() -> Result<()> {
    let (scene, rule) = denying().await?;
    let garbage = b"{\"model\":".to_vec();
    let elsewhere = scene.proxy.request("POST", "/other");
    let elsewhere = elsewhere
        .with("content-type", "application/json")
        .body(garbage.clone());
    scene.passes(&elsewhere).await?;
    // A rule of higher priority decides before it.
    let first = json!({ "effect": "allow", "priority": 900, "path": { "pattern": "^/chat" } });
    scene.rule(Layer::Proxy, &first).await?;
    scene.passes(&post(&scene, garbage)).await?;
    scene.passes(&post(&scene, FORBIDDEN)).await?;
    let path = format!("proxies/{}/rules/{rule}", scene.proxy.id);
    let higher = json!({ "priority": 901 });
    scene.gateway.api.applied("PATCH", &path, &higher).await?;
    scene
        .denied(&post(&scene, FORBIDDEN), Layer::Proxy, &rule)
        .await
}

/// Path, value, document, whether a deny rule and whether an allow rule matches.
type Case = (&'static str, Option<&'static str>, &'static str, bool, bool);

/// Occurrences and what a value says, on nodes.
#[tokio::test]
async fn nodes() -> Result<()> {
    let scene = Scene::start().await?;
    let cases: &[Case] = &[
        ("$.a", None, r#"{"a":null}"#, true, true),
        ("$.a", None, r#"{"b":1}"#, false, false),
        ("$.a", Some("^12$"), r#"{"a":12}"#, true, true),
        ("$.a", Some("^1\\.0e\\+2$"), r#"{"a":1.0e+2}"#, true, true),
        ("$.a", Some("^true$"), r#"{"a":true}"#, true, true),
        ("$.a", Some("^null$"), r#"{"a":null}"#, true, true),
        ("$.a", Some("^x\"y$"), r#"{"a":"x\"y"}"#, true, true),
        (
            "$.a",
            Some(r#"^\{"b": 1\}$"#),
            r#"{"a":{"b": 1}}"#,
            true,
            true,
        ),
        ("$.a[*]", Some("^x$"), r#"{"a":["x","y"]}"#, true, false),
        ("$.a[*]", Some("^x$"), r#"{"a":["x","x"]}"#, true, true),
        ("$.a[-1]", Some("^y$"), r#"{"a":["x","y"]}"#, true, true),
        (
            "$..k",
            Some("^x$"),
            r#"[{"k":"x"},{"k":["x"]}]"#,
            true,
            false,
        ),
        ("$.a", Some("^x$"), r#"{"a":"x","a":"y"}"#, true, false),
        (
            "$[?@.n > 3].m",
            Some("^x$"),
            r#"[{"n":4,"m":"x"},{"n":1,"m":"y"}]"#,
            true,
            true,
        ),
    ];
    for (path, value, document, denies, allows) in cases {
        let mut node = json!({ "path": path });
        if let Some(value) = value {
            node["value"] = json!({ "pattern": value });
        }
        let call = post(&scene, *document);
        let conditions = json!({ "body": [node] });
        scene
            .stops(&conditions, &vec![(call.clone(), *denies)])
            .await?;
        scene.lets_pass(&conditions, &vec![(call, *allows)]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_absent_node_is_a_condition_too() -> Result<()> {
    let scene = Scene::start().await?;
    let conditions = json!({ "body": [{ "path": "$.user", "presence": "absent" }] });
    let calls = vec![
        (post(&scene, r#"{"model":"x"}"#), true),
        (post(&scene, r#"{"user":"x"}"#), false),
        (scene.proxy.get("/"), true),
    ];
    scene.matches(&conditions, &calls).await
}

#[tokio::test]
async fn body_rules_hold_on_every_layer() -> Result<()> {
    let scene = Scene::start().await?;
    for layer in Layer::ALL {
        let rule = scene.rule(layer, &on_model("deny")).await?;
        scene.denied(&post(&scene, FORBIDDEN), layer, &rule).await?;
        scene.denied(&post(&scene, "{"), layer, UNREADABLE).await?;
        scene.passes(&post(&scene, OTHER)).await?;
        let path = format!("{}/rules/{rule}", scene.proxy.record(layer));
        scene.gateway.detach(&path).await?;
    }
    Ok(())
}

fn document(bytes: usize) -> Vec<u8> {
    let (before, after) = (r#"{"model":"other","fill":""#, r#""}"#);
    let fill = "f".repeat(bytes - before.len() - after.len());
    format!("{before}{fill}{after}").into_bytes()
}

#[tokio::test]
async fn a_body_longer_than_may_be_inspected_is_413() -> Result<()> {
    let scene = Scene::at(Gateway::shared_for_much().await?, |plan| plan).await?;
    scene.rule(Layer::Proxy, &on_model("deny")).await?;
    let mebibyte = 1 << 20;
    scene.passes(&post(&scene, document(mebibyte))).await?;
    ensure!(
        scene.target.last()?.body_length == mebibyte as u64,
        "not whole"
    );
    for longer in [mebibyte + 1, 3 * mebibyte, 20 * mebibyte] {
        let before = scene.target.count();
        let reply = scene.gateway.call(&post(&scene, document(longer))).await?;
        expect::denied(&reply, 413, "REQUEST_TOO_LARGE").with_context(|| longer.to_string())?;
        let body = document(longer);
        let pieces: Vec<&[u8]> = body.chunks(50_000).collect();
        let chunked = scene.proxy.request("POST", "/chat").chunks(&pieces);
        let reply = scene.gateway.call(&chunked).await?;
        expect::denied(&reply, 413, "REQUEST_TOO_LARGE").with_context(|| longer.to_string())?;
        ensure!(scene.target.count() == before, "the target was asked");
    }
    // Without a condition on it the same body passes.
    let elsewhere = scene
        .proxy
        .request("POST", "/other")
        .body(document(3 * mebibyte));
    scene.passes(&elsewhere).await?;
    Ok(())
}

#[tokio::test]
async fn the_ceiling_is_the_proxys() -> Result<()> {
    let mebibyte = 1 << 20;
    let plan = |plan: ProxyPlan| plan.with("proxyMaxInspectedBytes", 16 * mebibyte);
    let scene = Scene::at(Gateway::shared_for_much().await?, plan).await?;
    let rule = scene.rule(Layer::Proxy, &on_model("deny")).await?;
    for bytes in [3 * mebibyte, 16 * mebibyte] {
        let reply = scene.gateway.call(&post(&scene, document(bytes))).await?;
        expect::granted(&reply)?;
        ensure!(
            scene.target.last()?.body_length == bytes as u64,
            "not whole"
        );
        let forbidden = [&document(bytes)[..bytes - 1], br#","model":"gpt"}"#].concat();
        let reply = scene.gateway.call(&post(&scene, forbidden)).await?;
        let code = reply.code();
        if bytes == 3 * mebibyte {
            expect::rule_denied(&reply, Layer::Proxy, &rule)?;
        } else {
            ensure!(code == "REQUEST_TOO_LARGE", "{code}");
        }
    }
    let small = Scene::with(|plan| plan.with("proxyMaxInspectedBytes", 1024)).await?;
    small.rule(Layer::Proxy, &on_model("deny")).await?;
    small.passes(&post(&small, document(1024))).await?;
    let reply = small.gateway.call(&post(&small, document(1025))).await?;
    expect::denied(&reply, 413, "REQUEST_TOO_LARGE")
}

#[tokio::test]
async fn a_bomb_is_refused_without_being_unpacked() -> Result<()> {
    let (scene, _) = denying().await?;
    let before = scene.target.count();
    let coded = bomb(br#"{"model":"other","fill":""#, 200, br#""}"#)?;
    ensure!(coded.len() < 1 << 20, "no bomb");
    let reply = scene
        .gateway
        .call(&post(&scene, coded).with("content-encoding", "gzip"))
        .await?;
    let code = reply.code();
    ensure!(
        matches!(
            (reply.status, code.as_str()),
            (413, "REQUEST_TOO_LARGE") | (403, "RULE_DENIED")
        ),
        "{} {code}",
        reply.status
    );
    ensure!(scene.target.count() == before, "the target was asked");
    scene.passes(&post(&scene, OTHER)).await?;
    Ok(())
}

/// A rule that does not ask for the body leaves it streaming.
#[tokio::test]
async fn a_body_is_held_back_only_for_a_rule_that_matches_so_far() -> Result<()> {
    let (scene, _) = denying().await?;
    let mut connection = scene.gateway.connect().await?;
    let call = scene
        .proxy
        .request("POST", "/other")
        .with("content-length", "10");
    connection.send(&call.bytes()).await?;
    connection.send(b"first").await?;
    scene
        .target
        .wait_for("the body so far", |seen| seen.body_length == 5)
        .await?;
    connection.send(b"rest.").await?;
    let reply = connection.answer("POST").await?.context("closed")?;
    expect::ok(&reply)?;

    // And for one that does, the target hears nothing before it is complete.
    let before = scene.target.count();
    let call = scene
        .proxy
        .request("POST", "/chat")
        .with("content-length", "17");
    connection.send(&call.bytes()).await?;
    connection.send(&OTHER.as_bytes()[..10]).await?;
    // A later call is answered meanwhile: the first one has been in the filter by then.
    scene.passes(&scene.proxy.get("/")).await?;
    ensure!(
        scene.target.count() == before + 1,
        "the target was asked too early"
    );
    connection.send(&OTHER.as_bytes()[10..]).await?;
    expect::ok(&connection.answer("POST").await?.context("closed")?)?;
    ensure!(scene.target.last()?.body == OTHER.as_bytes());
    Ok(())
}

#[tokio::test]
async fn trailers_and_100_continue_go_with_an_inspected_body() -> Result<()> {
    let (scene, rule) = denying().await?;
    for (body, is_denied) in [(OTHER, false), (FORBIDDEN, true)] {
        let size = body.len();
        let text = format!(
            "POST {} HTTP/1.1\r\nhost: g\r\nauthorization: {}\r\ntransfer-encoding: chunked\r\n\
             trailer: x-sum\r\n\r\n{size:x}\r\n{body}\r\n0\r\nx-sum: 7\r\n\r\n",
            scene.proxy.path("/chat"),
            scene.proxy.authorization,
        );
        let reply = scene
            .gateway
            .raw("POST", text.as_bytes())
            .await?
            .context("closed")?;
        if is_denied {
            expect::rule_denied(&reply, Layer::Proxy, &rule)?;
        } else {
            expect::ok(&reply)?;
            let seen = scene.target.last()?;
            ensure!(seen.trailers.lines.is_empty(), "{:?}", seen.trailers);
        }
    }
    let mut connection = scene.gateway.connect().await?;
    let call = scene
        .proxy
        .request("POST", "/chat")
        .with("expect", "100-continue");
    let call = call.with("content-length", FORBIDDEN.len().to_string());
    connection.send(&call.bytes()).await?;
    assert_eq!(connection.any_head().await?.word(1), "100");
    connection.send(FORBIDDEN.as_bytes()).await?;
    let reply = connection.answer("POST").await?.context("closed")?;
    expect::rule_denied(&reply, Layer::Proxy, &rule)
}

#[tokio::test]
async fn bodies_over_http2_are_inspected_too() -> Result<()> {
    let (scene, _) = denying().await?;
    let url = format!(
        "http://{}{}",
        scene.gateway.address,
        scene.proxy.path("/chat")
    );
    for (body, status) in [(OTHER, 200), (FORBIDDEN, 403), ("{", 403)] {
        let request = http::Request::post(&url)
            .header("authorization", &scene.proxy.authorization)
            .header("content-type", "application/json")
            .body(())?;
        let reply = http2::call(&scene.gateway.address, request, body.into()).await?;
        ensure!(reply.status == status, "{body}: {}", reply.status);
    }
    Ok(())
}

/// A caller that leaves in the middle of its body costs nothing and asks nobody.
#[tokio::test]
async fn a_caller_that_goes_away_asks_nobody() -> Result<()> {
    let (scene, _) = denying().await?;
    let before = scene.target.count();
    for _ in 0..20 {
        let mut connection = scene.gateway.connect().await?;
        let call = scene
            .proxy
            .request("POST", "/chat")
            .with("content-length", "17");
        connection.send(&call.bytes()).await?;
        connection.send(&OTHER.as_bytes()[..10]).await?;
        drop(connection);
    }
    scene.passes(&post(&scene, OTHER)).await?;
    ensure!(
        scene.target.count() == before + 1,
        "half a body reached the target"
    );
    Ok(())
}
