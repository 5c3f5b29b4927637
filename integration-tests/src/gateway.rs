//! The usual scene of a test: a stack, its owner, and proxies made for this test alone.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use requestrocket_policy::fixtures::tokens::hs256;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use crate::caller::{self, Connection, Reply, Request};
use crate::core_api::CoreApi;
use crate::logs;
use crate::stack::{Stack, StackFile, authority};
use crate::wait::{self, Window};

/// A stack as a test uses it.
#[derive(Debug)]
pub struct Gateway {
    pub file: StackFile,
    pub api: CoreApi,
    /// The region in which this gateway makes its records.
    pub region: String,
    /// `host:port` of one of its Envoys.
    pub address: String,
}

/// A proxy with the records it was made of.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub id: String,
    pub target_id: String,
    pub target_credential_id: String,
    pub credential_ids: Vec<String>,
    /// What the first credential's caller sends as `Authorization`.
    pub authorization: String,
}

impl Proxy {
    /// `/api/{id}` with `rest` behind it.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/{}{rest}", self.id)
    }

    /// A request of an authorised caller.
    pub fn request(&self, method: &str, rest: &str) -> Request {
        Request::new(method, &self.path(rest)).with("authorization", &self.authorization)
    }

    pub fn get(&self, rest: &str) -> Request {
        self.request("GET", rest)
    }
}

/// A credential's secret as the Core API takes it.
#[derive(Clone, Debug)]
pub struct Secret {
    pub kind: &'static str,
    pub body: Value,
}

impl Secret {
    pub fn new(kind: &'static str, body: Value) -> Self {
        Self { kind, body }
    }

    pub fn api_key(key: &str) -> Self {
        Self::new("apiKey", json!({ "key": key }))
    }

    pub fn none() -> Self {
        Self::new("none", json!({}))
    }

    /// What a caller sends as `Authorization` for the types both sides know.
    fn authorization(&self) -> String {
        let member = |name: &str| {
            self.body
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned()
        };
        match self.kind {
            "apiKey" => member("key"),
            "bearer" => format!("Bearer {}", member("token")),
            "basicAuth" => crate::canary::basic(&member("username"), &member("password")),
            "jwtVerify" => hs256(&member("sharedSecret"), r#"{"exp":4102444800}"#),
            _ => member("token"),
        }
    }
}

/// What a proxy is made of; everything has a default but the target's address.
#[derive(Clone, Debug)]
pub struct ProxyPlan {
    base_url: String,
    callers: Vec<Secret>,
    injected: Secret,
    members: Map<String, Value>,
}

impl ProxyPlan {
    /// A proxy to `base_url` with one generated key and nothing injected.
    pub fn to(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            callers: vec![Secret::api_key(&unique("key-for-tests"))],
            injected: Secret::none(),
            members: Map::new(),
        }
    }

    #[must_use]
    pub fn callers(mut self, secrets: &[Secret]) -> Self {
        self.callers = secrets.to_vec();
        self
    }

    #[must_use]
    pub fn caller(self, secret: Secret) -> Self {
        self.callers(&[secret])
    }

    #[must_use]
    pub fn injecting(mut self, secret: Secret) -> Self {
        self.injected = secret;
        self
    }

    /// Sets a member of the proxy's body.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }
}

/// A name no other test uses.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{}-{number}", std::process::id())
}

/// The stack that most tests share. One a process: run this suite with `cargo test`, where
/// tests are threads of one process; cargo-nextest would start a stack for each test.
async fn shared_stack() -> Result<&'static Stack> {
    static SHARED: StackCell = OnceCell::const_new();
    stack_of(&SHARED).await
}

type StackCell = OnceCell<Result<Stack, String>>;

