//! Spans of calls, which Envoys tell a collector (OTLP over HTTP); off where there is none.
//!
//! Invariants: no span holds what of a request may hold a credential: no path, no query, no header; no
//! caller decides what is sampled.

use ::http::Uri;
use envoy_types::pb::envoy::config::cluster::v3::{
    Cluster,
    cluster::{ClusterDiscoveryType, DiscoveryType},
};
use envoy_types::pb::envoy::config::core::v3::{
    Address, HttpService, HttpUri, SocketAddress, TypedExtensionConfig, address,
    http_uri::HttpUpstreamType, socket_address::PortSpecifier,
};
use envoy_types::pb::envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints, lb_endpoint::HostIdentifier,
};
use envoy_types::pb::envoy::config::trace::v3::{
    OpenTelemetryConfig,
    tracing::{Http, http},
};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    RequestIdExtension, http_connection_manager::Tracing,
};
use envoy_types::pb::envoy::extensions::request_id::uuid::v3::UuidRequestIdConfig;
use envoy_types::pb::envoy::extensions::tracers::opentelemetry::samplers::v3::{
    ParentBasedSamplerConfig, TraceIdRatioBasedSamplerConfig,
};
use envoy_types::pb::envoy::r#type::tracing::v3::{CustomTag, custom_tag};
use envoy_types::pb::envoy::r#type::v3::{FractionalPercent, fractional_percent::DenominatorType};
use envoy_types::util::pack_any;
use requestrocket_policy::denial::REQUEST_ID_HEADER;

use super::TargetRoots;
use super::cluster::tls_of;
use super::wire::{extension, flag, number, seconds, some_any};
use crate::xds::resource::Resource;

/// The cluster that leads to the collector.
const CLUSTER: &str = "spans";
/// The tag of the access log that says which trace a call belongs to.
pub(crate) const TRACE_ID: &str = "trace-id";
/// What Envoy says by itself of what callers and targets send. `grpc.message` is masked in the span
/// `target` only: Envoy adds it to the other one after these.
const MASKED: [&str; 6] = [
    "guid:x-request-id",
    "guid:x-client-trace-id",
    "user_agent",
    "grpc.path",
    "grpc.timeout",
    "grpc.message",
];
/// Older than any proxy.
const FIRST_REVISION: u64 = 1;

/// Where spans go, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Where spans are posted, such as `http://collector:4318/v1/traces`.
    pub uri: Uri,
    /// Of so many of a million traces.
    pub sampled: u32,
}

/// The cluster of it.
pub(super) fn cluster(collector: &Collector, roots: &TargetRoots) -> Resource {
    let is_tls = collector.uri.scheme_str() == Some("https");
    let host = collector.uri.host().unwrap_or_default();
    let port = collector.uri.port_u16();
    let socket = SocketAddress {
        // An IPv6 address stands in brackets in a URL only.
        address: host.trim_matches(['[', ']']).to_owned(),
        port_specifier: Some(PortSpecifier::PortValue(u32::from(
            port.unwrap_or(if is_tls { 443 } else { 80 }),
        ))),
        ..SocketAddress::default()
    };
    let endpoint = Endpoint {
        address: Some(Address {
            address: Some(address::Address::SocketAddress(socket)),
        }),
        ..Endpoint::default()
    };
    let endpoints = LocalityLbEndpoints {
        lb_endpoints: vec![LbEndpoint {
            host_identifier: Some(HostIdentifier::Endpoint(endpoint)),
            ..LbEndpoint::default()
        }],
        ..LocalityLbEndpoints::default()
    };
    let cluster = Cluster {
        name: CLUSTER.to_owned(),
        connect_timeout: seconds(2),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::StrictDns.into())),
        load_assignment: Some(ClusterLoadAssignment {
            cluster_name: CLUSTER.to_owned(),
            endpoints: vec![endpoints],
            ..ClusterLoadAssignment::default()
        }),
        transport_socket: is_tls.then(|| tls_of(roots, Some(host))),
        ..Cluster::default()
    };
    Resource::encode(CLUSTER.into(), &cluster, FIRST_REVISION, None)
}

/// What the connection manager does for each call.
pub(super) fn tracing(collector: &Collector) -> Tracing {
    let service = HttpService {
        http_uri: Some(HttpUri {
            uri: collector.uri.to_string(),
            timeout: seconds(5),
            http_upstream_type: Some(HttpUpstreamType::Cluster(CLUSTER.to_owned())),
        }),
        ..HttpService::default()
    };
    let provider = OpenTelemetryConfig {
        http_service: Some(service),
        service_name: "requestrocket-envoy".to_owned(),
        sampler: Some(sampler(collector.sampled)),
        ..OpenTelemetryConfig::default()
    };
    // Of the answer: `%UNIQUE_ID%` is another one wherever it is written.
    let request_id = format!("%RESP({REQUEST_ID_HEADER})%");
    let mut custom_tags = vec![tag("requestrocket.request_id", &request_id)];
    custom_tags.extend(MASKED.map(|name| tag(name, "***")));
    Tracing {
        // The URL of a span would have the injected parameters in its query.
        max_path_tag_length: number(0),
        custom_tags,
        provider: Some(Http {
            name: "envoy.tracers.opentelemetry".to_owned(),
            config_type: Some(http::ConfigType::TypedConfig(pack_any(provider))),
        }),
        spawn_upstream_span: flag(true),
        operation: "call".to_owned(),
        upstream_operation: "target".to_owned(),
        ..Tracing::default()
    }
}

/// Of a trace that begins here, by its id, which Envoy draws; else by the parent's flag, which is ours
/// (`trace_context`).
fn sampler(sampled: u32) -> TypedExtensionConfig {
    let by_id = TraceIdRatioBasedSamplerConfig {
        sampling_percentage: Some(FractionalPercent {
            numerator: sampled,
            denominator: DenominatorType::Million.into(),
        }),
    };
    let by_parent = ParentBasedSamplerConfig {
        wrapped_sampler: Some(extension(
            "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based",
            by_id,
        )),
    };
    extension(
        "envoy.tracers.opentelemetry.samplers.parent_based",
        by_parent,
    )
}

/// Callers' `x-request-id` neither decides what is sampled nor is written into.
pub(super) fn request_id() -> RequestIdExtension {
    RequestIdExtension {
        typed_config: some_any(UuidRequestIdConfig {
            pack_trace_reason: flag(false),
            use_request_id_for_trace_sampling: flag(false),
        }),
    }
}

/// Which trace a call belongs to, for its record.
pub(super) fn trace_id_tag() -> CustomTag {
    tag(TRACE_ID, "%TRACE_ID%")
}

fn tag(name: &str, value: &str) -> CustomTag {
    CustomTag {
        tag: name.to_owned(),
        r#type: Some(custom_tag::Type::Value(value.to_owned())),
    }
}
