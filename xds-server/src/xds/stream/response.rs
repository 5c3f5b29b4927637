//! A response, put together.

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryResponse, Resource as Wire};
use envoy_types::pb::google::protobuf::Any;

use super::type_state::Content;
use crate::xds::resource::Resource;

/// The message that says `content`.
pub(super) fn compose(
    type_url: String,
    content: Content,
    nonce: u64,
    revision: u64,
) -> DeltaDiscoveryResponse {
    let Content { resources, removed } = content;
    DeltaDiscoveryResponse {
        system_version_info: revision.to_string(),
        resources: resources
            .iter()
            .map(|resource| wire(resource, &type_url))
            .collect(),
        removed_resources: removed.iter().map(ToString::to_string).collect(),
        type_url,
        nonce: nonce.to_string(),
        ..DeltaDiscoveryResponse::default()
    }
}

fn wire(resource: &Resource, type_url: &str) -> Wire {
    Wire {
        name: resource.name().to_string(),
        version: resource.version().to_string(),
        resource: Some(Any {
            type_url: type_url.to_owned(),
            value: resource.body().to_vec(),
        }),
        ..Wire::default()
    }
}
