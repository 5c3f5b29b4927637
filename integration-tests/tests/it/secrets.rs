//! Planted secrets are nowhere but where they are used.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::http;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use serde_json::json;

use crate::expect;

const PAGES: [&str; 12] = [
    "/config_dump",
    "/config_dump?include_eds",
    "/stats",
    "/stats/prometheus",
    "/clusters?format=json",
    "/listeners?format=json",
    "/server_info",
    "/certs",
    "/runtime",
    "/contention",
    "/init_dump",
    "/stats/recentlookups",
];

/// A canary with each secret of a proxy with both sides.
fn planted() -> Vec<(Secret, Secret, Vec<&'static str>)> {
    vec![
        (
            Secret::api_key("CanaryCallerKey-4f1d8a6e2b90"),
            Secret::api_key("CanaryTargetKey-7c3e5f9a1d22"),
            vec![
                "CanaryCallerKey-4f1d8a6e2b90",
                "CanaryTargetKey-7c3e5f9a1d22",
            ],
        ),
        (
            Secret::new("bearer", json!({ "token": "CanaryCallerBearer-aa17c0" })),
            Secret::new("bearer", json!({ "token": "CanaryTargetBearer-bb28d1" })),
            vec!["CanaryCallerBearer-aa17c0", "CanaryTargetBearer-bb28d1"],
        ),
        (
            Secret::new(
                "basicAuth",
                json!({ "username": "cu", "password": "CanaryCallerPassword-cc39" }),
            ),
            Secret::new(
                "basicAuth",
                json!({ "username": "tu", "password": "CanaryTargetPassword-dd4a" }),
            ),
            vec!["CanaryCallerPassword-cc39", "CanaryTargetPassword-dd4a"],
        ),
        (
            Secret::new("jwt", json!({ "token": "e30.e30.CanaryCallerJwt-ee5b90" })),
            Secret::new(
                "custom",
                json!({ "headers": { "x-k": "CanaryTargetHeader-ff6c" }, "query": { "q": "CanaryTargetQuery-017d" } }),
            ),
            vec![
                "e30.e30.CanaryCallerJwt-ee5b90",
                "CanaryTargetHeader-ff6c",
                "CanaryTargetQuery-017d",
            ],
        ),
        (
            Secret::new(
                "jwtVerify",
                json!({ "sharedSecret": "CanarySharedWithTheIssuer-0123456789ab" }),
            ),
            Secret::none(),
            vec!["CanarySharedWithTheIssuer-0123456789ab"],
        ),
    ]
}

/// The same of secrets that no target sees.
fn planted_signers() -> Vec<(Secret, Secret, Vec<&'static str>)> {
    vec![
        (
            Secret::api_key("CanaryCallerKey-of-aws-18e2"),
            Secret::new(
                "awsSigV4",
                json!({
                    "accessKeyId": "AKID", "secretAccessKey": "CanaryTargetAws-29f3",
                    "sessionToken": "CanaryTargetSession-3a04", "region": "r", "service": "s3"
                }),
            ),
            vec!["CanaryTargetAws-29f3", "CanaryTargetSession-3a04"],
        ),
        (
            Secret::api_key("CanaryCallerKey-of-hmac-4b15"),
            Secret::new(
                "hmac",
                json!({ "key": "CanaryTargetHmac-5c26", "stringToSign": "{path}", "header": "x-s" }),
            ),
            vec!["CanaryTargetHmac-5c26"],
        ),
        (
            Secret::api_key("CanaryCallerKey-of-tokens-6d37"),
            Secret::new(
                "signedJwt",
                json!({ "algorithm": "HS256", "sharedSecret": "CanaryTargetShared-7e48" }),
            ),
            vec!["CanaryTargetShared-7e48"],
        ),
    ]
}

#[tokio::test]
async fn x8_k4_no_secret_rests_anywhere_in_clear() -> Result<()> {
    let mut stack = Stack::start(&[]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let mut canaries = Vec::new();
    for (caller, injected, secrets) in planted().into_iter().chain(planted_signers()) {
        let proxy = gateway
            .proxy(
                &ProxyPlan::to(&target.url())
                    .caller(caller)
                    .injecting(injected),
            )
            .await?;
        expect::ok(&gateway.call(&proxy.get("/granted?x=1")).await?)?;
        // Denials and failures are logged too.
        gateway.call(&proxy.get("/%5c")).await?;
        let target_path = format!("targets/{}", proxy.target_id);
        gateway
            .api
            .applied(
                "PATCH",
                &target_path,
                &json!({ "targetBaseURL": "http://127.0.0.1:1" }),
            )
            .await?;
        gateway.call(&proxy.get("/unreachable")).await?;
        for page in ["credentials", "proxies", "targets"] {
            let listed = gateway
                .api
                .get(&format!("{page}?limit=100"))
                .await?
                .succeeded()?;
            for secret in &secrets {
                Canary::new(secret).absent_from(page, listed.text.as_bytes())?;
            }
        }
        canaries.extend(secrets.into_iter().map(Canary::new));
    }
    ensure!(target.count() == 8, "the secrets were not used");
    search_admin(&stack, &canaries).await?;
    search_files(&stack, &canaries)?;
    stack.stop().await?;
    search_files(&stack, &canaries)
}

async fn search_admin(stack: &Stack, canaries: &[Canary]) -> Result<()> {
    let client = http::client().build()?;
    let mut dumped = 0;
    for page in PAGES {
        let text = client
            .get(format!("{}{page}", stack.admin()?))
            .send()
            .await?
            .text()
            .await?;
        dumped += text.len();
        for canary in canaries {
            canary.absent_from(page, text.as_bytes())?;
        }
    }
    ensure!(dumped > 50_000, "the admin pages gave only {dumped} bytes");
    Ok(())
}

fn search_files(stack: &Stack, canaries: &[Canary]) -> Result<()> {
    for canary in canaries {
        let files = canary.absent_below(stack.data_dir())?;
        ensure!(files > 10, "only {files} files were searched");
    }
    Ok(())
}

/// What an error or a debug dump quotes is never the secret.
#[tokio::test]
async fn refused_secrets_are_not_quoted() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let secret = "CanaryRefused-1b2c3d4e5f";
    for body in [
        json!({ "key": secret, "extra": 1 }),
        json!({ "key": format!("{secret}\u{7}") }),
        json!({ "key": [secret] }),
        json!({ "token": secret }),
        json!(secret),
    ] {
        let request = json!({
            "credentialName": "refused", "credentialType": "proxy", "credentialAuthType": "apiKey",
            "credentialRegion": gateway.region, "credentialSecret": body,
        });
        let answer = gateway.api.send("POST", "credentials", &request).await?;
        ensure!(answer.status == 400, "{}", answer.text);
        Canary::new(secret)
            .absent_from("the error", answer.text.as_bytes())
            .context("refused")?;
    }
    let stack = Gateway::shared_stack().await?;
    Canary::new(secret).absent_below(stack.data_dir())?;
    Ok(())
}
