//! Tokens that the region obtains and gives to targets: `oauth2` and `customToken`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, id, unique};
use requestrocket_integration_tests::target::{Gate, Script, Step, Target, answer, respond};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::expect;

/// A provider whose `n`th answer is the token `t<n>` with this life.
async fn provider(life_seconds: u64) -> Result<Target> {
    let asked = AtomicUsize::new(0);
    Target::answering(move |request| {
        // A script is also asked for at the head.
        let number = asked.fetch_add(usize::from(request.complete), Ordering::SeqCst) + 1;
        let body = json!({"access_token": format!("t{number}"), "expires_in": life_seconds});
        answer::json(body.to_string())
    })
    .await
}

fn client_credentials(provider: &Target) -> Value {
    json!({
        "grantType": "client_credentials", "tokenUrl": format!("{}/token", provider.url()),
        "clientId": "me", "clientSecret": "canary-client-secret",
    })
}

/// A credential; the answer comes when its token is there, or failed.
async fn credential(gateway: &Gateway, kind: &str, secret: &Value) -> Result<Value> {
    let body = json!({
        "credentialName": unique("credential"), "credentialType": "target",
        "credentialAuthType": kind, "credentialRegion": gateway.region,
        "credentialSecret": secret,
    });
    let created = gateway.api.applied("POST", "credentials", &body).await?;
    Ok(created.json)
}

async fn shown(gateway: &Gateway, credential: &str) -> Result<Value> {
    let path = format!("credentials/{credential}");
    Ok(gateway.api.get(&path).await?.succeeded()?.json)
}

async fn proxy_with(gateway: &Gateway, target: &Target, secret: Secret) -> Result<Proxy> {
    let plan = ProxyPlan::to(&target.url()).injecting(secret);
    gateway.proxy(&plan).await
}

/// Calls until the target was given something, and says what.
async fn given(gateway: &Gateway, proxy: &Proxy, target: &Target, header: &str) -> Result<String> {
    let request = proxy.get("/");
    wait::until("a call that is granted", || async {
        let reply = gateway.call(&request).await?;
        if reply.status == 503 {
            expect::failed(&reply, 503, "TARGET_CREDENTIAL_UNAVAILABLE")?;
            return Ok(None);
        }
        expect::ok(&reply).map(Some)
    })
    .await?;
    Ok(target.last()?.head.all(header).join(","))
}

#[tokio::test]
async fn a_token_is_obtained_and_given_to_the_target() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let (provider, target) = (provider(3_600).await?, Target::start().await?);
    let secret = Secret::new("oauth2", client_credentials(&provider));
    let proxy = proxy_with(&gateway, &target, secret).await?;
    assert_eq!(
        given(&gateway, &proxy, &target, "authorization").await?,
        "Bearer t1"
    );
    let asked = provider.last()?;
    assert_eq!(asked.head.all("accept"), ["application/json"]);
    assert_eq!(asked.body, b"grant_type=client_credentials");
    assert_eq!(provider.count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_custom_token_is_obtained_by_requests_of_ones_own() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let provider = Target::answering(|request| {
        let body = match request.path() {
            "/nonce" => r#"{"data": {"nonce": "n 1"}}"#,
            _ => r#"{"session": "s1", "ttl": "600"}"#,
        };
        answer::json(body)
    })
    .await?;
    let secret = json!({
        "values": {"user": "u", "key": "k"},
        "requests": [
            {"method": "GET", "url": format!("{}/nonce", provider.url())},
            {
                "url": format!("{}/login", provider.url()),
                "query": {"nonce": "{step1.$.data.nonce}"},
                "headers": {"Authorization": "Basic {base64:{secret.user}:{secret.key}}"},
            },
        ],
        "response": {"tokenPath": "$.session", "expiresInPath": "$.ttl"},
        "apply": {"name": "X-Session", "template": "Session {token}"},
    });
    let target = Target::start().await?;
    let proxy = proxy_with(&gateway, &target, Secret::new("customToken", secret)).await?;
    assert_eq!(
        given(&gateway, &proxy, &target, "x-session").await?,
        "Session s1"
    );
    let asked = provider.last()?;
    assert_eq!(asked.path(), "/login?nonce=n+1");
    assert_eq!(asked.head.all("authorization"), ["Basic dTpr"]);
    Ok(())
}

