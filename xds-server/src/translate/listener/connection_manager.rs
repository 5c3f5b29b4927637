//! The HTTP connection manager: what is done to every request before the filter sees it.

use envoy_types::pb::envoy::config::core::v3::{
    CidrRange, Http1ProtocolOptions, HttpProtocolOptions, SchemeHeaderTransformation,
    TypedExtensionConfig, http_protocol_options::HeadersWithUnderscoresAction,
};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, ScopedRds, ScopedRoutes,
    http_connection_manager::{
        CodecType, InternalAddressConfig, PathWithEscapedSlashesAction, RouteSpecifier,
        ServerHeaderTransformation, StripPortMode, UpgradeConfig,
    },
    scoped_routes::{
        ConfigSpecifier, ScopeKeyBuilder,
        scope_key_builder::{
            FragmentBuilder,
            fragment_builder::{HeaderValueExtractor, Type, header_value_extractor::ExtractType},
        },
    },
};
use envoy_types::pb::envoy::extensions::http::early_header_mutation::header_mutation::v3::HeaderMutation;
use envoy_types::pb::envoy::r#type::matcher::v3::{
    RegexMatcher, StringMatcher, string_matcher::MatchPattern,
};

use super::super::Settings;
use super::super::http2::{self, Windows};
use super::super::trace_context;
use super::super::tracing;
use super::super::wire::{
    extension, flag, from_ads, number, remove_reserved_of_caller, seconds, set_header,
};
use super::{Side, access_log, filters, local_reply};

/// `/api/{proxy}/…` split at `/`.
const SCOPE_ELEMENT: u32 = 2;
/// Every value of `Upgrade` but `websocket`: Envoy then reads the request as if it had none.
// So long because RE2 has no negative lookahead.
const NOT_WEBSOCKET: &str = "(?s)(?:|[^wW].*|[wW](?:|[^eE].*|[eE](?:|[^bB].*|[bB](?:|[^sS].*|[sS](?:|[^oO].*|[oO](?:|[^cC].*|[cC](?:|[^kK].*|[kK](?:|[^eE].*|[eE](?:|[^tT].*|[tT].+)))))))))";

/// The connection manager of a listener.
pub(super) fn build(settings: &Settings, side: Side) -> HttpConnectionManager {
    HttpConnectionManager {
        stat_prefix: match side {
            Side::Callers => "proxy".to_owned(),
            Side::Deliveries => "deliveries".to_owned(),
        },
        codec_type: CodecType::Auto.into(),
        // The peer is the caller, and nobody is trusted as internal.
        use_remote_address: flag(true),
        // Envoy would write its own address for a caller on the same machine: the route does it.
        skip_xff_append: true,
        internal_address_config: Some(nobody_internal()),
        generate_request_id: flag(false),
        preserve_external_request_id: true,
        server_header_transformation: ServerHeaderTransformation::PassThrough.into(),
        // HTTP/2 targets are told how they are called, whatever the caller used or says.
        scheme_header_transformation: Some(SchemeHeaderTransformation {
            match_upstream: true,
            ..SchemeHeaderTransformation::default()
        }),
        // The filter judges the path as it came.
        normalize_path: flag(false),
        merge_slashes: false,
        path_with_escaped_slashes_action: PathWithEscapedSlashesAction::KeepUnchanged.into(),
        strip_port_mode: Some(StripPortMode::StripAnyHostPort(true)),
        max_request_headers_kb: number(header_kib(side)),
        // Against heads that never end (Slowloris); nobody has shown a credential yet.
        request_headers_timeout: seconds(5),
        // The routes of calls have a shorter one, which overrides it.
        stream_idle_timeout: seconds(300),
        // A caller that still sends gets to read its refusal before the connection is reset.
        delayed_close_timeout: seconds(1),
        common_http_protocol_options: Some(HttpProtocolOptions {
            idle_timeout: seconds(300),
            max_headers_count: number(header_lines(side)),
            // `_` is legal in a name (RFC 9110 §5.6.2); what could pass for ours is removed by its
            // name.
            headers_with_underscores_action: HeadersWithUnderscoresAction::Allow.into(),
            ..HttpProtocolOptions::default()
        }),
        http_protocol_options: Some(http1()),
        http2_protocol_options: Some(http2::options(&windows(side))),
        upgrade_configs: vec![UpgradeConfig {
            upgrade_type: "websocket".to_owned(),
            ..UpgradeConfig::default()
        }],
        early_header_mutation_extensions: vec![early_mutation(settings, side)],
        access_log: vec![access_log::build(settings)],
        local_reply_config: Some(local_reply::build()),
        route_specifier: Some(RouteSpecifier::ScopedRoutes(scoped_routes())),
        http_filters: filters::chain(settings, side),
        tracing: settings.collector.as_ref().map(tracing::tracing),
        request_id_extension: settings.collector.is_some().then(tracing::request_id),
        ..HttpConnectionManager::default()
    }
}

