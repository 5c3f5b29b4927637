//! The SSRF guard: nothing inside is reached unless the operator allowed it.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::machine;
use requestrocket_integration_tests::stack::{Stack, authority};
use requestrocket_integration_tests::target::Target;
use serde_json::json;

use crate::expect;

/// Neither a target inside nor a port of the stack itself is reached through a name.
#[tokio::test]
async fn x9_a_name_that_leads_inside_is_refused_at_connect_time() -> Result<()> {
    let stack = Stack::start(&["--allow-private-targets", "203.0.113.0/24"]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    // The machine's own name: the Core API cannot know what it resolves to.
    let own_name = machine::host_name()?;
    for address in [
        target.address.to_string(),
        authority(stack.admin()?).to_owned(),
        authority(&stack.file.core_api).to_owned(),
    ] {
        let port = address.rsplit(':').next().unwrap_or_default();
        let inside = format!("http://{own_name}:{port}");
        let proxy = gateway.proxy_to(&inside).await?;
        let reply = gateway.call(&proxy.get("/config_dump")).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").with_context(|| inside.clone())?;
        let text = reply.text();
        ensure!(text.contains("address not allowed"), "{inside}: {text}");
    }
    for base in [
        "http://localhost",
        "https://LOCALHOST/x",
        "http://127.0.0.1",
        "http://[::1]:8080",
    ] {
        let body =
            json!({ "targetName": "in", "targetBaseURL": base, "targetRegion": gateway.region });
        let answer = gateway.api.send("POST", "targets", &body).await?;
        let got = (answer.status, answer.code());
        ensure!(
            got == (400, "ADDRESS_NOT_ALLOWED"),
            "{base}: {}",
            answer.text
        );
    }
    ensure!(target.count() == 0, "the target inside was reached");
    Ok(())
}

/// The same name is reached when its range is allowed: what refuses above is the guard.
#[tokio::test]
async fn an_allowed_range_is_reached_by_name() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    for name in ["localhost", "LOCALHOST"] {
        let proxy = gateway
            .proxy_to(&format!("http://{name}:{}", target.address.port()))
            .await?;
        expect::ok(&gateway.call(&proxy.get("/")).await?)?;
        let host = format!("localhost:{}", target.address.port());
        let seen = target.last()?.head.all("host").concat();
        ensure!(seen.eq_ignore_ascii_case(&host), "{seen}");
    }
    Ok(())
}

/// Literal addresses are judged when they are saved, whatever their spelling.
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
