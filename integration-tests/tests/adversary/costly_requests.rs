//! Requests that cost, under rules that look into all of them: the caller and the admin of the
//! organisation are of one mind.

use anyhow::{Context, Result};
use bytes::Bytes;
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::codings::encode;
use requestrocket_integration_tests::gateway::Proxy;
use requestrocket_integration_tests::target::answer::json as of_json;
use serde_json::{Value, json};

use crate::attack::at_once;
use crate::scene::{Scene, sized};
use crate::witness::Witness;

/// As long as a body that rules look into may be.
const LONGEST: usize = 16 << 20;

/// A request passes, is denied, is too large, or costs too much.
const OUTCOMES: &[u16] = &[200, 400, 403, 413];

/// Matches only at the end of what it has to read to the end, from every place in it.
const HEAVY: &str = r"([a-z]{1,20} ?){1,8}!$";

/// Rules with their names, each for all four layers.
fn rules() -> [(&'static str, Value); 4] {
    let node = |path: &str| json!({ "path": path, "value": { "pattern": HEAVY } });
    let nodes = |paths: Vec<String>| paths.iter().map(|path| node(path)).collect::<Vec<_>>();
    let named = json!({ "name": { "pattern": HEAVY }, "value": { "pattern": HEAVY } });
    [
        (
            "a pattern on a long text",
            json!({ "effect": "deny", "body": [node("$.a")] }),
        ),
        (
            "a pattern on every value",
            json!({ "effect": "deny", "body": [node("$..*"), node("$..x")] }),
        ),
        (
            "25 conditions",
            json!({
                "effect": "deny",
                "body": nodes((0..25).map(|n| format!("$.a[?@.x > {n}]")).collect()),
            }),
        ),
        (
            "patterns on the head",
            json!({
                "effect": "deny",
                "path": { "pattern": HEAVY },
                "query": [named.clone()],
                "headers": [named],
            }),
        ),
    ]
}

/// Bodies with their names, almost as long as they may be.
fn bodies() -> [(&'static str, Vec<u8>); 5] {
    let array = |element: &str| {
        let times = LONGEST / (element.len() + 1) - 8;
        let others = format!(",{element}").repeat(times);
        format!(r#"{{"a":[{element}{others}]}}"#).into_bytes()
    };
    [
        (
            "one text",
            format!(r#"{{"a":"{}"}}"#, "word ".repeat(LONGEST / 5 - 8)).into_bytes(),
        ),
        (
            "one name",
            format!(r#"{{"{}":1}}"#, r"\u0041".repeat(LONGEST / 6 - 8)).into_bytes(),
        ),
        ("small values", array("1")),
        ("small objects", array(r#"{"x":1}"#)),
        (
            "depths",
            array(&format!("{}{}", "[".repeat(90), "]".repeat(90))),
        ),
    ]
}

/// The bodies in some codings, each with its names.
fn coded() -> Result<Vec<(String, &'static str, Bytes)>> {
    let mut all = Vec::new();
    for (name, plain) in bodies() {
        for coding in sized(
            &["identity", "gzip"][..],
            &["identity", "gzip", "br", "zstd"],
        ) {
            let body = Bytes::from(encode(coding, &plain)?);
            all.push((format!("{name}, {coding}"), *coding, body));
        }
    }
    Ok(all)
}

fn posts(proxy: &Proxy, bodies: &[(String, &str, Bytes)]) -> Vec<(String, Request)> {
    let post = |coding: &str| {
        let call = proxy.request("POST", "/post");
        let call = call.with("content-type", "application/json");
        match coding {
            "identity" => call,
            coded => call.with("content-encoding", coded),
        }
    };
    let all = bodies.iter();
    all.map(|(name, coding, body)| (name.clone(), post(coding).body(body.clone())))
        .collect()
}

/// Calls whose head is as large as heads may be.
fn heads(proxy: &Proxy) -> Vec<(String, Request)> {
    let words = "word+".repeat(9_000);
    let parameters = "a=b&".repeat(8_000);
    let with_headers = (0..90).fold(proxy.get("/headers"), |call, number| {
        call.with(&format!("x-{number}"), "word ".repeat(100))
    });
    vec![
        ("a long path".into(), proxy.get(&format!("/{words}"))),
        ("a long value".into(), proxy.get(&format!("/?a={words}"))),
        ("parameters".into(), proxy.get(&format!("/?{parameters}"))),
        ("headers".into(), with_headers),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn costly_requests_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let address = scene.gateway.address.as_str();
    let witness = Witness::new("a-costly-target");
    let target = witness.target(|_| of_json("{}")).await?.keeping_newest();
    let plan = witness
        .plan(&target.url())
        .with("proxyMaxInspectedBytes", LONGEST);
    let bodies = coded()?;
    for (name, rule) in rules() {
        let proxy = scene.gateway.proxy(&plan).await?;
        for layer in Layer::ALL {
            let made = scene.gateway.rule(&proxy, layer, &rule).await;
            made.with_context(|| name.to_owned())?;
        }
        let mut calls = heads(&proxy);
        if rule.get("body").is_some() {
            calls = posts(&proxy, &bodies);
        }
        let sequence = async {
            for (what, request) in &calls {
                let one = at_once(address, OUTCOMES, vec![request.clone()]);
                one.await.with_context(|| what.clone())?;
            }
            Ok(())
        };
        scene.beside(&format!("request: {name}"), sequence).await?;
        let times = sized(8, 40);
        let all = calls.iter().cycle().take(times);
        let all = all.map(|(_, request)| request.clone()).collect();
        let case = format!("request: {name}, {times} at once");
        scene.beside(&case, at_once(address, OUTCOMES, all)).await?;
    }
    witness.check()
}
