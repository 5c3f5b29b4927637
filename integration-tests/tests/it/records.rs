//! What passed is recorded, and a record holds no secret.

mod explained;
mod outcomes;
mod restarts;
mod streamed;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::target::answer::{chunked_head, last_chunk};
use requestrocket_integration_tests::target::{Script, Step, Target, chunk, chunk_bytes, head};
use requestrocket_integration_tests::wait;
use requestrocket_policy::fixtures::tokens::hs256;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::expect;
use crate::streams::{EchoServer, handshake};

/// The record of the call that got this answer, once it is there.
pub(crate) async fn of(gateway: &Gateway, proxy: &Proxy, reply: &Reply) -> Result<Value> {
    let id = reply.header("requestrocket-request-id")?;
    let path = format!("proxies/{}/requests/{id}", proxy.id);
    wait::until("the record", || async {
        let answer = gateway.api.get(&path).await?;
        match answer.status {
            404 => Ok(None),
            _ => Ok(Some(answer.succeeded()?.json)),
        }
    })
    .await
}

/// The records of a proxy, the newest first, once there are so many.
pub(crate) async fn all(gateway: &Gateway, proxy: &Proxy, count: usize) -> Result<Vec<Value>> {
    let path = format!("proxies/{}/requests?limit=1000", proxy.id);
    wait::until("the records", || async {
        let answer = gateway.api.get(&path).await?.succeeded()?;
        let data = answer.json["data"].as_array().cloned().unwrap_or_default();
        ensure!(
            data.len() <= count,
            "{} records of {count} calls",
            data.len()
        );
        Ok((data.len() == count).then_some(data))
    })
    .await
}

fn check(record: &Value, want: &Value) -> Result<()> {
    for (name, value) in want.as_object().context("an object")? {
        ensure!(record[name] == *value, "{name} of {record}");
    }
    Ok(())
}

#[tokio::test]
async fn a_granted_call_is_recorded_as_rules_saw_it() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let base = format!("{}/base", target.url());
    let plan = ProxyPlan::to(&base).injecting(Secret::api_key("injected-canary-0123456789"));
    let proxy = gateway.proxy(&plan).await?;
    let call = proxy
        .request("POST", "/v1/./things?page=2&q=a%20b&api_key=x")
        .with("user-agent", "tester/1")
        .with("x-private", "hidden")
        .with(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .body("hello");
    let reply = gateway.call(&call).await?;
    expect::ok(&reply)?;
    let record = of(&gateway, &proxy, &reply).await?;
    check(
        &record,
        &json!({
            "clientId": gateway.api.organisation(),
            "proxyId": proxy.id,
            "region": gateway.region,
            "method": "POST",
            "path": "/v1/things",
            "query": [["page", "2"], ["q", "a b"], ["api_key", "***"]],
            "protocol": "HTTP/1.1",
            "callerAddress": "127.0.0.1",
            "credentialId": proxy.credential_ids[0],
            "authType": "apiKey",
            "targetId": proxy.target_id,
            "status": 200,
            "targetStatus": 200,
            "proxyCode": "proxy-access-granted",
            "code": null,
            "denial": null,
            "requestBytes": 5,
            "responseBytes": reply.body.len(),
            "flags": [],
            "traceId": "0af7651916cd43dd8448eb211c80319c",
        }),
    )?;
    let headers = record["requestHeaders"].as_array().context("headers")?;
    for pair in [
        json!(["user-agent", "tester/1"]),
        json!(["x-private", "***"]),
        json!(["authorization", "***"]),
    ] {
        ensure!(headers.contains(&pair), "{pair} in {record}");
    }
    let number = |name: &str| record[name].as_f64().with_context(|| name.to_owned());
    let sum = number("gatewayDurationMs")? + number("targetDurationMs")?;
    ensure!(
        (sum - number("durationMs")?).abs() < 0.01,
        "times of {record}"
    );
    let (received, sent) = (record["receivedAt"].as_str(), record["sentAt"].as_str());
    ensure!(received <= sent && sent <= record["completedAt"].as_str());
    Ok(())
}

#[tokio::test]
async fn who_comes_with_a_token_is_named_by_it() -> Result<()> {
    const SHARED: &str = "a secret of thirty-two bytes, ok";
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let secret = Secret::new("jwtVerify", json!({"sharedSecret": SHARED}));
    let plan = ProxyPlan::to(&target.url()).caller(secret);
    let proxy = gateway.proxy(&plan).await?;
    let name = unique("somebody");
    let claims = json!({"sub": name, "exp": 4_102_444_800_u64}).to_string();
    for (secret, want) in [
        (SHARED, json!(name)),
        ("another secret, thirty-two bytes", Value::Null),
    ] {
        let token = hs256(secret, &claims);
        let call = Request::get(&proxy.path("/")).with("authorization", &token);
        let reply = gateway.call(&call).await?;
        let record = of(&gateway, &proxy, &reply).await?;
        check(&record, &json!({ "subject": want }))?;
    }
    let path = format!("proxies/{}/requests?subject={name}", proxy.id);
    let page = gateway.api.get(&path).await?.succeeded()?;
    ensure!(page.json["completeness"]["recorded"] == 1, "{}", page.text);
    Ok(())
}

