//! Proxy → the policy that the filter compiles.

use std::iter;

use prost::Message;
use requestrocket_policy::compile::{inspects_responses, searches_responses};
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::proxy_credential::Presented;

use super::cluster;
use super::token;
use super::version::version;
use crate::records::region_config::{CallerConfig, ProxyConfig, TargetConfig};

/// A policy in its two encoded parts.
#[derive(Debug)]
pub(super) struct EncodedPolicy {
    /// All that is read of a caller who is not authenticated.
    pub(super) admission: Vec<u8>,
    pub(super) rest: Vec<u8>,
    /// Hash of both and of where calls go; the filter's caches go by it, and so does what binds an
    /// edited call to its destination.
    pub(super) version: String,
    /// Whether more of a response than its length can matter.
    pub(super) inspects_responses: bool,
    /// Whether responses are searched for what their requests carried.
    pub(super) searches_responses: bool,
}

/// The policy of a proxy.
pub(super) fn encode(config: &ProxyConfig, region: &str) -> EncodedPolicy {
    let rest = policy(config);
    let inspects_responses = inspects_responses(&rest);
    let admission = admission(config, region, inspects_responses).encode_to_vec();
    let searches_responses = searches_responses(&rest);
    let rest = rest.encode_to_vec();
    EncodedPolicy {
        version: version(&[&admission, &rest, destination(config).as_bytes()]),
        admission,
        rest,
        inspects_responses,
        searches_responses,
    }
}

/// What of the destination the policy does not say.
fn destination(config: &ProxyConfig) -> String {
    let Some(target) = &config.target else {
        return String::new();
    };
    format!("\n{}\n{}", cluster::of(config, target), target.authority)
}

fn admission(config: &ProxyConfig, region: &str, inspects_responses: bool) -> wire::Admission {
    wire::Admission {
        proxy_id: config.proxy_id.clone(),
        organisation_id: config.organisation_id.clone(),
        region: region.to_owned(),
        alias: config.alias.clone().unwrap_or_default(),
        data_key: config.data_key.clone().into(),
        digest_key: config.digest_key.clone().into(),
        proxy_credentials: config.proxy_credentials.iter().flat_map(admitted).collect(),
        max_response_bytes: config.max_response_bytes,
        inspects_responses,
    }
}

/// A credential, and behind it the secret that it had before.
fn admitted(caller: &CallerConfig) -> impl Iterator<Item = wire::ProxyCredential> {
    let entry = |presented: &Presented, ends_at_ms| wire::ProxyCredential {
        credential_id: caller.credential_id.clone(),
        is_active: caller.is_active,
        ends_at_ms,
        presented: Some(presented.clone()),
    };
    let previous = caller.previous.as_ref().map(|previous| {
        let end = match caller.ends_at_ms {
            // Zero is no end.
            0 => previous.ends_at_ms,
            end => end.min(previous.ends_at_ms),
        };
        entry(&previous.presented, end)
    });
    iter::once(entry(&caller.presented, caller.ends_at_ms)).chain(previous)
}

fn policy(config: &ProxyConfig) -> wire::ProxyPolicy {
    // No `..`: a new field must be given a place in one of the parts or be left out knowingly.
    let ProxyConfig {
        // The admission's.
        proxy_id: _,
        organisation_id: _,
        alias: _,
        max_response_bytes: _,
        data_key: _,
        digest_key: _,
        // The region server's, for asynchronous requests.
        target_id: _,
        // Envoy's, by the route.
        timeout_seconds: _,
        cors: _,
        is_active,
        is_suspended,
        max_inspected_bytes,
        target,
        proxy_credentials,
        target_credential,
        layer,
        limits,
        meters,
    } = config;
    wire::ProxyPolicy {
        is_active: *is_active,
        is_suspended: *is_suspended,
        proxy_credentials: proxy_credentials.iter().map(attached_to).collect(),
        target: target
            .as_ref()
            .map(|target| target_of(target, target_credential.as_ref())),
        target_credential: target_credential.as_ref().map(token::without_token),
        max_inspected_bytes: *max_inspected_bytes,
        layer: Some(layer.clone()),
        limits: Some(*limits),
        meters: meters.clone(),
    }
}

fn attached_to(caller: &CallerConfig) -> wire::CredentialPolicy {
    let CallerConfig {
        credential_id,
        // The admission's.
        is_active: _,
        ends_at_ms: _,
        presented: _,
        previous: _,
        layer,
        limits,
    } = caller;
    wire::CredentialPolicy {
        credential_id: credential_id.clone(),
        layer: Some(layer.clone()),
        limits: Some(*limits),
    }
}

/// What is signed for the target names its host; a policy that signs nothing does without.
fn target_of(target: &TargetConfig, credential: Option<&wire::TargetCredential>) -> wire::Target {
    let mut injections = credential.into_iter().flat_map(|it| &it.injections);
    let is_signed = injections.any(|it| it.location() == wire::Location::Computed);
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
        host: if is_signed { target.host() } else { "" }.to_owned(),
    }
}
