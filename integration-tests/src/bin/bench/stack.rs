//! The measured stack: the supervisor in release mode, and the few Core API calls needed.

use requestrocket_integration_tests::http;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::load::Load;

/// A running stack; ended on drop.
#[derive(Debug)]
pub(crate) struct BenchStack {
    supervisor: Child,
    description: Value,
    http: reqwest::Client,
    region: String,
}

/// A proxy that forwards to the measured target.
#[derive(Clone, Debug)]
pub(crate) struct BenchProxy {
    pub(crate) proxy_id: String,
    pub(crate) credential: String,
    pub(crate) bindings: Bindings,
    pub(crate) envoy_binary: PathBuf,
}

/// What every proxy of the fleet shares.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "they are ids")]
pub(crate) struct Bindings {
    pub(crate) proxy_credential_id: String,
    pub(crate) target_id: String,
    pub(crate) target_credential_id: String,
}

/// Type and secret of a credential.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    auth_type: &'static str,
    secret: Value,
}

impl Form {
    pub(crate) fn new(auth_type: &'static str, secret: Value) -> Self {
        Self { auth_type, secret }
    }
}

/// Of what types a proxy's credentials are.
#[derive(Clone, Debug)]
pub(crate) struct Forms {
    pub(crate) caller: Form,
    pub(crate) injected: Form,
}

impl Default for Forms {
    /// A generated key, and a static token.
    fn default() -> Self {
        Self {
            caller: Form::new("apiKey", json!({})),
            injected: Form::new("bearer", json!({"token": "target-secret"})),
        }
    }
}

impl BenchStack {
    /// Starts the supervisor that lies beside this program and waits until it is ready. `filter`
    /// stands in for the module that is shipped.
    pub(crate) async fn start(data_dir: &Path, filter: Option<&Path>) -> anyhow::Result<Self> {
        Self::start_workers(data_dir, filter, 1).await
    }

    /// The same with so many workers in Envoy.
    pub(crate) async fn start_workers(
        data_dir: &Path,
        filter: Option<&Path>,
        workers: u16,
    ) -> anyhow::Result<Self> {
        let filter = filter.map(|module| format!("--filter-wasm={}", module.display()));
        Self::start_with(data_dir, filter, workers).await
    }

    /// The same on that PostgreSQL server.
    pub(crate) async fn start_on(data_dir: &Path, database_url: &str) -> anyhow::Result<Self> {
        let database = format!("--database-url={database_url}");
        Self::start_with(data_dir, Some(database), 1).await
    }

    async fn start_with(
        data_dir: &Path,
        option: Option<String>,
        workers: u16,
    ) -> anyhow::Result<Self> {
        let supervisor = Command::new(beside_this_program("requestrocket-local-stack")?)
            .args([
                "--release",
                "--ports",
                "auto",
                "--no-demo",
                "--envoy-threads",
            ])
            .arg(workers.to_string())
            .arg("--data-dir")
            .arg(data_dir)
            .args(option)
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .context("the supervisor cannot be started; `make bench` builds it")?;
        let mut stack = Self {
            supervisor,
            description: Value::Null,
            // Shorter than core-api keeps idle connections, which may close while a load blocks us.
            http: http::client()
                .pool_idle_timeout(Duration::from_secs(5))
                .build()?,
            region: String::new(),
        };
        stack.description = stack.wait_until_ready(&data_dir.join("stack.json")).await?;
        stack.region = stack.text("/regions/0/name")?;
        Ok(stack)
    }