#[tokio::test]
async fn who_waits_until_it_is_applied_waits_for_the_first_token() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let provider = provider(3_600).await?;
    let made = credential(&gateway, "oauth2", &client_credentials(&provider)).await?;
    assert_eq!(made["credentialStatus"], "active");
    let token = &made["credentialToken"];
    for member in ["expiresAt", "lastRefreshAt", "nextRefreshAt"] {
        ensure!(token[member].is_string(), "{member}: {made}");
    }
    assert_eq!(
        (&token["attempts"], &token["lastError"]),
        (&json!(0), &Value::Null)
    );
    ensure!(!made.to_string().contains("canary-client-secret"), "{made}");
    let path = format!("credentials/{}", id(&made, "credentialId")?);
    gateway.api.send("PUT", &path, &made).await?.succeeded()?;
    Ok(())
}

#[tokio::test]
async fn until_there_is_a_token_calls_are_told_to_come_again() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let gate = Gate::default();
    let (held, target) = (gate.clone(), Target::start().await?);
    let provider = Target::answering(move |_| {
        let Script::AfterRequest(steps) = answer::json(r#"{"access_token": "late"}"#) else {
            return respond("500 x", &[], b"");
        };
        let held = [Step::Wait(held.clone())];
        Script::AfterRequest(held.into_iter().chain(steps).collect())
    })
    .await?;
    let secret = Secret::new("oauth2", client_credentials(&provider));
    let proxy = proxy_with(&gateway, &target, secret).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::failed(&reply, 503, "TARGET_CREDENTIAL_UNAVAILABLE")?;
    assert_eq!(reply.header("retry-after")?, "1");
    let credential = shown(&gateway, &proxy.target_credential_id).await?;
    assert_eq!(credential["credentialStatus"], "obtaining");
    assert_eq!(target.count(), 0);
    gate.open();
    assert_eq!(
        given(&gateway, &proxy, &target, "authorization").await?,
        "Bearer late"
    );
    Ok(())
}

#[tokio::test]
async fn what_a_provider_refuses_is_shown_without_secrets() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for (status, body, word, code) in [
        (
            "401 x",
            json!({"error": "invalid_client", "error_description": "canary-client-secret?"})
                .to_string(),
            "invalid_client",
            "invalid_client",
        ),
        (
            "400 x",
            json!({"error": "invalid_grant"}).to_string(),
            "reconsent_needed",
            "invalid_grant",
        ),
        (
            "403 x",
            "<html>canary-client-secret</html>".to_owned(),
            "failing",
            "http_403",
        ),
        ("302 x", String::new(), "failing", "redirect"),
        (
            "200 x",
            json!({"ok": false, "error": "nope"}).to_string(),
            "failing",
            "nope",
        ),
    ] {
        let answered = Arc::new(body);
        let provider = Target::answering(move |_| {
            respond(
                status,
                &[("location", "http://localhost/")],
                answered.as_bytes(),
            )
        })
        .await?;
        let made = credential(&gateway, "oauth2", &client_credentials(&provider)).await?;
        assert_eq!(made["credentialStatus"], word, "{made}");
        assert_eq!(made["credentialToken"]["lastErrorCode"], code);
        ensure!(!made.to_string().contains("canary-client-secret"), "{made}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refresh_reaches_every_proxy_and_fails_no_call() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let (provider, target) = (provider(10).await?, Target::start().await?);
    let secret = Secret::new("oauth2", client_credentials(&provider));
    let first = proxy_with(&gateway, &target, secret).await?;
    let body = json!({
        "proxyName": unique("proxy"), "proxyRegion": gateway.region,
        "proxyProxyCredentialIds": first.credential_ids, "proxyTargetId": first.target_id,
        "proxyTargetCredentialId": first.target_credential_id,
    });
    let second = gateway.api.applied("POST", "proxies", &body).await?.json;
    let second = Proxy {
        id: id(&second, "proxyId")?,
        ..first.clone()
    };
    given(&gateway, &first, &target, "authorization").await?;
    for proxy in [&first, &second] {
        let request = proxy.get("/");
        wait::until("the second token", || async {
            expect::ok(&gateway.call(&request).await?)?;
            let given = target.last()?.head.all("authorization").join(",");
            Ok((given == "Bearer t2").then_some(()))
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_address_that_targets_may_not_have_is_no_providers() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let mut secret = client_credentials(&Target::start().await?);
    secret["tokenUrl"] = "http://169.254.169.254/token".into();
    let body = json!({
        "credentialName": unique("credential"), "credentialType": "target",
        "credentialAuthType": "oauth2", "credentialRegion": gateway.region,
        "credentialSecret": secret,
    });
    let answer = gateway.api.send("POST", "credentials", &body).await?;
    assert_eq!((answer.status, answer.code()), (400, "ADDRESS_NOT_ALLOWED"));
    assert_eq!(answer.fields(), ["credentialSecret.tokenUrl"]);
    Ok(())
}
