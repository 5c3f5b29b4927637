//! Callers whose tokens are verified: every kind of key through a real Envoy, and what rules make of
//! the claims.

use anyhow::{Context, Result};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::Secret;
use requestrocket_policy::fixtures::tokens::hs256;
use serde_json::{Value, json};

use crate::callers::{
    Want::{self, Granted, Invalid},
    judge,
};
use crate::scene::Agrees;
use crate::{expect, scene};

const SECRET: &str = "a secret of thirty-two bytes, ok";

type Scene = scene::Scene<Agrees>;

async fn verifying(kind: &'static str, secret: Value) -> Result<Scene> {
    Scene::with(|plan| plan.caller(Secret::new(kind, secret))).await
}

impl Scene {
    async fn check(&self, token: &str, want: Want) -> Result<()> {
        for shown in [token.to_owned(), format!("Bearer {token}")] {
            let request = self.presenting(&shown);
            judge(&self.gateway, &self.target, &request, want).await?;
        }
        Ok(())
    }

    fn presenting(&self, shown: &str) -> Request {
        Request::get(&self.proxy.path("/in")).with("Authorization", shown)
    }
}

/// Tokens of OpenSSL's, each with its key.
fn examples() -> Result<Vec<Value>> {
    let text = include_str!("../../../policy/src/jose/tests/openssl.json");
    Ok(serde_json::from_str(text)?)
}

/// The same text with another signature, as long and as well-formed.
fn resigned(token: &str, others: &[Value]) -> Option<String> {
    let (text, signature) = token.rsplit_once('.')?;
    let other = others.iter().find_map(|other| {
        let (_, other) = other["token"].as_str()?.rsplit_once('.')?;
        (other.len() == signature.len() && other != signature).then_some(other)
    })?;
    Some(format!("{text}.{other}"))
}

#[tokio::test]
async fn every_kind_of_public_key_verifies_in_envoy() -> Result<()> {
    let examples = examples()?;
    for example in &examples {
        let name = format!("{} {}", example["alg"], example["name"]);
        let token = example["token"].as_str().context("a token")?;
        let is_good = example["good"] == true;
        for key in ["jwk", "pem"] {
            let secret = json!({
                "publicKey": example[key],
                "issuer": "https://issuer.example",
            });
            let scene = verifying("jwtVerify", secret).await?;
            let want = if is_good { Granted } else { Invalid };
            scene
                .check(token, want)
                .await
                .with_context(|| name.clone())?;
            // Remembered.
            scene
                .check(token, want)
                .await
                .with_context(|| name.clone())?;
            if let Some(forged) = resigned(token, &examples) {
                scene
                    .check(&forged, Invalid)
                    .await
                    .with_context(|| format!("forged {name}"))?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_shared_secret_verifies_what_the_checks_allow() -> Result<()> {
    let secret = json!({
        "sharedSecret": SECRET, "issuer": "i", "audience": ["a", "b"],
        "requiredClaims": {"tier": ["gold", "iron"]}, "requiredScopes": ["read"],
    });
    let scene = verifying("oauth2", secret).await?;
    let claims = json!({
        "iss": "i", "aud": ["x", "b"], "tier": "gold", "scope": "write read", "exp": 4_102_444_800_u64,
    });
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        hs256(SECRET, &claims.to_string())
    };
    for (token, want) in [
        (with("sub", json!("u-1")), Granted),
        (with("iss", json!("j")), Invalid),
        (with("aud", json!("c")), Invalid),
        (with("tier", json!("wood")), Invalid),
        (with("scope", json!("write")), Invalid),
        (with("exp", json!(1)), Invalid),
        (with("nbf", json!(4_102_444_800_u64)), Invalid),
        (
            hs256("another secret of thirty-two byt", &claims.to_string()),
            Invalid,
        ),
    ] {
        scene.check(&token, want).await?;
    }
    Ok(())
}

#[tokio::test]
async fn claims_decide_rules() -> Result<()> {
    let scene = verifying("jwtVerify", json!({"sharedSecret": SECRET})).await?;
    let rule = json!({
        "effect": "allow",
        "claims": [
            {"path": "$.realm_access.roles[*]", "value": {"pattern": "^admin$"}},
        ],
    });
    scene
        .gateway
        .rule(&scene.proxy, Layer::Proxy, &rule)
        .await?;
    let layer = Layer::Proxy;
    scene
        .gateway
        .default_effect(&scene.proxy, layer, "deny")
        .await?;
    let token = |roles: Value| {
        let claims = json!({"exp": 4_102_444_800_u64, "realm_access": {"roles": roles}});
        hs256(SECRET, &claims.to_string())
    };
    scene.check(&token(json!(["admin"])), Granted).await?;
    let request = scene.presenting(&token(json!(["user"])));
    let reply = scene.gateway.call(&request).await?;
    expect::rule_denied(&reply, layer, "default")
}
