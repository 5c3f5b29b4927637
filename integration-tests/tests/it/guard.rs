//! The SSRF guard: nothing inside is reached unless the operator allowed it.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::{Stack, authority};
use requestrocket_integration_tests::target::Target;
use serde_json::json;

use crate::expect;

#[tokio::test]
async fn without_an_allowance_loopback_is_not_reached_even_by_name() -> Result<()> {
    let stack = Stack::start(&["--allow-private-targets", "203.0.113.0/24"]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let port = target.address.port();
    for base in [
        format!("http://localhost:{port}"),
        format!("https://localhost:{port}"),
        format!("http://LOCALHOST:{port}/x"),
        format!("http://localhost.:{port}"),
    ] {
        let body = json!({ "targetName": "inside", "targetBaseURL": base, "targetRegion": gateway.region });
        let made = gateway.api.send("POST", "targets", &body).await?;
        if made.status == 400 {
            // Refused when saved is as good.
            continue;
        }
        let proxy = gateway.proxy_to(&base).await?;
        let reply = gateway.call(&proxy.get("/")).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").with_context(|| base.clone())?;
        ensure!(
            reply.text().contains("address not allowed"),
            "{base}: {}",
            reply.text()
        );
    }
    let literal = json!({ "targetName": "inside", "targetBaseURL": target.url(), "targetRegion": gateway.region });
    let answer = gateway.api.send("POST", "targets", &literal).await?;
    ensure!(
        (answer.status, answer.code()) == (400, "ADDRESS_NOT_ALLOWED"),
        "{}",
        answer.text
    );
    // X9: the admin port and the stack's own ports, by name.
    let admin = authority(stack.admin()?).replace("127.0.0.1", "localhost");
    let core = authority(&stack.file.core_api).replace("127.0.0.1", "localhost");
    for inside in [admin, core] {
        let proxy = gateway.proxy_to(&format!("http://{inside}")).await?;
        let reply = gateway.call(&proxy.get("/config_dump")).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").with_context(|| inside.clone())?;
    }
    ensure!(target.count() == 0, "the target inside was reached");
    Ok(())
}

/// Details 38: literal addresses are judged when they are saved, whatever their spelling.
#[tokio::test]
async fn forbidden_literal_addresses_cannot_be_saved() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for host in [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[ff02::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a00:1]",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "169.254.43518",
        "10.1",
        "0x0a.0.0.1",
        "①⓪.0.0.1",
    ] {
        let body = json!({ "targetName": "inside", "targetBaseURL": format!("http://{host}/"), "targetRegion": gateway.region });
        let answer = gateway.api.send("POST", "targets", &body).await?;
        ensure!(
            answer.status == 400,
            "{host}: {} {}",
            answer.status,
            answer.text
        );
        ensure!(
            matches!(answer.code(), "ADDRESS_NOT_ALLOWED" | "INVALID_URL"),
            "{host}: {}",
            answer.text
        );
    }
    for host in [
        "example.com",
        "93.184.215.14",
        "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]",
        "127.0.0.1",
        "[::1]",
    ] {
        let body = json!({ "targetName": "outside", "targetBaseURL": format!("http://{host}/"), "targetRegion": gateway.region });
        let answer = gateway.api.send("POST", "targets", &body).await?;
        ensure!(
            answer.status == 201,
            "{host}: {} {}",
            answer.status,
            answer.text
        );
    }
    Ok(())
}