async fn stack_of(cell: &'static StackCell) -> Result<&'static Stack> {
    let made = cell
        .get_or_init(|| async {
            Stack::start_for_process(&[])
                .await
                .map_err(|error| format!("{error:#}"))
        })
        .await;
    made.as_ref()
        .map_err(|problem| anyhow!("the shared stack: {problem}"))
}

impl Gateway {
    /// The stack that the tests share; nothing in it may be broken.
    pub async fn shared() -> Result<Self> {
        Self::of(shared_stack().await?)
    }

    /// Another one, for tests that send much: the memory of the first one's Envoy is measured, and
    /// a filter gives back none.
    pub async fn shared_for_much() -> Result<Self> {
        static SHARED: StackCell = OnceCell::const_new();
        Self::of(stack_of(&SHARED).await?)
    }

    /// The first Envoy of the first region.
    pub fn of(stack: &Stack) -> Result<Self> {
        Self::at(stack, &stack.region()?.name, stack.gateway()?)
    }

    /// Every Envoy of a region.
    pub fn of_region(stack: &Stack, region: &str) -> Result<Vec<Self>> {
        let mut regions = stack.file.regions.iter();
        let entry = regions
            .find(|entry| entry.name == region)
            .context("no such region")?;
        let listeners = entry.envoys.iter().map(|envoy| authority(&envoy.listener));
        listeners
            .map(|address| Self::at(stack, region, address.to_owned()))
            .collect()
    }

    fn at(stack: &Stack, region: &str, address: String) -> Result<Self> {
        Ok(Self {
            file: stack.file.clone(),
            api: CoreApi::owner(&stack.file)?,
            region: region.to_owned(),
            address,
        })
    }

    /// The same Envoy as a new organisation of the largest plan uses it.
    pub async fn neighbour(&self) -> Result<Self> {
        let body = json!({ "clientName": unique("Neighbour") });
        let made = self.api.create("/clients", &body).await?;
        let organisation = id(&made, "clientId")?;
        let operator = self.file.operator_token.as_str();
        let operator = self.api.with_authorization(Some(operator));
        let path = format!("/clients/{organisation}");
        let plan = json!({ "clientPlan": "business" });
        operator.applied("PATCH", &path, &plan).await?;
        Ok(Self {
            file: self.file.clone(),
            api: self.api.in_organisation(&organisation),
            region: self.region.clone(),
            address: self.address.clone(),
        })
    }

    /// The shared stack itself, for tests that look at its processes.
    pub async fn shared_stack() -> Result<&'static Stack> {
        shared_stack().await
    }

    /// Creates a credential and gives its resource back.
    pub async fn credential(&self, side: &str, secret: &Secret) -> Result<Value> {
        let mut body = json!({
            "credentialName": unique("credential"),
            "credentialType": side,
            "credentialAuthType": secret.kind,
            "credentialRegion": self.region,
        });
        if secret.kind != "none" {
            insert(&mut body, "credentialSecret", secret.body.clone());
        }
        self.api
            .create("credentials", &body)
            .await
            .with_context(|| format!("credential {}", secret.kind))
    }

    pub async fn target(&self, base_url: &str) -> Result<Value> {
        let body = json!({
            "targetName": unique("target"),
            "targetBaseURL": base_url,
            "targetRegion": self.region,
        });
        self.api.create("targets", &body).await
    }

    /// Creates everything a proxy needs; it is enforced when this returns. The day of one with a
    /// limit goes on for a minute.
    pub async fn proxy(&self, plan: &ProxyPlan) -> Result<Proxy> {
        if plan.members.contains_key("proxyMaxRequestsPerDay") {
            wait::for_window(Window::Hour, 60).await?;
        }
        let mut credential_ids = Vec::new();
        for secret in &plan.callers {
            let made = self.credential("proxy", secret).await?;
            credential_ids.push(id(&made, "credentialId")?);
        }
        let target_id = id(&self.target(&plan.base_url).await?, "targetId")?;
        let injected = self.credential("target", &plan.injected).await?;
        let target_credential_id = id(&injected, "credentialId")?;
        let mut body = json!({
            "proxyName": unique("proxy"),
            "proxyRegion": self.region,
            "proxyProxyCredentialIds": credential_ids,
            "proxyTargetId": target_id,
            "proxyTargetCredentialId": target_credential_id,
        });
        for (member, value) in &plan.members {
            insert(&mut body, member, value.clone());
        }
        let made = self.api.applied("POST", "proxies", &body).await?;
        Ok(Proxy {
            id: id(&made.json, "proxyId")?,
            target_id,
            target_credential_id,
            credential_ids,
            authorization: plan
                .callers
                .first()
                .map(Secret::authorization)
                .unwrap_or_default(),
        })
    }

    /// A proxy to `base_url` with all defaults.
    pub async fn proxy_to(&self, base_url: &str) -> Result<Proxy> {
        self.proxy(&ProxyPlan::to(base_url)).await
    }

    pub async fn call(&self, request: &Request) -> Result<Reply> {
        caller::call(&self.address, request).await
    }

    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(&self.address).await
    }

    /// Sends raw bytes over a connection of their own; `None` is a close without an answer.
    pub async fn raw(&self, method: &str, bytes: &[u8]) -> Result<Option<Reply>> {
        let mut connection = self.connect().await?;
        connection.send(bytes).await?;
        connection.answer(method).await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "logs of the stack end with\n{}",
                logs::tail(&self.file.logs)
            );
        }
    }
}

/// The id member of a resource.
pub fn id(resource: &Value, member: &str) -> Result<String> {
    let found = resource.get(member).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no {member} in {resource}"))?
        .to_owned())
}

/// Every byte that is not a letter or digit, percent-encoded.
pub fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn insert(object: &mut Value, member: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(member.to_owned(), value);
    }
}
