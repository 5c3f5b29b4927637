//! `stack.json`: what a running stack tells tests, benchmarks and people. Its shapes are a contract.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The running stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackFile {
    /// Base URL of the Core API.
    pub core_api: String,
    /// Token of the organisation's owner.
    pub user_token: Shown,
    /// Token that may change an organisation's plan and status.
    pub operator_token: Shown,
    /// Token with which the owner chooses an address and a password, once within 15 minutes.
    pub setup_token: Shown,
    /// The organisation.
    pub client_id: String,
    /// In the order of `--regions`.
    pub regions: Vec<Region>,
    /// `None` with `--no-demo`.
    pub demo: Option<Demo>,
    /// Process ids; renewed at each restart of a child.
    pub pids: Pids,
    /// Folder of the log files.
    pub logs: PathBuf,
}

/// One region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Base URL for callers, without `/api`.
    pub proxy_url: String,
    /// HTTP address of its region server: health, metrics.
    pub server_url: String,
    /// Its Envoys.
    pub envoys: Vec<Envoy>,
}

/// One Envoy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envoy {
    /// Base URL for callers, without `/api`.
    pub listener: String,
    /// URL of the admin interface.
    pub admin: String,
}

/// The demo proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// Its id.
    pub proxy_id: String,
    /// Its URL, ending in `/api/{proxyId}`.
    pub proxy_url: String,
    /// What a caller presents in `Authorization`.
    pub proxy_credential: Shown,
    /// Where the demo target listens.
    pub target_url: String,
}

/// Process ids. One changes when a restarted child is ready again; that of a child that is down is
/// its last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pids {
    /// The supervisor.
    pub supervisor: u32,
    /// core-api.
    pub core_api: u32,
    /// xds-servers by region.
    pub regions: BTreeMap<String, u32>,
    /// Envoys, region by region.
    pub envoys: Vec<u32>,
}

/// A secret that this file and the greeting are meant to show; it does not print otherwise.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shown(String);

impl Shown {
    /// Every call site of this name is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn sample() -> StackFile {
        let text = json!({
            "coreApi": "http://127.0.0.1:1",
            "userToken": "u-x",
            "operatorToken": "o-x",
            "setupToken": "p-x",
            "clientId": "c",
            "regions": [{
                "name": "local-1",
                "proxyUrl": "http://127.0.0.1:2",
                "serverUrl": "http://127.0.0.1:5",
                "envoys": [{"listener": "http://127.0.0.1:2", "admin": "http://127.0.0.1:3"}],
            }],
            "demo": {
                "proxyId": "p",
                "proxyUrl": "http://127.0.0.1:2/api/p",
                "proxyCredential": "rr_local-1_x",
                "targetUrl": "http://127.0.0.1:4",
            },
            "pids": {
                "supervisor": 5, "coreApi": 6, "regions": {"local-1": 7}, "envoys": [8, 9],
            },
            "logs": "/data/logs",
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn the_shape_is_the_contract_and_secrets_do_not_print() {
        let stack = sample();
        assert!(!format!("{stack:?}").contains("rr_local-1_x"));
        let text = serde_json::to_value(&stack).unwrap();
        assert_eq!(
            serde_json::from_value::<StackFile>(text.clone()).unwrap(),
            stack
        );
        assert_eq!(text["demo"]["proxyCredential"], "rr_local-1_x");
        assert_eq!(text["pids"]["envoys"], json!([8, 9]));
    }
}
