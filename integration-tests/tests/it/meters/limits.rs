//! Limits of plans, proxies and meters, one Envoy at a time.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, unique};
use requestrocket_integration_tests::target::answer::chunked;
use requestrocket_integration_tests::target::{Target, respond};
use requestrocket_integration_tests::wait::{self, Window};
use serde_json::{Value, json};

use super::{Scene, counting, items};
use crate::expect;

#[tokio::test]
async fn a_meter_admits_exactly_its_limit() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&counting(&json!({ "day": 5 }))).await?;
    scene.granted(5).await?;
    for _ in 0..3 {
        scene.refused(&scene.proxy.get("/"), &meter, "day").await?;
    }
    ensure!(scene.target.count() == 5, "{} calls", scene.target.count());
    // What was refused is not counted.
    scene.used(&meter, 5.0).await?;
    let head = scene
        .gateway
        .call(&scene.proxy.request("HEAD", "/"))
        .await?;
    ensure!((head.status, head.body.len()) == (429, 0), "{head:?}");
    Ok(())
}

#[tokio::test]
async fn a_refusal_names_every_window_and_when_it_ends() -> Result<()> {
    let scene = Scene::start().await?;
    let limits = json!({ "minute": 1000, "hour": 3, "day": 3, "month": 1_000_000 });
    let meter = scene.meter(&counting(&limits)).await?;
    scene.granted(3).await?;
    let reply = scene.refused(&scene.proxy.get("/"), &meter, "day").await?;
    let wait: u64 = reply.header("retry-after")?.parse()?;
    ensure!(wait <= 86_400, "retry-after {wait}");
    let policy = items(&reply, "ratelimit-policy")?;
    for (window, quota, seconds) in [("minute", 1000, 60), ("hour", 3, 3_600), ("day", 3, 86_400)] {
        let found = policy
            .get(window)
            .with_context(|| format!("no {window} in {policy:?}"))?;
        ensure!(found["q"] == quota && found["w"] == seconds, "{policy:?}");
    }
    let month = policy.get("month").context("no month")?;
    ensure!(month["q"] == 1_000_000, "{policy:?}");
    ensure!((28..=31).contains(&(month["w"] / 86_400)), "{policy:?}");
    let state = items(&reply, "ratelimit")?;
    ensure!(state.keys().eq(["day", "hour"]), "{state:?}");
    ensure!(
        state["day"]["r"] == 0 && state["day"]["t"] == wait,
        "{state:?} and {wait}"
    );
    ensure!(
        state["hour"]["r"] == 0 && state["hour"]["t"] <= 3_600,
        "{state:?}"
    );
    // On refusals only.
    let other = scene.gateway.proxy_to(&scene.target.url()).await?;
    let reply = scene.gateway.call(&other.get("/")).await?;
    for name in ["ratelimit", "ratelimit-policy", "retry-after"] {
        ensure!(
            reply.head.all(name).is_empty(),
            "{name} on a granted answer"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_proxy_has_limits_of_its_own() -> Result<()> {
    let scene = Scene::with(|plan| plan.with("proxyMaxRequestsPerDay", 4)).await?;
    scene.granted(4).await?;
    let reply = scene.refused(&scene.proxy.get("/"), "proxy", "day").await?;
    let policy = items(&reply, "ratelimit-policy")?;
    ensure!(
        policy["day"]["q"] == 4 && policy["day"]["w"] == 86_400,
        "{policy:?}"
    );
    // Raising it lets more pass; the total stays.
    let path = format!("proxies/{}", scene.proxy.id);
    let raised = json!({ "proxyMaxRequestsPerDay": 6 });
    scene.gateway.api.applied("PATCH", &path, &raised).await?;
    scene.granted(2).await?;
    scene.refused(&scene.proxy.get("/"), "proxy", "day").await?;
    let none = json!({ "proxyMaxRequestsPerDay": null });
    scene.gateway.api.applied("PATCH", &path, &none).await?;
    scene.granted(3).await
}

#[tokio::test]
async fn minutes_end() -> Result<()> {
    let scene = Scene::with(|plan| plan.with("proxyMaxRequestsPerMinute", 3)).await?;
    wait::for_window(Window::Minute, 15).await?;
    scene.granted(3).await?;
    let reply = scene
        .refused(&scene.proxy.get("/"), "proxy", "minute")
        .await?;
    let seconds: u64 = reply.header("retry-after")?.parse()?;
    ensure!((1..=60).contains(&seconds), "retry-after {seconds}");
    let limit = std::time::Duration::from_secs(seconds + 2);
    wait::until_within(limit, "the next minute", || async {
        Ok((scene.gateway.call(&scene.proxy.get("/")).await?.status == 200).then_some(()))
    })
    .await
}

/// The plan's limit is per credential, over all proxies of the region.
#[tokio::test]
async fn the_plan_limits_each_credential_over_all_proxies() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let own = gateway.neighbour().await?;
    let target = Target::start().await?;
    let first = own.proxy_to(&target.url()).await?;
    let other = own.proxy_to(&target.url()).await?;
    let body = json!({
        "proxyName": unique("sibling"),
        "proxyRegion": own.region,
        "proxyProxyCredentialIds": first.credential_ids,
        "proxyTargetId": first.target_id,
        "proxyTargetCredentialId": first.target_credential_id,
    });
    let made = own.api.applied("POST", "proxies", &body).await?;
    let sibling = Proxy {
        id: made.text_at("/proxyId").to_owned(),
        ..first.clone()
    };
    let limits = json!({ "limits": { "credentialRequestsPerMinute": 6 }, "regions": [] });
    own.api.applied("PUT", "configuration", &limits).await?;
    wait::for_window(Window::Minute, 15).await?;
    for number in 0..6 {
        let proxy = [&first, &sibling][number % 2];
        expect::ok(&own.call(&proxy.get("/")).await?).with_context(|| number.to_string())?;
    }
    for proxy in [&first, &sibling] {
        expect::rate_limited(&own.call(&proxy.get("/")).await?, "plan", "minute")?;
    }
    expect::ok(&own.call(&other.get("/")).await?).context("another credential")
}

#[tokio::test]
async fn a_meter_without_limits_only_observes() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&counting(&json!({}))).await?;
    scene.granted(30).await?;
    scene.used(&meter, 30.0).await
}

