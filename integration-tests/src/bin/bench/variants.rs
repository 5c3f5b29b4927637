//! Static Envoys for comparison, made from the configuration dump of the running one.

use requestrocket_integration_tests::http;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::load::Load;
use crate::stack::BenchProxy;
use crate::upstream::free_port;

/// Name of our filter; those of its other places begin with it.
const FILTER: &str = "requestrocket";

/// Takes out the same three paths as our redaction.
const LUA_REDACTION: &str = include_str!("redaction/redact.lua");
/// Room for the largest body that is measured.
const LUA_BUFFER_BYTES: u32 = 1 << 30;

/// What stands in the place of our filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Nothing.
    Bare,
    /// Envoy's own filters: key check, one rule, header swap.
    Native,
    /// The same three in Lua.
    Lua,
    /// Redaction of a held body in Lua.
    LuaRedaction,
    /// Envoy's own check of tokens (`jwt_authn`), with its cache.
    Jwt {
        issuer: String,
        key_set: String,
        /// One that is good, as it is shown.
        token: String,
    },
}

impl Variant {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Bare => "bare Envoy",
            Self::Native => "native filters",
            Self::Lua => "Lua",
            Self::LuaRedaction => "Lua, holding, `dkjson`",
            Self::Jwt { .. } => "native `jwt_authn`",
        }
    }

    /// What is shown to it.
    fn credential<'a>(&'a self, proxy: &'a BenchProxy) -> std::borrow::Cow<'a, str> {
        match self {
            Self::Jwt { token, .. } => token.as_str().into(),
            _ => proxy.credential.as_str().into(),
        }
    }

    fn filters(&self, proxy: &BenchProxy) -> Vec<Value> {
        match self {
            Self::Bare => Vec::new(),
            Self::Native => native_filters(proxy),
            Self::Lua => vec![lua_filter(&lua_checks(proxy))],
            Self::LuaRedaction => vec![lua_filter(LUA_REDACTION)],
            Self::Jwt {
                issuer,
                key_set,
                token: _,
            } => vec![jwt_filter(issuer, key_set)],
        }
    }
}

/// An Envoy with a static configuration; ended on drop.
#[derive(Debug)]
pub(crate) struct VariantEnvoy {
    pub(crate) variant: Variant,
    child: Child,
    port: u16,
}

impl VariantEnvoy {
    pub(crate) async fn start(
        variant: Variant,
        dump: &Value,
        proxy: &BenchProxy,
        scratch: &Path,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let bootstrap = bootstrap(&variant, dump, proxy, port)?;
        let file = scratch.join(format!("variant-{port}.json"));
        fs::write(&file, serde_json::to_vec_pretty(&bootstrap)?)?;
        let log = fs::File::create(file.with_extension("log"))?;
        let child = Command::new(&proxy.envoy_binary)
            .arg("-c")
            .arg(&file)
            .args([
                "--use-dynamic-base-id",
                "--concurrency",
                "1",
                "-l",
                "warning",
            ])
            .env("LUA_PATH", "/usr/share/lua/5.1/?.lua")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("Envoy cannot be run")?;
        let envoy = Self {
            variant,
            child,
            port,
        };
        envoy.wait_until_answering(proxy).await.with_context(|| {
            format!(
                "{}: {}",
                envoy.variant.name(),
                fs::read_to_string(file.with_extension("log")).unwrap_or_default()
            )
        })?;
        Ok(envoy)
    }

    pub(crate) fn load(&self, proxy: &BenchProxy) -> Load {
        Load {
            url: self.proxy_url(proxy) + "/v1/me",
            authorization: self.variant.credential(proxy).into_owned(),
            tokens: None,
            envoy_pid: self.pid(),
        }
    }