#[tokio::test]
async fn refusals_and_failures_are_recorded_with_their_reasons() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let rule = json!({ "effect": "deny", "path": { "pattern": "^/denied" } });
    let rule = gateway.rule(&proxy, Layer::Proxy, &rule).await?;
    let denied = gateway.call(&proxy.get("/denied")).await?;
    check(
        &of(&gateway, &proxy, &denied).await?,
        &json!({
            "status": 403, "code": "RULE_DENIED", "proxyCode": "proxy-access-denied",
            "denial": {"layer": "proxy", "ruleId": rule}, "sentAt": null, "targetStatus": null,
            "credentialId": proxy.credential_ids[0], "path": "/denied",
        }),
    )?;
    let wrong = Request::get(&proxy.path("/w")).with("authorization", "a-wrong-credential");
    let wrong = gateway.call(&wrong).await?;
    check(
        &of(&gateway, &proxy, &wrong).await?,
        &json!({
            "status": 403, "code": "CREDENTIAL_INVALID", "credentialId": null, "path": "/w",
            "denial": null,
        }),
    )?;
    let limited = ProxyPlan::to(&target.url()).with("proxyMaxRequestsPerDay", 1);
    let limited = gateway.proxy(&limited).await?;
    gateway.call(&limited.get("/")).await?;
    let refused = gateway.call(&limited.get("/")).await?;
    check(
        &of(&gateway, &limited, &refused).await?,
        &json!({ "status": 429, "code": "RATE_LIMITED", "proxyCode": "rate-limit-exceeded" }),
    )?;
    let deserted = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
    let down = gateway.proxy_to(&format!("http://{deserted}")).await?;
    let failed = gateway.call(&down.get("/")).await?;
    check(
        &of(&gateway, &down, &failed).await?,
        &json!({
            "status": 502, "code": "TARGET_UNREACHABLE", "flags": ["connect_failed"],
            "credentialId": down.credential_ids[0], "targetStatus": null,
        }),
    )?;
    Ok(())
}

#[tokio::test]
async fn what_ends_in_the_middle_is_recorded_so() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let script = |_: &_| {
        let head = head("200 OK", &[("transfer-encoding", "chunked")]);
        Script::AfterRequest(vec![head, chunk("part"), Step::Close])
    };
    let target = Target::answering(script).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let cut = gateway.call(&proxy.get("/cut")).await?;
    ensure!(!cut.complete, "the answer is not whole");
    check(
        &of(&gateway, &proxy, &cut).await?,
        &json!({
            "status": 200, "code": "TARGET_UNREACHABLE", "flags": ["target_reset"],
            "responseBytes": 4,
        }),
    )?;
    let server = EchoServer::start().await?;
    let socket = gateway.proxy_to(&server.url).await?;
    drop(handshake(&gateway, &socket, Some(&socket.authorization)).await?);
    let record = all(&gateway, &socket, 1).await?.remove(0);
    check(
        &record,
        &json!({ "status": 101, "path": "/chat", "query": [["room", "1"]], "method": "GET" }),
    )
}

#[tokio::test]
async fn a_response_that_is_cut_for_its_size_is_recorded_so() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let script = |_: &_| {
        let blocks = Step::Repeat(chunk_bytes(&[b'.'; 1024]), 512);
        Script::AfterRequest(vec![chunked_head("text/plain"), blocks, last_chunk()])
    };
    let target = Target::answering(script).await?;
    let plan = ProxyPlan::to(&target.url()).with("proxyMaxResponseBytes", 64 << 10);
    let proxy = gateway.proxy(&plan).await?;
    // The cut may come before the head is out.
    let _ = gateway.call(&proxy.get("/long")).await;
    let record = all(&gateway, &proxy, 1).await?.remove(0);
    check(
        &record,
        &json!({ "code": "RESPONSE_TOO_LARGE", "flags": ["cut"] }),
    )
}

