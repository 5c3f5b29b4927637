//! A provider where people log in and consent, oidc-provider, and a browser that does so there.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Child;

use crate::external::{curl, serving_node};
use crate::sso::Browser;

/// Its client is `gateway`; access tokens live ten seconds, refresh tokens are of use once.
#[derive(Debug)]
pub struct ConsentProvider {
    url: String,
    redirect_uri: String,
    _process: Child,
}

/// What was shown for a token, and what came of it: `token` or an error.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Grant {
    pub grant: String,
    pub outcome: String,
}

impl ConsentProvider {
    /// One that sends browsers to this address alone.
    pub async fn start(redirect_uri: &str) -> Result<Self> {
        let (process, port) = serving_node("consent.mjs", &[redirect_uri.to_owned()]).await?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            redirect_uri: redirect_uri.to_owned(),
            _process: process,
        })
    }

    /// The `credentialSecret` for it.
    #[must_use]
    pub fn secret(&self) -> Value {
        let url = &self.url;
        json!({
            "grantType": "authorization_code", "authorizationUrl": format!("{url}/auth"),
            "tokenUrl": format!("{url}/token"), "clientId": "gateway",
            "clientSecret": "canary-client-secret", "scopes": ["openid", "offline_access"],
            "authorizationParams": {"prompt": "consent"},
        })
    }

    /// Logs in and consents as a browser would; the address to which it is sent back.
    pub async fn consent(&self, address: &str) -> Result<String> {
        Browser::new()?.go(address, "ada", &self.redirect_uri).await
    }

    /// What was shown for tokens so far.
    pub async fn grants(&self) -> Result<Vec<Grant>> {
        let answer = curl(&[&format!("{}/grants", self.url)]).await?.success()?;
        serde_json::from_str(&answer).with_context(|| answer.clone())
    }
}
