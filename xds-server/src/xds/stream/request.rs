//! A client's message, taken apart.

use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;

/// What of a delta discovery request concerns the stream.
#[derive(Debug, Default)]
pub struct Request {
    /// Resource type.
    pub type_url: String,
    /// The response that is answered; none for a request that answers nothing, or whose nonce is
    /// none of ours.
    pub nonce: Option<u64>,
    /// Why the response is refused.
    pub error: Option<String>,
    /// Names wanted from now on.
    pub subscribe: Vec<String>,
    /// Names not wanted any more.
    pub unsubscribe: Vec<String>,
    /// Name and version of what the client holds from an earlier stream.
    pub initial: Vec<(String, String)>,
}

impl From<DeltaDiscoveryRequest> for Request {
    fn from(wire: DeltaDiscoveryRequest) -> Self {
        let DeltaDiscoveryRequest {
            node: _,
            type_url,
            resource_names_subscribe,
            resource_names_unsubscribe,
            // Locators belong to a form of subscription that Envoy does not use on ADS.
            resource_locators_subscribe: _,
            resource_locators_unsubscribe: _,
            initial_resource_versions,
            response_nonce,
            error_detail,
        } = wire;
        Self {
            type_url,
            nonce: response_nonce.parse().ok(),
            error: error_detail.map(|status| status.message),
            subscribe: resource_names_subscribe,
            unsubscribe: resource_names_unsubscribe,
            initial: initial_resource_versions.into_iter().collect(),
        }
    }
}
