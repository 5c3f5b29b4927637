//! A token that travels by itself: in the metadata of a cluster of its own, which calls come in by.
//!
//! Another token is another state of that one resource, however many proxies give it to their targets.
//! No call goes anywhere by such a cluster: it has no address. It is named for credential and version,
//! so a policy never meets the token of another secret.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{ClusterDiscoveryType, DiscoveryType};
use envoy_types::pb::envoy::config::core::v3::Metadata;
use envoy_types::pb::google::protobuf::{BytesValue, Struct, Value, value::Kind};
use envoy_types::util::pack_any;
use prost::Message;
use requestrocket_proto::policy::v1 as wire;

use super::version::version;
use super::wire::METADATA_KEY;
use crate::records::region_config::ProxyConfig;

/// Which token it is: the filter asks for this on every call, and for the token when it is another.
const SERIAL: &str = "serial";
/// Statistics of all of them are counted together: there are many, and none counts anything.
const STATISTICS: &str = "tokens";

/// Whether what a proxy gives to its target is a token that the region obtains.
pub(super) fn is_apart(credential: &wire::TargetCredential) -> bool {
    // Of no other the values end.
    credential.serves_until_ms.is_some()
}

/// The credential without its token, as the policy has it.
pub(super) fn without_token(credential: &wire::TargetCredential) -> wire::TargetCredential {
    if !is_apart(credential) {
        return credential.clone();
    }
    wire::TargetCredential {
        injections: Vec::new(),
        serves_until_ms: Some(0),
        refresh_on: Vec::new(),
        is_token_apart: true,
        ..credential.clone()
    }
}

/// Name of the cluster that has the token of a proxy; none: it gives none.
pub(super) fn cluster_name(config: &ProxyConfig) -> Option<String> {
    let credential = config.target_credential.as_ref();
    let credential = credential.filter(|credential| is_apart(credential))?;
    let wire::TargetCredential {
        credential_id,
        version,
        ..
    } = credential;
    Some(format!("token/{credential_id}/{version}"))
}

/// The token of a proxy, encoded; none: it travels with the policy, or there is no such thing.
pub(super) fn encode(config: &ProxyConfig) -> Option<Vec<u8>> {
    let credential = config.target_credential.as_ref();
    let credential = credential.filter(|credential| is_apart(credential))?;
    let token = wire::TargetToken {
        injections: credential.injections.clone(),
        serves_until_ms: credential.serves_until_ms.unwrap_or_default(),
        refresh_on: credential.refresh_on.clone(),
    };
    Some(token.encode_to_vec())
}

/// That cluster, by its name.
pub(super) fn cluster(config: &ProxyConfig) -> Option<(Arc<str>, Bytes)> {
    let (name, token) = (cluster_name(config)?, encode(config)?);
    let serial = Value {
        // Of the token itself: two may end at the same moment.
        kind: Some(Kind::StringValue(version(&[&token]))),
    };
    let fields = HashMap::from([(SERIAL.to_owned(), serial)]);
    let token = pack_any(BytesValue { value: token });
    let cluster = Cluster {
        name: name.clone(),
        alt_stat_name: STATISTICS.to_owned(),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Static.into())),
        metadata: Some(Metadata {
            // One entry each: maps of `envoy-types` have another order each time.
            filter_metadata: HashMap::from([(METADATA_KEY.to_owned(), Struct { fields })]),
            typed_filter_metadata: HashMap::from([(METADATA_KEY.to_owned(), token)]),
        }),
        ..Cluster::default()
    };
    Some((name.into(), cluster.encode_to_vec().into()))
}

#[cfg(test)]
mod tests;