    pub(crate) fn proxy_url(&self, proxy: &BenchProxy) -> String {
        format!("http://127.0.0.1:{}/api/{}", self.port, proxy.proxy_id)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    async fn wait_until_answering(&self, proxy: &BenchProxy) -> anyhow::Result<()> {
        let load = self.load(proxy);
        let client = http::client().build()?;
        let call = async {
            loop {
                let sent = client
                    .get(&load.url)
                    .header("authorization", &load.authorization)
                    .send()
                    .await;
                match sent {
                    Ok(answer) if answer.status().is_success() => return,
                    Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(15), call)
            .await
            .context("it does not answer 200")
    }
}

impl Drop for VariantEnvoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bootstrap(
    variant: &Variant,
    dump: &Value,
    proxy: &BenchProxy,
    port: u16,
) -> anyhow::Result<Value> {
    let mut listener = section(dump, "ListenersConfigDump")?
        .pointer("/dynamic_listeners/0/active_state/listener")
        .map(untyped)
        .context("the dump has no active listener")?;
    listener["address"] = json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    if *variant == Variant::LuaRedaction {
        listener["per_connection_buffer_limit_bytes"] = json!(LUA_BUFFER_BYTES);
    }
    let manager = listener
        .pointer_mut("/filter_chains/0/filters/0/typed_config")
        .context("the listener has no connection manager")?;
    // Records go by a listener of the bootstrap, which is not in the dump.
    manager
        .as_object_mut()
        .context("a connection manager")?
        .remove("access_log");
    replace_filter(manager, variant.filters(proxy))?;
    manager["scoped_routes"]["scoped_route_configurations_list"] =
        json!({"scoped_route_configurations": [scope(dump, &proxy.proxy_id)?]});
    manager["scoped_routes"]
        .as_object_mut()
        .context("scoped_routes")?
        .remove("scoped_rds");
    manager["scoped_routes"]
        .as_object_mut()
        .context("scoped_routes")?
        .remove("rds_config_source");
    Ok(json!({
        "static_resources": {"listeners": [listener], "clusters": clusters(dump)?},
    }))
}

fn section<'a>(dump: &'a Value, kind: &str) -> anyhow::Result<&'a Value> {
    dump["configs"]
        .as_array()
        .context("the dump has no configs")?
        .iter()
        .find(|config| {
            config["@type"]
                .as_str()
                .is_some_and(|name| name.rsplit('.').next() == Some(kind))
        })
        .with_context(|| format!("the dump has no {kind}"))
}

fn replace_filter(manager: &mut Value, with: Vec<Value>) -> anyhow::Result<()> {
    let filters = manager["http_filters"]
        .as_array_mut()
        .context("http_filters")?;
    let place = filters
        .iter()
        .position(|filter| filter["name"] == FILTER)
        .context("the listener does not have our filter")?;
    filters.splice(place..=place, with);
    let is_ours = |filter: &Value| {
        filter["name"]
            .as_str()
            .is_some_and(|name| name.starts_with(FILTER))
    };
    filters.retain(|filter| !is_ours(filter));
    Ok(())
}

fn scope(dump: &Value, proxy_id: &str) -> anyhow::Result<Value> {
    let routes = section(dump, "RoutesConfigDump")?["dynamic_route_configs"]
        .as_array()
        .context("dynamic_route_configs")?
        .iter()
        .map(|entry| &entry["route_config"])
        .find(|route| route["name"] == proxy_id)
        .context("the dump has no route of the proxy")?;
    let mut routes = untyped(routes);
    let hosts = routes["virtual_hosts"].as_array_mut();
    for host in hosts.context("virtual_hosts")? {
        let all = host["routes"].as_array_mut().context("routes")?;
        // What a call is forwarded by is the last one, once the filter has edited it. Here it is all.
        let mut last = all.pop().context("a route")?;
        last["match"] = json!({"prefix": "/"});
        *all = vec![last];
    }
    Ok(json!({
        "name": proxy_id,
        "key": {"fragments": [{"string_key": proxy_id}]},
        "route_configuration": routes,
    }))
}

fn clusters(dump: &Value) -> anyhow::Result<Vec<Value>> {
    Ok(
        section(dump, "ClustersConfigDump")?["dynamic_active_clusters"]
            .as_array()
            .context("dynamic_active_clusters")?
            .iter()
            .map(|entry| untyped(&entry["cluster"]))
            .collect(),
    )
}

/// A dumped resource without the type that a dump names and a configuration file does not take.
fn untyped(resource: &Value) -> Value {
    let mut resource = resource.clone();
    if let Some(members) = resource.as_object_mut() {
        members.remove("@type");
    }
    resource
}

fn native_filters(proxy: &BenchProxy) -> Vec<Value> {
    vec![
        json!({"name": "envoy.filters.http.api_key_auth", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
            "credentials": [{"key": proxy.credential, "client": "bench"}],
            "key_sources": [{"header": "authorization"}],
        }}),
        json!({"name": "envoy.filters.http.rbac.rule", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "DENY", "policies": {"rule": {
                "principals": [{"any": true}],
                "permissions": [{"url_path": {"path": {"safe_regex": {"regex": ".*/admin.*"}}}}],
            }}},
        }}),
        json!({"name": "envoy.filters.http.header_mutation.swap", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": [{"append": {
                "header": {"key": "authorization", "value": "Bearer target-secret"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }}]},
        }}),
    ]
}

fn jwt_filter(issuer: &str, key_set: &str) -> Value {
    json!({"name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"bench": {
            "issuer": issuer, "audiences": ["bench"],
            "local_jwks": {"inline_string": key_set},
            "jwt_cache_config": {"jwt_cache_size": 1000},
        }},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}],
    }})
}

fn lua_checks(proxy: &BenchProxy) -> String {
    format!(
        "function envoy_on_request(handle)\n\
           local headers = handle:headers()\n\
           if headers:get('authorization') ~= '{key}' then\n\
             handle:respond({{[':status'] = '403'}}, 'denied')\n\
             return\n\
           end\n\
           if string.find(headers:get(':path'), '/admin') then\n\
             handle:respond({{[':status'] = '403'}}, 'denied')\n\
             return\n\
           end\n\
           headers:replace('authorization', 'Bearer target-secret')\n\
         end",
        key = proxy.credential,
    )
}

fn lua_filter(code: &str) -> Value {
    json!({"name": "envoy.filters.http.lua", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": code},
    }})
}
