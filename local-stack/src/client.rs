//! The few calls on the Core API that the supervisor makes.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::stack_file::Shown;

const PATIENCE: Duration = Duration::from_secs(40);

/// What this process needs of what core-api gives out at its first start.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tokens {
    pub(crate) client_id: String,
    pub(crate) user_token: Shown,
    pub(crate) operator_token: Shown,
}

/// The Core API as the organisation's owner sees it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: String,
    tokens: Tokens,
}

/// A client of what is on this machine, whatever `HTTP_PROXY` says. reqwest asks for somebody who does
/// its cryptography, whether or not there is any.
pub(crate) fn http() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

impl Client {
    pub(crate) fn new(base_url: String, tokens: Tokens) -> anyhow::Result<Self> {
        let http = http().timeout(PATIENCE).build()?;
        Ok(Self {
            http,
            base_url,
            tokens,
        })
    }

    /// `path` below the organisation, such as `/proxies`.
    pub(crate) async fn create(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let url = self.organisation_url(path);
        self.call(Method::POST, &url, &self.tokens.user_token, Some(body))
            .await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let url = self.organisation_url(path);
        self.call(Method::PATCH, &url, &self.tokens.user_token, Some(body))
            .await
    }

    /// Whether the organisation has this resource.
    pub(crate) async fn exists(&self, path: &str) -> anyhow::Result<bool> {
        let request = self.http.get(self.organisation_url(path));
        let answer = authorised(request, &self.tokens.user_token).send().await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => anyhow::bail!("GET {path} answered {status}"),
        }
    }

    /// Every region core-api knows.
    pub(crate) async fn regions(&self) -> anyhow::Result<Vec<RegionState>> {
        #[derive(Deserialize)]
        struct List {
            data: Vec<RegionState>,
        }
        let url = format!("{}/regions?limit=100", self.base_url);
        let answer = self
            .call(Method::GET, &url, &self.tokens.user_token, None)
            .await?;
        let list: List = serde_json::from_value(answer).context("/regions is not as expected")?;
        Ok(list.data)
    }

    /// Changes the plan, which only an operator may.
    pub(crate) async fn set_plan(&self, plan: &str) -> anyhow::Result<()> {
        let body = serde_json::json!({ "clientPlan": plan });
        let url = self.organisation_url("");
        self.call(Method::PATCH, &url, &self.tokens.operator_token, Some(body))
            .await?;
        Ok(())
    }

    fn organisation_url(&self, path: &str) -> String {
        format!("{}/clients/{}{path}", self.base_url, self.tokens.client_id)
    }

    async fn call(
        &self,
        method: Method,
        url: &str,
        token: &Shown,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let mut request = authorised(self.http.request(method.clone(), url), token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("{method} {url}"))?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(
            status.is_success(),
            "{method} {url} answered {status}: {text}"
        );
        serde_json::from_str(&text).with_context(|| format!("{method} {url} answered no JSON"))
    }
}

fn authorised(request: reqwest::RequestBuilder, token: &Shown) -> reqwest::RequestBuilder {
    request.header("authorization", token.expose())
}

/// A row of `/regions`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegionState {
    pub(crate) region_name: String,
    pub(crate) region_connected: bool,
    pub(crate) envoys: usize,
}
