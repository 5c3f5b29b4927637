//! Two regions with two Envoys each: a change reaches all of its own and none of the other.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use serde_json::{Value, json};

use crate::expect;

const TWO_BY_TWO: [&str; 6] = [
    "--regions",
    "east-1,west-1",
    "--envoys-per-region",
    "2",
    "--envoy-threads",
    "1",
];

async fn everywhere(
    gateways: &[Gateway],
    request: &requestrocket_integration_tests::caller::Request,
    code: &str,
) -> Result<()> {
    for gateway in gateways {
        let reply = gateway.call(request).await?;
        ensure!(
            reply.code() == code,
            "{}: {} {}",
            gateway.address,
            reply.status,
            reply.text()
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_is_applied_is_enforced_by_every_envoy_of_its_region_and_no_other() -> Result<()> {
    let stack = Stack::start(&TWO_BY_TWO).await?;
    let east = Gateway::of_region(&stack, "east-1")?;
    let west = Gateway::of_region(&stack, "west-1")?;
    ensure!(
        east.len() == 2 && west.len() == 2,
        "{:?}",
        stack.file.regions
    );
    let target = Target::start().await?;
    for round in 0..5 {
        let proxy = west[0].proxy_to(&target.url()).await?;
        for gateway in &west {
            expect::ok(&gateway.call(&proxy.get("/")).await?)?;
        }
        everywhere(&east, &proxy.get("/"), "CREDENTIAL_INVALID").await?;
        let status = west[0].api.status(&proxy.id).await?;
        let nodes = status["nodes"].as_array().map_or(0, Vec::len);
        ensure!(
            nodes == 2 && status["proxyStatus"] == "applied",
            "round {round}: {status}"
        );
        let credential = format!("credentials/{}", proxy.credential_ids[0]);
        west[0]
            .api
            .applied("DELETE", &credential, &Value::Null)
            .await?;
        everywhere(&west, &proxy.get("/"), "CREDENTIAL_INVALID").await?;
    }
    records_of_two_regions_do_not_mix(&east[0], &west[0], &target).await
}

async fn records_of_two_regions_do_not_mix(
    east: &Gateway,
    west: &Gateway,
    target: &Target,
) -> Result<()> {
    let here = east.proxy_to(&target.url()).await?;
    let there = west.proxy_to(&target.url()).await?;
    let path = format!("proxies/{}", here.id);
    for change in [
        json!({ "proxyTargetId": there.target_id }),
        json!({ "proxyTargetCredentialId": there.target_credential_id }),
        json!({ "proxyProxyCredentialIds": [here.credential_ids[0], there.credential_ids[0]] }),
    ] {
        let answer = east.api.send("PATCH", &path, &change).await?;
        ensure!(
            (answer.status, answer.code()) == (400, "REGION_MISMATCH"),
            "{change}: {}",
            answer.text
        );
    }
    // An alias is unique within a region only.
    for (gateway, proxy) in [(east, &here), (west, &there)] {
        let alias = json!({ "proxyAlias": "same-alias" });
        gateway
            .api
            .applied("PATCH", &format!("proxies/{}", proxy.id), &alias)
            .await?;
        let request = requestrocket_integration_tests::caller::Request::get("/api/same-alias/x");
        expect::ok(
            &gateway
                .call(&request.with("authorization", &proxy.authorization))
                .await?,
        )?;
    }
    let other = east.proxy_to(&target.url()).await?;
    let taken = east
        .api
        .send(
            "PATCH",
            &format!("proxies/{}", other.id),
            &json!({ "proxyAlias": "same-alias" }),
        )
        .await?;
    ensure!(
        (taken.status, taken.code()) == (409, "ALIAS_TAKEN"),
        "{}",
        taken.text
    );
    let moved = east
        .api
        .send("PATCH", &path, &json!({ "proxyRegion": "west-1" }))
        .await?;
    ensure!(
        (moved.status, moved.code()) == (400, "FIELD_IMMUTABLE"),
        "{}",
        moved.text
    );
    Ok(())
}