    async fn wait_until_ready(&mut self, file: &Path) -> anyhow::Result<Value> {
        for _ in 0..1200 {
            if let Ok(text) = std::fs::read(file) {
                return Ok(serde_json::from_slice(&text)?);
            }
            if let Some(status) = self.supervisor.try_wait()? {
                anyhow::bail!("the supervisor ended with {status}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the stack was not ready within a minute")
    }

    /// Creates the credentials and the target that all proxies share.
    pub(crate) async fn create_bindings(
        &self,
        name: &str,
        target_url: &str,
    ) -> anyhow::Result<(Bindings, String)> {
        let (bindings, caller) = self
            .create_bindings_of(name, target_url, &Forms::default())
            .await?;
        let key = caller["credentialSecret"]["key"].as_str();
        Ok((bindings, key.context("no generated key")?.to_owned()))
    }

    /// The same of these types; the answer for the caller's.
    async fn create_bindings_of(
        &self,
        name: &str,
        target_url: &str,
        Forms { caller, injected }: &Forms,
    ) -> anyhow::Result<(Bindings, Value)> {
        let target = json!({
            "targetName": name, "targetBaseURL": target_url, "targetRegion": self.region,
        });
        let target = self.create("targets", &target).await?;
        let caller = self.create_credential((name, "proxy"), caller).await?;
        let injected = self.create_credential((name, "target"), injected).await?;
        let bindings = Bindings {
            proxy_credential_id: member(&caller, "credentialId")?,
            target_id: member(&target, "targetId")?,
            target_credential_id: member(&injected, "credentialId")?,
        };
        Ok((bindings, caller))
    }

    async fn create_credential(
        &self,
        (name, side): (&str, &str),
        form: &Form,
    ) -> anyhow::Result<Value> {
        let credential = json!({
            "credentialName": format!("{name} {side}"), "credentialType": side,
            "credentialAuthType": form.auth_type, "credentialSecret": form.secret,
            "credentialRegion": self.region,
        });
        self.create("credentials", &credential).await
    }

    /// Creates one proxy; its id.
    pub(crate) async fn create_bound_proxy(
        &self,
        name: &str,
        to: &Bindings,
        wait: bool,
    ) -> anyhow::Result<String> {
        let path = if wait {
            "proxies?wait=applied&waitSeconds=30"
        } else {
            "proxies"
        };
        let proxy = self
            .create(path, &json!({
                "proxyName": name, "proxyRegion": self.region,
                "proxyProxyCredentialIds": [to.proxy_credential_id],
                "proxyTargetId": to.target_id, "proxyTargetCredentialId": to.target_credential_id,
            }))
            .await?;
        member(&proxy, "proxyId")
    }

    /// A proxy to `target_url` with all it needs, enforced.
    pub(crate) async fn create_proxy(
        &self,
        name: &str,
        target_url: &str,
    ) -> anyhow::Result<BenchProxy> {
        self.create_proxy_of(name, target_url, &Forms::default())
            .await
    }

    /// The same with credentials of these types. Without a generated key its credential is empty.
    pub(crate) async fn create_proxy_of(
        &self,
        name: &str,
        target_url: &str,
        forms: &Forms,
    ) -> anyhow::Result<BenchProxy> {
        let (bindings, caller) = self.create_bindings_of(name, target_url, forms).await?;
        let proxy_id = self.create_bound_proxy(name, &bindings, true).await?;
        let envoy_binary = std::fs::read_link(format!("/proc/{}/exe", self.envoy_pid()?))?;
        let key = caller["credentialSecret"]["key"].as_str();
        Ok(BenchProxy {
            proxy_id,
            credential: key.unwrap_or_default().to_owned(),
            bindings,
            envoy_binary,
        })
    }

    /// Waits until calls pass: a token may have to be obtained first.
    pub(crate) async fn wait_until_granted(&self, proxy: &BenchProxy) -> anyhow::Result<()> {
        let url = self.proxy_url(&proxy.proxy_id)? + "/v1/me";
        for _ in 0..400 {
            let call = self.http.get(&url);
            let call = call.header("authorization", &proxy.credential);
            if call.send().await?.status().is_success() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("calls do not pass")
    }

    /// Attaches rules, filters or meters, as the last word of `path` says; enforced when this
    /// returns.
    pub(crate) async fn attach(&self, path: &str, form: &Value) -> anyhow::Result<()> {
        let path = format!("{path}?wait=applied&waitSeconds=30");
        self.create(&path, form).await.map(drop)
    }

    /// Changes what is there below the organisation; answers when the Core API has.
    pub(crate) async fn change(&self, path: &str, change: &Value) -> anyhow::Result<()> {
        let url = self.organisation_url(path)?;
        let answer = self
            .http
            .patch(url)
            .header("authorization", self.text("/userToken")?)
            .json(change)
            .send()
            .await?;
        anyhow::ensure!(
            answer.status().is_success(),
            "PATCH answered {}",
            answer.status()
        );
        Ok(())
    }

    /// Envoy's whole configuration as its admin endpoint dumps it.
    pub(crate) async fn config_dump(&self) -> anyhow::Result<Value> {
        let url = format!("{}/config_dump", self.text("/regions/0/envoys/0/admin")?);
        Ok(self
            .http
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?)
    }

    pub(crate) fn load(&self, proxy: &BenchProxy) -> anyhow::Result<Load> {
        Ok(Load {
            url: self.proxy_url(&proxy.proxy_id)? + "/v1/me",
            authorization: proxy.credential.clone(),
            tokens: None,
            envoy_pid: self.envoy_pid()?,
        })
    }

    /// Where callers find a proxy.
    pub(crate) fn proxy_url(&self, proxy_id: &str) -> anyhow::Result<String> {
        Ok(format!(
            "{}/api/{proxy_id}",
            self.text("/regions/0/envoys/0/listener")?
        ))
    }

    /// Process ids by role: `envoy`, `xds-server`, `core-api`.
    pub(crate) fn pids(&self) -> anyhow::Result<BTreeMap<&'static str, u32>> {
        Ok(BTreeMap::from([
            ("envoy", self.envoy_pid()?),
            (
                "xds-server",
                self.pid(&format!("/pids/regions/{}", self.region))?,
            ),
            ("core-api", self.pid("/pids/coreApi")?),
        ]))
    }

    pub(crate) fn envoy_pid(&self) -> anyhow::Result<u32> {
        self.pid("/pids/envoys/0")
    }

    fn pid(&self, pointer: &str) -> anyhow::Result<u32> {
        let pid = self.description.pointer(pointer).and_then(Value::as_u64);
        Ok(pid
            .with_context(|| format!("stack.json has no {pointer}"))?
            .try_into()?)
    }

    fn text(&self, pointer: &str) -> anyhow::Result<String> {
        let text = self.description.pointer(pointer).and_then(Value::as_str);
        Ok(text
            .with_context(|| format!("stack.json has no {pointer}"))?
            .to_owned())
    }

    /// Where the Core API is, and its owner's token.
    pub(crate) fn core_api(&self) -> anyhow::Result<(String, String)> {
        Ok((self.text("/coreApi")?, self.text("/userToken")?))
    }

    /// Name of the region.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    fn organisation_url(&self, path: &str) -> anyhow::Result<String> {
        Ok(format!(
            "{}/clients/{}/{path}",
            self.text("/coreApi")?,
            self.text("/clientId")?
        ))
    }

    async fn create(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self
            .http
            .post(self.organisation_url(path)?)
            .header("authorization", self.text("/userToken")?)
            .json(body)
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "POST {path} answered {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }
}

impl Drop for BenchStack {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.supervisor.id()).unwrap_or(0));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.supervisor.wait();
    }
}

fn member(resource: &Value, name: &str) -> anyhow::Result<String> {
    Ok(resource[name]
        .as_str()
        .with_context(|| format!("the answer has no {name}"))?
        .to_owned())
}

fn beside_this_program(name: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program
        .parent()
        .context("this program has no folder")?
        .join(name))
}

/// A filter module that `cargo xtask wasm` built beside this program's profile folder.
pub(crate) fn filter_module(name: &str) -> anyhow::Result<PathBuf> {
    Ok(beside_this_program("../filter")?.join(name))
}
