//! A client of the Core API that shows status, headers and body of every answer.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::http;
use crate::stack::StackFile;

/// How long `?wait=applied` may take before the harness calls it a fault.
const WAIT: &str = "wait=applied&waitSeconds=20";

/// Somebody who uses the Core API of a stack.
#[derive(Clone, Debug)]
pub struct CoreApi {
    client: Client,
    base: String,
    authorization: Option<String>,
    /// The organisation every relative path is below of.
    pub organisation: String,
}

/// An answer of the Core API.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    /// A member of the body that is text; empty when it is not there.
    pub fn text_at(&self, pointer: &str) -> &str {
        self.json
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("")
    }

    pub fn code(&self) -> &str {
        self.text_at("/code")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }

    /// The `field`s of `details`.
    pub fn fields(&self) -> Vec<&str> {
        let details = self.json.get("details").and_then(Value::as_array);
        let details = details.into_iter().flatten();
        details
            .filter_map(|one| one.get("field").and_then(Value::as_str))
            .collect()
    }

    /// Fails unless the status is one of 200, 201 and 204.
    pub fn succeeded(self) -> Result<Self> {
        if matches!(self.status, 200 | 201 | 204) {
            Ok(self)
        } else {
            bail!("the Core API answered {}: {}", self.status, self.text)
        }
    }
}

impl CoreApi {
    /// The owner that the first start made.
    pub fn owner(file: &StackFile) -> Result<Self> {
        let client = http::client().timeout(Duration::from_secs(40)).build()?;
        Ok(Self {
            client,
            base: file.core_api.trim_end_matches('/').to_owned(),
            authorization: Some(file.user_token.clone()),
            organisation: file.client_id.clone(),
        })
    }

    /// The same API with another `Authorization` header, or none.
    #[must_use]
    pub fn with_authorization(&self, authorization: Option<&str>) -> Self {
        Self {
            authorization: authorization.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The same user in another organisation.
    #[must_use]
    pub fn in_organisation(&self, organisation: &str) -> Self {
        Self {
            organisation: organisation.to_owned(),
            ..self.clone()
        }
    }

    /// The id of the organisation.
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// `path` below the organisation, or anywhere when it starts with a slash.
    fn url(&self, path: &str) -> String {
        if path.starts_with('/') {
            format!("{}{path}", self.base)
        } else {
            format!("{}/clients/{}/{path}", self.base, self.organisation)
        }
    }

    /// A GET whose answer goes on: its body is still to be read.
    pub async fn begin(&self, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
        let request = self.client.get(self.url(path));
        let authorization = self.authorization.as_deref().unwrap_or_default();
        let request = request.header("authorization", authorization);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Ok(request.send().await?.error_for_status()?)
    }

    /// A request with exactly these bytes.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer> {
        let method = Method::from_bytes(method.as_bytes())?;
        let mut request = self.client.request(method, self.url(path)).body(body);
        if let Some(token) = &self.authorization {
            request = request.header("authorization", token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.with_context(|| path.to_owned())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer {
            status,
            headers,
            text,
            json,
        })
    }

    /// A request with a JSON body.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let headers = [("content-type", "application/json")];
        self.raw(method, path, &headers, body.to_string().into_bytes())
            .await
    }

    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.raw("GET", path, &[], Vec::new()).await
    }

    /// Creates a record and fails unless that worked; does not wait for Envoy.
    pub async fn create(&self, collection: &str, body: &Value) -> Result<Value> {
        Ok(self.send("POST", collection, body).await?.succeeded()?.json)
    }

    /// A mutation that answers when every Envoy has it; fails when one did not take it.
    pub async fn applied(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}{WAIT}");
        let answer = if body.is_null() {
            self.raw(method, &path, &[], Vec::new())
                .await?
                .succeeded()?
        } else {
            self.send(method, &path, body).await?.succeeded()?
        };
        match answer.header("requestrocket-config-applied") {
            "true" => Ok(answer),
            other => bail!("{method} {path}: applied is `{other}`: {}", answer.text),
        }
    }

    /// The status of a proxy as the fleet sees it.
    pub async fn status(&self, proxy: &str) -> Result<Value> {
        Ok(self
            .get(&format!("proxies/{proxy}/status"))
            .await?
            .succeeded()?
            .json)
    }
}
