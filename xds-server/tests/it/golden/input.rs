//! What a golden case is made of.

use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::proxy_credential::Presented;
use requestrocket_xds_server::records::region_config::{
    CallerConfig, ProxyConfig, Scheme, TargetConfig,
};
use requestrocket_xds_server::translate::{Collector, Settings, TargetRoots};
use serde::Deserialize;

use super::attached;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(default)]
    allow_private_targets: Vec<IpNet>,
    /// Text of an extra root; without it the roots are a file.
    #[serde(default)]
    target_ca: Option<String>,
    /// Where spans go.
    #[serde(default)]
    collector: Option<String>,
    proxies: Vec<Proxy>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proxy {
    id: String,
    #[serde(default)]
    alias: Option<String>,
    #[serde(default = "yes")]
    is_active: bool,
    #[serde(default)]
    is_suspended: bool,
    #[serde(default = "thirty")]
    timeout_seconds: NonZeroU32,
    /// `scheme://authority/base/path`
    #[serde(default)]
    target: Option<String>,
    /// Ids of apiKey credentials.
    #[serde(default)]
    api_keys: Vec<String>,
    /// Name of the header that is injected.
    #[serde(default)]
    inject: Option<String>,
    /// With these statuses a target refuses what is injected, which then is a token.
    #[serde(default)]
    refresh_on: Vec<u32>,
    /// Ids of meters.
    #[serde(default)]
    meters: Vec<String>,
    /// Has a rule of its own that looks into the body.
    #[serde(default)]
    is_inspecting: bool,
    #[serde(default = "mebibyte")]
    max_inspected_bytes: u64,
    /// Pages of this origin may call it.
    #[serde(default)]
    cors: Option<String>,
}

fn yes() -> bool {
    true
}

fn mebibyte() -> u64 {
    1 << 20
}

fn thirty() -> NonZeroU32 {
    NonZeroU32::new(30).unwrap()
}

impl Case {
    pub(crate) fn parse(text: &str) -> Self {
        yaml_serde::from_str(text).unwrap()
    }

    pub(crate) fn settings(&self) -> Settings {
        let target_roots = match &self.target_ca {
            Some(text) => TargetRoots::Inline(text.as_bytes().into()),
            None => TargetRoots::File("/etc/ssl/certs/ca-certificates.crt".into()),
        };
        Settings {
            region: "local-1".to_owned(),
            filter_wasm: PathBuf::from("/opt/requestrocket/filter.wasm"),
            allow_private_targets: self.allow_private_targets.clone(),
            target_roots,
            collector: self.collector.as_ref().map(|url| Collector {
                uri: url.parse().unwrap(),
                sampled: 250_000,
            }),
        }
    }

    pub(crate) fn proxies(&self) -> Vec<ProxyConfig> {
        self.proxies.iter().map(Proxy::config).collect()
    }
}

impl Proxy {
    fn config(&self) -> ProxyConfig {
        ProxyConfig {
            target_id: String::new(),
            proxy_id: self.id.clone(),
            organisation_id: "5f0c9a1e-33b1-4c55-8a70-0d8a4be1c201".to_owned(),
            alias: self.alias.clone(),
            is_active: self.is_active,
            is_suspended: self.is_suspended,
            timeout_seconds: self.timeout_seconds,
            max_response_bytes: 6 << 20,
            max_inspected_bytes: self.max_inspected_bytes,
            target: self.target.as_deref().map(target),
            proxy_credentials: self.api_keys.iter().map(|id| api_key(id)).collect(),
            target_credential: self
                .inject
                .as_deref()
                .map(|header| injecting(header, &self.refresh_on)),
            layer: if self.is_inspecting {
                attached::inspecting_layer()
            } else {
                attached::layer("proxy")
            },
            limits: attached::limits(60),
            meters: self.meters.iter().map(|id| attached::meter(id)).collect(),
            cors: self.cors.as_deref().map(attached::cors),
            data_key: b"wrapped data key".to_vec(),
            digest_key: b"wrapped digest key".to_vec(),
        }
    }
}

fn target(url: &str) -> TargetConfig {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, base_path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (rest, String::new()),
    };
    TargetConfig {
        scheme: match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => panic!("{other}"),
        },
        authority: authority.to_owned(),
        base_path,
        layer: attached::layer("target"),
    }
}

fn api_key(id: &str) -> CallerConfig {
    let digest = wire::SecretDigest {
        hmac_sha256: b"digest".to_vec().into(),
        valid_until_ms: 0,
    };
    CallerConfig {
        credential_id: id.to_owned(),
        is_active: true,
        ends_at_ms: 0,
        presented: Presented::ApiKey(wire::ApiKey {
            digests: vec![digest],
        }),
        previous: None,
        layer: attached::layer("proxy credential"),
        limits: attached::limits(100),
    }
}

fn injecting(header: &str, refresh_on: &[u32]) -> wire::TargetCredential {
    let injection = wire::Injection {
        location: wire::Location::Header.into(),
        name: header.to_owned(),
        sealed_value: b"sealed value".to_vec().into(),
        reads_body: false,
        bytes_before: 0,
        bytes_behind: 0,
    };
    wire::TargetCredential {
        is_token_apart: false,
        serves_until_ms: (!refresh_on.is_empty()).then_some(1_900_000_000_000),
        refresh_on: refresh_on.to_vec(),
        credential_id: "c0ffee00-0000-4000-8000-000000000000".to_owned(),
        version: 3,
        injections: vec![injection],
        layer: Some(attached::layer("target credential")),
        ends_at_ms: 0,
    }
}