#[tokio::test]
async fn conditions_say_what_counts() -> Result<()> {
    let scene = Scene::start().await?;
    let mut meter = counting(&json!({ "day": 2 }));
    meter["conditions"] = json!({
        "methods": ["POST"],
        "path": { "pattern": "^/chat" },
        "body": [{ "path": "$.model", "value": { "pattern": "^gpt" } }],
    });
    let meter = scene.meter(&meter).await?;
    let post = |path: &str, body: &str| scene.proxy.request("POST", path).body(body.to_owned());
    let counted = post("/chat", r#"{"model":"gpt-4"}"#);
    let others = [
        scene.proxy.get("/chat"),
        post("/chat", r#"{"model":"other"}"#),
        post("/other", r#"{"model":"gpt-4"}"#),
        post("/chat", "no json"),
    ];
    for round in 0..3 {
        if round < 2 {
            expect::ok(&scene.gateway.call(&counted).await?)?;
        } else {
            scene.refused(&counted, &meter, "day").await?;
        }
        for other in &others {
            expect::ok(&scene.gateway.call(other).await?).with_context(|| other.path.clone())?;
        }
    }
    scene.used(&meter, 2.0).await
}

#[tokio::test]
async fn an_inactive_meter_neither_counts_nor_blocks_and_an_edited_one_goes_on() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&counting(&json!({ "day": 2 }))).await?;
    let path = scene.proxy.meter(&meter);
    let change = |change: Value| {
        let (scene, path) = (&scene, &path);
        async move { scene.gateway.api.applied("PATCH", path, &change).await }
    };
    scene.granted(2).await?;
    scene.refused(&scene.proxy.get("/"), &meter, "day").await?;
    change(json!({ "meterActive": false })).await?;
    scene.granted(4).await?;
    change(json!({ "meterActive": true })).await?;
    scene.refused(&scene.proxy.get("/"), &meter, "day").await?;
    change(json!({ "limits": { "day": 3 }, "meterName": "renamed" })).await?;
    scene.granted(1).await?;
    scene.refused(&scene.proxy.get("/"), &meter, "day").await?;
    scene.used(&meter, 3.0).await?;
    // A new one starts at nothing.
    scene.gateway.detach(&path).await?;
    let fresh = scene.meter(&counting(&json!({ "day": 1 }))).await?;
    scene.granted(1).await?;
    scene.refused(&scene.proxy.get("/"), &fresh, "day").await?;
    Ok(())
}

#[tokio::test]
async fn only_what_was_admitted_counts_whatever_the_target_does() -> Result<()> {
    let scene = Scene::start().await?;
    let meter = scene.meter(&counting(&json!({ "day": 100 }))).await?;
    let rule = json!({ "effect": "deny", "path": { "pattern": "^/denied" } });
    scene
        .gateway
        .rule(&scene.proxy, Layer::Proxy, &rule)
        .await?;
    let stranger = Request::get(&scene.proxy.path("/")).with("authorization", "wrong");
    for call in [
        scene.proxy.get("/denied"),
        stranger,
        Request::get(&scene.proxy.path("/")),
        scene.proxy.request("TRACE", "/"),
        scene.proxy.get("/%2e%2e/x"),
    ] {
        let reply = scene.gateway.call(&call).await?;
        ensure!(reply.status >= 400, "{}: {}", call.path, reply.status);
    }
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
        let reply = scene
            .gateway
            .call(&scene.proxy.request(method, "/"))
            .await?;
        ensure!(reply.status == 200, "{method}: {}", reply.status);
    }
    scene.used(&meter, 7.0).await?;
    let failing = Target::answering(|_| respond("500 X", &[], b"")).await?;
    let path = format!("targets/{}", scene.proxy.target_id);
    for (url, status) in [(failing.url(), 500), ("http://127.0.0.1:1".to_owned(), 502)] {
        let moved = json!({ "targetBaseURL": url });
        scene.gateway.api.applied("PATCH", &path, &moved).await?;
        let reply = scene.gateway.call(&scene.proxy.get("/")).await?;
        ensure!(reply.status == status, "{}", reply.status);
    }
    scene.used(&meter, 9.0).await
}

