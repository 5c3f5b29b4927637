//! An OpenID Connect issuer: oidc-provider, which `scripts/setup` installs.

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::process::Child;

use crate::external::{curl, serving_node};

/// Its client, which may ask for itself and about tokens.
const CLIENT: &str = "caller:caller-secret";

/// Its access tokens are JWTs for `https://api.example`, signed with ES256.
#[derive(Debug)]
pub struct Issuer {
    /// Its name and address.
    pub url: String,
    _process: Child,
}

impl Issuer {
    pub async fn start() -> Result<Self> {
        let (process, port) = serving_node("issuer.mjs", &[]).await?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            _process: process,
        })
    }

    /// An access token with this scope.
    pub async fn token(&self, scope: &str) -> Result<String> {
        self.token_for("https://api.example", scope).await
    }

    /// One that only the issuer can read, for `https://opaque.example`.
    pub async fn opaque_token(&self, scope: &str) -> Result<String> {
        self.token_for("https://opaque.example", scope).await
    }

    /// Has a token be none.
    pub async fn revoke(&self, token: &str) -> Result<()> {
        let (token, url) = (
            format!("token={token}"),
            format!("{}/token/revocation", self.url),
        );
        curl(&["--user", CLIENT, "--data", &token, &url])
            .await?
            .success()?;
        Ok(())
    }

    async fn token_for(&self, resource: &str, scope: &str) -> Result<String> {
        let (resource, scope) = (format!("resource={resource}"), format!("scope={scope}"));
        let url = format!("{}/token", self.url);
        let grant = "grant_type=client_credentials";
        let data = ["--data", grant, "--data", &resource, "--data", &scope];
        let answer = curl(&[&["--user", CLIENT][..], &data, &[&url]].concat()).await?;
        let answer = answer.success()?;
        let answer: Value = serde_json::from_str(&answer).with_context(|| answer.clone())?;
        let token = answer.get("access_token").and_then(Value::as_str);
        Ok(token.context("no access token")?.to_owned())
    }

    /// Has another key from now on, and no other.
    pub async fn roll(&self) -> Result<()> {
        self.post("roll").await
    }

    /// Has whoever asks for its keys wait.
    pub async fn hold(&self) -> Result<()> {
        self.post("hold").await
    }

    /// Answers those that wait.
    pub async fn release(&self) -> Result<()> {
        self.post("release").await
    }

    async fn post(&self, what: &str) -> Result<()> {
        let url = format!("{}/{what}", self.url);
        curl(&["--request", "POST", &url]).await?.success()?;
        Ok(())
    }

    /// How often its keys were asked for.
    pub async fn asked(&self) -> Result<usize> {
        self.count("asked").await
    }

    /// How often it was asked about tokens.
    pub async fn introspected(&self) -> Result<usize> {
        self.count("introspected").await
    }

    async fn count(&self, of: &str) -> Result<usize> {
        let answer = curl(&[&format!("{}/{of}", self.url)]).await?.success()?;
        Ok(answer.trim().parse()?)
    }
}
