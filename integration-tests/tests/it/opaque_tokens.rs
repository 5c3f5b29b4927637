//! Callers whose tokens only their authorization server can read.

use anyhow::Result;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::external::curl;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret};
use requestrocket_integration_tests::issuer::Issuer;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use serde_json::json;

use crate::callers::{
    Want::{Granted, Invalid},
    judge,
};
use crate::expect;

struct Scene {
    gateway: Gateway,
    target: Target,
    proxy: Proxy,
    issuer: Issuer,
}

impl Scene {
    async fn new(audience: &str) -> Result<Self> {
        let (gateway, target) = (Gateway::shared().await?, Target::start().await?);
        let issuer = Issuer::start().await?;
        let secret = json!({
            "introspectionUrl": format!("{}/token/introspection", issuer.url),
            "clientId": "caller", "clientSecret": "caller-secret",
            "issuer": issuer.url, "audience": [audience], "requiredScopes": ["read"],
        });
        let plan = ProxyPlan::to(&target.url()).caller(Secret::new("oauth2", secret));
        let proxy = gateway.proxy(&plan).await?;
        Ok(Self {
            gateway,
            target,
            proxy,
            issuer,
        })
    }

    fn request(&self, token: &str) -> Request {
        let shown = format!("Bearer {token}");
        Request::get(&self.proxy.path("/in")).with("Authorization", &shown)
    }
}

#[tokio::test]
async fn a_real_server_is_asked_about_its_tokens_and_not_again_for_a_while() -> Result<()> {
    let scene = Scene::new("https://opaque.example").await?;
    let (gateway, target, issuer) = (&scene.gateway, &scene.target, &scene.issuer);
    let good = issuer.opaque_token("read").await?;
    for _ in 0..20 {
        judge(gateway, target, &scene.request(&good), Granted).await?;
    }
    assert_eq!(issuer.introspected().await?, 1);
    let narrow = issuer.opaque_token("write").await?;
    judge(gateway, target, &scene.request(&narrow), Invalid).await?;
    for _ in 0..20 {
        judge(gateway, target, &scene.request("invented"), Invalid).await?;
    }
    assert_eq!(issuer.introspected().await?, 3);
    let revoked = issuer.opaque_token("read").await?;
    issuer.revoke(&revoked).await?;
    judge(gateway, target, &scene.request(&revoked), Invalid).await?;
    let other = Scene::new("https://another.example").await?;
    let theirs = other.issuer.opaque_token("read").await?;
    let request = other.request(&theirs);
    judge(gateway, &other.target, &request, Invalid).await
}

#[tokio::test]
async fn a_server_that_is_down_lets_in_whom_it_knew() -> Result<()> {
    let scene = Scene::new("https://opaque.example").await?;
    let known = scene.issuer.opaque_token("read").await?;
    let later = scene.issuer.opaque_token("read").await?;
    let (known, later) = (scene.request(&known), scene.request(&later));
    let Scene {
        gateway,
        target,
        issuer,
        ..
    } = scene;
    judge(&gateway, &target, &known, Granted).await?;
    let url = issuer.url.clone();
    drop(issuer);
    wait::until("an issuer that is gone", || async {
        let answer = curl(&[&url]).await?;
        Ok(answer.success().is_err().then_some(()))
    })
    .await?;
    let reply = gateway.call(&later).await?;
    expect::error(
        &reply,
        503,
        "proxy-access-denied",
        "CREDENTIAL_CHECK_UNAVAILABLE",
    )?;
    assert_eq!(reply.header("retry-after")?, "1");
    judge(&gateway, &target, &known, Granted).await
}
