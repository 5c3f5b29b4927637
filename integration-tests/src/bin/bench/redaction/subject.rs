//! Who redacts: bare Envoy, which does not, our filter, our filter built to buffer, and Lua.

use requestrocket_integration_tests::http;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{MAX_RESPONSE_BYTES, PATHS};
use crate::stack::{BenchProxy, BenchStack, filter_module};
use crate::variants::{Variant, VariantEnvoy};

const BUFFERING_MODULE: &str = "requestrocket_filter_buffering.wasm";

/// Lua takes its time.
const PATIENCE: Duration = Duration::from_mins(2);

/// An Envoy that passes bodies on.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) url: String,
    pub(super) authorization: String,
    pub(super) envoy_pid: u32,
    pub(super) http: reqwest::Client,
    pub(super) is_redacting: bool,
}

/// All of them, and what runs for them until this is dropped.
#[derive(Debug)]
pub(super) struct Subjects {
    pub(super) all: [Subject; 4],
    _envoys: [VariantEnvoy; 2],
    _buffering: BenchStack,
}

impl Subjects {
    pub(super) async fn start(
        name: &str,
        stack: &BenchStack,
        target_url: &str,
        scratch: &Path,
    ) -> anyhow::Result<Self> {
        let proxy = redacting_proxy(name, stack, target_url).await?;
        let dump = stack.config_dump().await?;
        let bare = VariantEnvoy::start(Variant::Bare, &dump, &proxy, scratch).await?;
        let lua = VariantEnvoy::start(Variant::LuaRedaction, &dump, &proxy, scratch).await?;
        let module = filter_module(BUFFERING_MODULE)?;
        let data_dir = scratch.join(format!("buffering-{name}"));
        let buffering = BenchStack::start(&data_dir, Some(&module)).await?;
        let buffered = redacting_proxy(name, &buffering, target_url).await?;
        Ok(Self {
            all: [
                of_variant(&bare, &proxy)?,
                of_stack("RequestRocket", stack, &proxy)?,
                of_stack("same filter, holding, `serde_json`", &buffering, &buffered)?,
                of_variant(&lua, &proxy)?,
            ],
            _envoys: [bare, lua],
            _buffering: buffering,
        })
    }
}

async fn redacting_proxy(
    name: &str,
    stack: &BenchStack,
    target_url: &str,
) -> anyhow::Result<BenchProxy> {
    let proxy = stack.create_proxy(name, target_url).await?;
    let path = format!("proxies/{}", proxy.proxy_id);
    let change = json!({"proxyMaxResponseBytes": MAX_RESPONSE_BYTES});
    stack.change(&path, &change).await?;
    let filter = json!({"operation": "destroy", "paths": PATHS});
    stack.attach(&format!("{path}/filters"), &filter).await?;
    Ok(proxy)
}

fn of_variant(envoy: &VariantEnvoy, proxy: &BenchProxy) -> anyhow::Result<Subject> {
    Ok(Subject {
        name: envoy.variant.name(),
        url: envoy.proxy_url(proxy),
        authorization: proxy.credential.clone(),
        envoy_pid: envoy.pid(),
        http: caller()?,
        is_redacting: envoy.variant != Variant::Bare,
    })
}

fn of_stack(name: &'static str, stack: &BenchStack, proxy: &BenchProxy) -> anyhow::Result<Subject> {
    Ok(Subject {
        name,
        url: stack.proxy_url(&proxy.proxy_id)?,
        authorization: proxy.credential.clone(),
        envoy_pid: stack.envoy_pid()?,
        http: caller()?,
        is_redacting: true,
    })
}

fn caller() -> anyhow::Result<reqwest::Client> {
    Ok(http::client().timeout(PATIENCE).build()?)
}