#[tokio::test]
async fn no_record_holds_a_secret_whatever_is_sent() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let (presented, injected, wrong) = (
        unique("PresentedCanaryQ7x9Z"),
        unique("InjectedCanaryW3k5Y"),
        unique("WrongCanaryT2m8V"),
    );
    let in_query = json!({"key": injected, "location": "query", "name": "target_key"});
    let plan = ProxyPlan::to(&target.url())
        .caller(Secret::api_key(&presented))
        .injecting(Secret::new("apiKey", in_query));
    let proxy = gateway.proxy(&plan).await?;
    let mut calls = 0;
    for value in [&presented, &wrong] {
        let escaped: Vec<_> = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let escaped = escaped.concat();
        for (path, headers) in [
            (format!("/{value}/x"), vec![("user-agent", value.clone())]),
            (
                format!("/{injected}?q={injected}"),
                vec![("accept", injected.clone())],
            ),
            (
                format!("/a?q={escaped}&{value}=1"),
                vec![("x-request-id", format!("a{value}"))],
            ),
            (
                format!("/a?Authorization={value}"),
                vec![(value.as_str(), "v".to_owned())],
            ),
        ] {
            let call = Request::get(&proxy.path(&path)).with("authorization", value);
            let call = headers
                .iter()
                .fold(call, |call, (name, header)| call.with(name, header));
            gateway.call(&call).await?;
            calls += 1;
        }
    }
    let records = all(&gateway, &proxy, calls).await?;
    let text = serde_json::to_vec(&records)?;
    for secret in [&presented, &injected, &wrong] {
        let canary = Canary::new(secret);
        canary.absent_from("the records", &text)?;
        let folder = Gateway::shared_stack().await?.data_dir();
        ensure!(canary.absent_below(folder)? > 0, "nothing was searched");
    }
    Ok(())
}

#[tokio::test]
async fn hostile_texts_are_recorded_escaped_and_bounded() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let long = "y".repeat(40_000);
    let call = proxy
        .get(&format!("/x%1b%5bm%0a?a=%00%0d%0a%ff{long}"))
        .with("user-agent", b"\xff\xfe[31m\xc3\x28");
    gateway.call(&call).await?;
    let record = all(&gateway, &proxy, 1).await?.remove(0);
    let size = record.to_string().len();
    ensure!(size < 20_000, "{size} bytes");
    let list = format!("proxies/{}/requests", proxy.id);
    let text = gateway.api.get(&list).await?.text;
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) || byte >= 0x80;
    ensure!(text.bytes().all(is_plain), "control characters in {text}");
    let headers = record["requestHeaders"].as_array().context("headers")?;
    let agent = json!(["user-agent", "\u{fffd}\u{fffd}[31m\u{fffd}("]);
    ensure!(headers.contains(&agent), "{record}");
    ensure!(record["path"] == "/x%1b%5bm%0a", "{record}");
    let value = record["query"][0][1].as_str().context("a value")?;
    let start = "\0\r\n\u{fffd}yyyy";
    ensure!(value.starts_with(start) && value.len() == 1_024, "{record}");
    Ok(())
}

#[tokio::test]
async fn nobody_sees_the_calls_of_another_organisation() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    let record = of(&gateway, &proxy, &reply).await?;
    let neighbour = gateway.neighbour().await?;
    let own = neighbour.api.get("requests").await?.succeeded()?;
    ensure!(own.json["data"] == json!([]), "{}", own.text);
    ensure!(own.json["completeness"]["recorded"] == 0, "{}", own.text);
    let id = record["requestId"].as_str().context("id")?;
    for path in [
        format!("requests/{id}"),
        format!("proxies/{}/requests/{id}", proxy.id),
    ] {
        ensure!(neighbour.api.get(&path).await?.status == 404, "{path}");
    }
    let unknown = Request::get("/api/unknown/x").with("authorization", &proxy.authorization);
    let unknown = gateway.call(&unknown).await?;
    let id = unknown.header("requestrocket-request-id")?;
    // The one after it is there, so it would be.
    of(&gateway, &proxy, &gateway.call(&proxy.get("/")).await?).await?;
    ensure!(gateway.api.get(&format!("requests/{id}")).await?.status == 404);
    Ok(())
}

#[tokio::test]
async fn lists_select_and_go_on_page_by_page() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for number in 0..7 {
        gateway.call(&proxy.get(&format!("/n/{number}"))).await?;
    }
    let denied = Request::get(&proxy.path("/n/denied"));
    gateway.call(&denied).await?;
    all(&gateway, &proxy, 8).await?;
    let list = format!("proxies/{}/requests", proxy.id);
    // Calls that end in the same millisecond are in the order of their ids.
    let mut seen = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("{list}?limit=3&status=2xx&order=asc{cursor}");
        let page = gateway.api.get(&path).await?.succeeded()?.json;
        ensure!(page["completeness"]["recorded"] == 7, "{page}");
        let data = page["data"].as_array().context("data")?;
        ensure!(data.len() <= 3, "{page}");
        seen.extend(data.iter().map(|record| record["path"].to_string()));
        match page["pagination"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let want: BTreeSet<_> = (0..7).map(|number| format!("\"/n/{number}\"")).collect();
    ensure!(seen == want, "{seen:?}");
    for (filter, count) in [
        ("denied=true", 1),
        ("code=CREDENTIAL_MISSING", 1),
        ("status=401,200", 8),
        ("pathContains=n/3", 1),
        ("method=POST", 0),
        ("processedAfter=4102444800000", 0),
    ] {
        let page = gateway.api.get(&format!("{list}?{filter}")).await?;
        let found = page.json["data"].as_array().map(Vec::len);
        ensure!(found == Some(count), "{filter}: {}", page.text);
    }
    Ok(())
}