/// All limits are checked before any is increased.
#[tokio::test]
async fn a_call_that_one_limit_refuses_counts_for_no_other() -> Result<()> {
    let scene = Scene::with(|plan| plan.with("proxyMaxRequestsPerDay", 5)).await?;
    let wide = scene
        .meter(&counting(&json!({ "day": 100, "hour": 100 })))
        .await?;
    let narrow = scene.meter(&counting(&json!({ "day": 2 }))).await?;
    scene.granted(2).await?;
    for _ in 0..10 {
        scene.refused(&scene.proxy.get("/"), &narrow, "day").await?;
    }
    scene.used(&wide, 2.0).await?;
    scene.gateway.detach(&scene.proxy.meter(&narrow)).await?;
    // The proxy's own limit did not run up either.
    scene.granted(3).await?;
    scene.refused(&scene.proxy.get("/"), "proxy", "day").await?;
    scene.used(&wide, 5.0).await
}

#[tokio::test]
async fn near_a_limit_every_answer_warns() -> Result<()> {
    let scene = Scene::with(|plan| plan.with("proxyMaxRequestsPerDay", 10)).await?;
    let meter = scene
        .meter(&counting(&json!({ "day": 10, "month": 10_000 })))
        .await?;
    for used in 1..=10 {
        let reply = scene.gateway.call(&scene.proxy.get("/")).await?;
        expect::ok(&reply)?;
        let warnings = reply.head.all("requestrocket-proxy-warning");
        if used < 8 {
            ensure!(warnings.is_empty(), "{used}: {warnings:?}");
        } else {
            let wanted =
                format!("meter-near-limit; meter={meter}; window=day; used={used}; limit=10");
            ensure!(warnings == [wanted.as_str()], "{used}: {warnings:?}");
        }
    }
    Ok(())
}

/// Whoever makes the answer, and whether or not anybody looks into it.
#[tokio::test]
async fn near_a_limit_every_kind_of_answer_warns() -> Result<()> {
    let forged = ("requestrocket-proxy-warning", "forged");
    let target = Target::answering(move |request| match request.path() {
        "/chunked" => chunked("application/json", &["{\"a\":", "1}"]),
        _ => respond(
            "200 OK",
            &[("content-type", "application/json"), forged],
            b"{\"a\":1}",
        ),
    })
    .await?;
    let scene = Scene::start().await?;
    let meter = scene.meter(&counting(&json!({ "day": 20 }))).await?;
    scene.granted(15).await?;
    let moved = |url: String| {
        let path = format!("targets/{}", scene.proxy.target_id);
        let api = &scene.gateway.api;
        async move {
            api.applied("PATCH", &path, &json!({ "targetBaseURL": url }))
                .await
        }
    };
    let warns = |used: u32, path: &'static str, status: u16| {
        let meter = &meter;
        let scene = &scene;
        async move {
            let reply = scene.gateway.call(&scene.proxy.get(path)).await?;
            ensure!(reply.status == status, "{path}: {}", reply.status);
            let warnings = reply.head.all("requestrocket-proxy-warning");
            let wanted =
                format!("meter-near-limit; meter={meter}; window=day; used={used}; limit=20");
            ensure!(warnings == [wanted.as_str()], "{path} {used}: {warnings:?}");
            Ok(reply)
        }
    };
    moved(target.url()).await?;
    warns(16, "/", 200).await?;
    warns(17, "/chunked", 200).await?;
    let filter = json!({ "operation": "destroy", "paths": ["$.a"] });
    scene
        .gateway
        .filter(&scene.proxy, Layer::Proxy, &filter)
        .await?;
    for (used, path) in [(18, "/"), (19, "/chunked")] {
        let reply = warns(used, path, 200).await?;
        ensure!(reply.body == b"{}".as_slice(), "{path}: {:?}", reply.body);
    }
    moved("http://127.0.0.1:1".to_owned()).await?;
    warns(20, "/", 502).await?;
    Ok(())
}

/// Near a limit the region is asked first; the body waits meanwhile, however long it is.
#[tokio::test]
async fn a_long_upload_waits_for_the_region_and_arrives_whole() -> Result<()> {
    let scene = Scene::at(Gateway::shared_for_much().await?, |plan| plan).await?;
    let bytes = 5 << 20;
    for _ in 0..4 {
        let meter = scene.meter(&counting(&json!({ "day": 1 }))).await?;
        let body = vec![b'u'; bytes];
        let call = scene.proxy.request("POST", "/up").body(body);
        expect::ok(&scene.gateway.call(&call).await?)?;
        let seen = scene.target.last()?;
        ensure!(
            seen.complete && seen.body_length == bytes as u64,
            "{}",
            seen.body_length
        );
        let reply = scene.gateway.call(&call).await?;
        expect::rate_limited(&reply, &meter, "day")?;
        scene.gateway.detach(&scene.proxy.meter(&meter)).await?;
    }
    Ok(())
}
