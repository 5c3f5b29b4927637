//! Callers whose tokens are verified with keys that their issuer publishes and the region fetches.

use std::time::Duration;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::try_join_all;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, Secret, id, unique};
use requestrocket_integration_tests::issuer::Issuer;
use requestrocket_integration_tests::target::{Target, answer};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::callers::{
    Want::{Granted, Invalid},
    judge,
};
use crate::scene::Agrees;
use crate::{expect, scene};

type Scene = scene::Scene<Agrees>;

async fn verifying(kind: &'static str, secret: Value) -> Result<Scene> {
    Scene::with(|plan| plan.caller(Secret::new(kind, secret))).await
}

impl Scene {
    /// The keys are there when a token that is right is let in.
    async fn is_ready(&self, token: &str) -> Result<()> {
        wait::until("a call that is granted", || self.judged(token)).await
    }

    /// None: it is refused.
    async fn judged(&self, token: &str) -> Result<Option<()>> {
        let reply = self.gateway.call(&self.with_token(token)).await?;
        if reply.status == 403 {
            expect::denied(&reply, 403, "CREDENTIAL_INVALID")?;
            return Ok(None);
        }
        expect::ok(&reply).map(Some)
    }

    fn with_token(&self, token: &str) -> Request {
        let shown = format!("Bearer {token}");
        Request::get(&self.proxy.path("/in")).with("Authorization", &shown)
    }
}

/// A credential of callers; the answer comes when its keys are there, or failed.
async fn made(gateway: &Gateway, secret: &Value) -> Result<Value> {
    let body = json!({
        "credentialName": unique("credential"), "credentialType": "proxy",
        "credentialAuthType": "jwtVerify", "credentialRegion": gateway.region,
        "credentialSecret": secret,
    });
    Ok(gateway
        .api
        .applied("POST", "credentials", &body)
        .await?
        .json)
}

#[tokio::test]
async fn tokens_of_a_real_issuer_are_verified_with_the_keys_it_publishes() -> Result<()> {
    let issuer = Issuer::start().await?;
    let scene = verifying(
        "oauth2",
        json!({
            "issuer": issuer.url, "audience": ["https://api.example"], "requiredScopes": ["read"],
        }),
    )
    .await?;
    let (gateway, target) = (&scene.gateway, &scene.target);
    let good = issuer.token("read").await?;
    scene.is_ready(&good).await?;
    judge(gateway, target, &scene.with_token(&good), Granted).await?;
    let narrow = issuer.token("write").await?;
    judge(gateway, target, &scene.with_token(&narrow), Invalid).await?;
    let another = Issuer::start().await?.token("read").await?;
    judge(gateway, target, &scene.with_token(&another), Invalid).await?;
    Ok(())
}

#[tokio::test]
async fn how_fetching_goes_is_shown_on_the_credential() -> Result<()> {
    let (gateway, issuer) = (Gateway::shared().await?, Issuer::start().await?);
    let good = made(&gateway, &json!({"issuer": issuer.url})).await?;
    assert_eq!(good["credentialStatus"], "active");
    let keys = &good["credentialToken"];
    assert!(
        keys["expiresAt"].is_string() && keys["lastRefreshAt"].is_string(),
        "{good}"
    );
    let pages = Target::answering(|_| answer::json(r#"{"keys": []}"#)).await?;
    for (secret, code) in [
        (json!({"jwksUri": pages.url()}), "no_keys"),
        (json!({"issuer": pages.url()}), "unreadable_discovery"),
        (
            json!({"issuer": format!("{}/", issuer.url)}),
            "issuer_mismatch",
        ),
        (
            json!({"jwksUri": format!("{}/nothing", issuer.url)}),
            "http_404",
        ),
    ] {
        let failed = made(&gateway, &secret).await?;
        assert_eq!(failed["credentialStatus"], "failing", "{failed}");
        assert_eq!(failed["credentialToken"]["lastErrorCode"], code, "{failed}");
    }
    let path = format!("credentials/{}", id(&good, "credentialId")?);
    gateway.api.send("PUT", &path, &good).await?.succeeded()?;
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_new_is_known_once_somebody_shows_it() -> Result<()> {
    /// A source is asked once in 30 seconds.
    const LIMIT: Duration = Duration::from_mins(1);
    let issuer = Issuer::start().await?;
    let scene = verifying("oauth2", json!({"issuer": issuer.url})).await?;
    let old = issuer.token("read").await?;
    scene.is_ready(&old).await?;
    let asked = issuer.asked().await?;
    issuer.roll().await?;
    let new = issuer.token("read").await?;
    issuer.hold().await?;
    wait::until_within(LIMIT, "a call that waits for the issuer", || async {
        let is_asked = wait::until_within(LIMIT, "a question to the issuer", || async {
            Ok((issuer.asked().await? > asked).then_some(()))
        });
        tokio::select! {
            biased;
            granted = scene.judged(&new) => {
                anyhow::ensure!(granted?.is_none(), "nobody knows the key yet");
                Ok(None)
            }
            is_asked = is_asked => is_asked.map(Some),
        }
    })
    .await?;
    issuer.release().await?;
    scene.is_ready(&new).await?;
    judge(
        &scene.gateway,
        &scene.target,
        &scene.with_token(&old),
        Invalid,
    )
    .await?;
    assert_eq!(
        issuer.asked().await?,
        asked + 1,
        "however often it was shown"
    );
    Ok(())
}

#[tokio::test]
async fn ten_thousand_key_ids_have_the_issuer_asked_once_in_a_while() -> Result<()> {
    const CALLERS: usize = 4;
    let issuer = Issuer::start().await?;
    let secret = json!({"issuer": issuer.url, "audience": ["https://api.example"]});
    let scene = verifying("jwtVerify", secret).await?;
    let good = issuer.token("read").await?;
    scene.is_ready(&good).await?;
    let claims = good.split('.').nth(1).unwrap_or_default();
    let (begun, asked) = (tokio::time::Instant::now(), issuer.asked().await?);
    let strangers = (0..CALLERS).map(|caller| {
        let scene = &scene;
        async move {
            let mut connection = scene.gateway.connect().await?;
            for number in (caller..10_000).step_by(CALLERS) {
                let header = json!({"alg": "ES256", "kid": format!("stranger-{number}")});
                let header = URL_SAFE_NO_PAD.encode(header.to_string());
                let token = format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 64]));
                let reply = connection.call(&scene.with_token(&token)).await?;
                expect::denied(&reply, 403, "CREDENTIAL_INVALID")?;
            }
            anyhow::Ok(())
        }
    });
    try_join_all(strangers).await?;
    // Once in thirty seconds, however long this took.
    let most = asked + 1 + usize::try_from(begun.elapsed().as_secs() / 30)?;
    let now = issuer.asked().await?;
    ensure!(now <= most, "{now} times, not {most}");
    judge(
        &scene.gateway,
        &scene.target,
        &scene.with_token(&good),
        Granted,
    )
    .await
}
