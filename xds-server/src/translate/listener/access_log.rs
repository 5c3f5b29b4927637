//! The access log of every call: Envoy tells the region server, by a cluster that waits for it.

use envoy_types::pb::envoy::config::accesslog::v3::{AccessLog, access_log::ConfigType};
use envoy_types::pb::envoy::config::core::v3::{ApiVersion, GrpcService, grpc_service};
use envoy_types::pb::envoy::extensions::access_loggers::grpc::v3::{
    CommonGrpcAccessLogConfig, HttpGrpcAccessLogConfig,
};
use envoy_types::util::pack_any;
use requestrocket_policy::denial::{
    PROXY_CODE_HEADER, PROXY_MESSAGE_HEADER, PROXY_WARNING_HEADER, REQUEST_ID_HEADER,
};
use requestrocket_policy::passage::REQUEST_HEADER;

use super::super::Settings;
use super::super::tracing::trace_id_tag;
use super::super::wire::{millis, number};

/// The cluster that leads to the region server (envoy/bootstrap.yaml). A connection to it can always
/// be made; without one what is sent would be lost.
const REGION_SERVER: &str = "records";
/// What the filter keeps with the stream.
pub(crate) const NOTE: &str = "wasm.requestrocket-note";
/// Why the filter cut the response: the code of a denial.
pub(crate) const END: &str = "wasm.requestrocket-end";
/// What the filter says of a response it looked into.
pub(crate) const OUTCOME: &str = "wasm.requestrocket-outcome";
/// What a worker keeps of records while the region server is away; more are dropped, and missed by
/// their numbers.
const BUFFER_BYTES: u32 = 32 << 20;
/// Between two looks for what there is to send. What comes in that time is sent in one go, during
/// which the worker serves nobody: at 5,000 calls a second some 2 MB in 500 ms, which the slowest calls
/// felt.
const FLUSH_MILLIS: u16 = 50;

/// The log of the connection manager.
pub(super) fn build(settings: &Settings) -> AccessLog {
    let service = grpc_service::EnvoyGrpc {
        cluster_name: REGION_SERVER.to_owned(),
        ..grpc_service::EnvoyGrpc::default()
    };
    let common = CommonGrpcAccessLogConfig {
        log_name: "calls".to_owned(),
        grpc_service: Some(GrpcService {
            target_specifier: Some(grpc_service::TargetSpecifier::EnvoyGrpc(service)),
            ..GrpcService::default()
        }),
        transport_api_version: ApiVersion::V3.into(),
        buffer_flush_interval: millis(FLUSH_MILLIS),
        buffer_size_bytes: number(BUFFER_BYTES),
        filter_state_objects_to_log: [NOTE, END, OUTCOME].map(str::to_owned).into(),
        custom_tags: settings.collector.iter().map(|_| trace_id_tag()).collect(),
        ..CommonGrpcAccessLogConfig::default()
    };
    let headers = [
        PROXY_CODE_HEADER,
        PROXY_MESSAGE_HEADER,
        PROXY_WARNING_HEADER,
        REQUEST_ID_HEADER,
        REQUEST_HEADER,
    ];
    let config = HttpGrpcAccessLogConfig {
        common_config: Some(common),
        additional_response_headers_to_log: headers.map(str::to_owned).into(),
        ..HttpGrpcAccessLogConfig::default()
    };
    AccessLog {
        name: "envoy.access_loggers.http_grpc".to_owned(),
        config_type: Some(ConfigType::TypedConfig(pack_any(config))),
        ..AccessLog::default()
    }
}