/// What one stuck call may leave in Envoy is 64 KiB; 65,535 is where HTTP/2 begins (RFC 9113 §6.9.2).
/// A region server has one connection for all organisations: as many streams as it has deliveries at
/// a time, and a window for the connection that these cannot use up.
fn windows(side: Side) -> Windows {
    let (streams, connection_bytes) = match side {
        Side::Callers => (100, 1 << 20),
        Side::Deliveries => (256, 16 << 20),
    };
    Windows {
        streams,
        stream_bytes: 1 << 16,
        connection_bytes,
    }
}

/// The region server brings what a caller was allowed, and says for whom: what the caller's token
/// says may take as much again.
fn header_kib(side: Side) -> u32 {
    match side {
        Side::Callers => 96,
        Side::Deliveries => 160,
    }
}

fn header_lines(side: Side) -> u32 {
    match side {
        Side::Callers => 200,
        Side::Deliveries => 210,
    }
}

/// Drops what only the gateway may say, then notes what later steps need of the raw request.
fn early_mutation(settings: &Settings, side: Side) -> TypedExtensionConfig {
    let mut mutations = match side {
        // First, because what follows sets names that this removes.
        Side::Callers => vec![remove_reserved_of_caller()],
        // Only the region server connects there. What it took from callers had none.
        Side::Deliveries => Vec::new(),
    };
    mutations.extend([
        // Without the query, in which `/` would count too: `/api?/{proxy}` names no proxy.
        set_header("x-rr-scope", "%PATH(NQ)%"),
        // Envoy writes its own over it (`use_remote_address`); `forwarded` puts it back.
        set_header("x-rr-xfp", "%REQ(x-forwarded-proto)%"),
    ]);
    if let Some(collector) = &settings.collector {
        mutations.extend(trace_context::before(collector.sampled));
    }
    extension(
        "envoy.http.early_header_mutation.header_mutation",
        HeaderMutation { mutations },
    )
}

fn scoped_routes() -> ScopedRoutes {
    let extractor = HeaderValueExtractor {
        name: "x-rr-scope".to_owned(),
        element_separator: "/".to_owned(),
        extract_type: Some(ExtractType::Index(SCOPE_ELEMENT)),
    };
    let fragment = FragmentBuilder {
        r#type: Some(Type::HeaderValueExtractor(extractor)),
    };
    ScopedRoutes {
        name: "proxies".to_owned(),
        scope_key_builder: Some(ScopeKeyBuilder {
            fragments: vec![fragment],
        }),
        rds_config_source: Some(from_ads()),
        config_specifier: Some(ConfigSpecifier::ScopedRds(ScopedRds {
            scoped_rds_config_source: Some(from_ads()),
            ..ScopedRds::default()
        })),
    }
}

fn http1() -> Http1ProtocolOptions {
    let not_websocket = RegexMatcher {
        regex: NOT_WEBSOCKET.to_owned(),
        ..RegexMatcher::default()
    };
    Http1ProtocolOptions {
        // For responses: no trailer of a request passes the cluster's filters.
        enable_trailers: true,
        ignore_http_11_upgrade: vec![StringMatcher {
            match_pattern: Some(MatchPattern::SafeRegex(not_websocket)),
            ..StringMatcher::default()
        }],
        ..Http1ProtocolOptions::default()
    }
}

/// An address that nobody has.
fn nobody_internal() -> InternalAddressConfig {
    let nobody = CidrRange {
        address_prefix: "255.255.255.255".to_owned(),
        prefix_len: number(32),
    };
    InternalAddressConfig {
        unix_sockets: false,
        cidr_ranges: vec![nobody],
    }
}
