//! Callers that use the OAuth libraries which many use: requests-oauthlib and Authlib.

use anyhow::Result;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::external;
use requestrocket_integration_tests::gateway::Secret;
use requestrocket_integration_tests::issuer::Issuer;
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::scene;
use crate::scene::Agrees;

const SCRIPT: &str = include_str!("oauth_callers/callers.py");

#[tokio::test]
async fn libraries_are_let_in_with_the_tokens_that_they_were_given() -> Result<()> {
    let issuer = Issuer::start().await?;
    let secret = json!({
        "issuer": issuer.url, "audience": ["https://api.example"], "requiredScopes": ["read"],
    });
    let secret = Secret::new("oauth2", secret);
    let scene = scene::Scene::<Agrees>::with(|plan| plan.caller(secret)).await?;
    let path = scene.proxy.path("/in");
    let token = format!("Bearer {}", issuer.token("read").await?);
    let first = Request::get(&path).with("authorization", &token);
    wait::until("keys of the issuer", || async {
        let reply = scene.gateway.call(&first).await?;
        Ok((reply.status == 200).then_some(()))
    })
    .await?;
    let known = json!({
        "issuer": issuer.url, "url": format!("http://{}{path}", scene.gateway.address),
    });
    let before = scene.target.count();
    let printed = external::python(SCRIPT, &[&known.to_string()]).await?;
    let got: Value = serde_json::from_str(&printed.success()?)?;
    let want = json!({
        "requests_oauthlib": [200, 403], "authlib_requests": [200, 403], "authlib_httpx": [200, 403],
    });
    assert_eq!(got, want);
    assert_eq!(scene.target.count(), before + 3);
    assert!(scene.target.last()?.head.all("authorization").is_empty());
    Ok(())
}
