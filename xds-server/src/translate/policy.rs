//! Proxy → the policy that the filter compiles.

use std::fmt::Write;

use prost::Message;
use requestrocket_policy::compile::inspects_responses;
use requestrocket_proto::policy::v1 as wire;
use sha2::{Digest, Sha256};

use super::cluster;
use crate::region_config::{ProxyConfig, TargetConfig};

/// Bytes of the hash that make a policy version.
const VERSION_BYTES: usize = 16;

/// An encoded policy.
#[derive(Debug)]
pub(super) struct EncodedPolicy {
    pub(super) bytes: Vec<u8>,
    /// Hash of the bytes and of where calls go; the filter's cache goes by it, and so does what
    /// binds an edited call to its destination.
    pub(super) version: String,
    /// Whether more of a response than its length can matter.
    pub(super) inspects_responses: bool,
}

/// The policy of a proxy.
pub(super) fn encode(config: &ProxyConfig, region: &str) -> EncodedPolicy {
    let policy = policy(config, region);
    let inspects_responses = inspects_responses(&policy);
    let bytes = policy.encode_to_vec();
    let mut version = String::with_capacity(2 * VERSION_BYTES);
    let mut hash = Sha256::new_with_prefix(&bytes);
    hash.update(destination(config));
    for byte in hash.finalize().iter().take(VERSION_BYTES) {
        // Writing to a string does not fail.
        let _ = write!(version, "{byte:02x}");
    }
    EncodedPolicy {
        bytes,
        version,
        inspects_responses,
    }
}

/// What of the destination the policy does not say.
fn destination(config: &ProxyConfig) -> String {
    let Some(target) = &config.target else {
        return String::new();
    };
    format!("\n{}\n{}", cluster::name(target.scheme), target.authority)
}

fn policy(config: &ProxyConfig, region: &str) -> wire::ProxyPolicy {
    // No `..`: a new field must be given a place in the policy or be left out knowingly.
    let ProxyConfig {
        proxy_id,
        organisation_id,
        alias,
        is_active,
        is_suspended,
        // Envoy's, by the route.
        timeout_seconds: _,
        max_response_bytes,
        max_inspected_bytes,
        target,
        proxy_credentials,
        target_credential,
        layer,
        limits,
        meters,
        data_key,
        digest_key,
    } = config;
    wire::ProxyPolicy {
        proxy_id: proxy_id.clone(),
        organisation_id: organisation_id.clone(),
        region: region.to_owned(),
        alias: alias.clone().unwrap_or_default(),
        is_active: *is_active,
        is_suspended: *is_suspended,
        data_key: data_key.clone().into(),
        digest_key: digest_key.clone().into(),
        proxy_credentials: proxy_credentials.clone(),
        target: target.as_ref().map(target_of),
        target_credential: target_credential.clone(),
        max_response_bytes: *max_response_bytes,
        max_inspected_bytes: *max_inspected_bytes,
        layer: Some(layer.clone()),
        limits: Some(*limits),
        meters: meters.clone(),
    }
}

fn target_of(target: &TargetConfig) -> wire::Target {
    let TargetConfig {
        // Envoy's, by the route.
        scheme: _,
        authority: _,
        base_path,
        layer,
    } = target;
    wire::Target {
        base_path: base_path.clone(),
        layer: Some(layer.clone()),
    }
}
