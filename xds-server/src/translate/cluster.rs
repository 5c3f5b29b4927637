//! The clusters of a region, two for each scheme: dynamic forward proxies, so memory follows active
//! hosts. What calls with obtained tokens need is in clusters of their own, so that no others pay for
//! it.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::cluster::v3::{
    CircuitBreakers, Cluster, UpstreamConnectionOptions,
    circuit_breakers::Thresholds,
    cluster::{ClusterDiscoveryType, CustomClusterType, LbPolicy},
    upstream_connection_options::{FirstAddressFamilyVersion, HappyEyeballsConfig},
};
use envoy_types::pb::envoy::config::common::mutation_rules::v3::HeaderMutation as Mutation;
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, Http1ProtocolOptions, HttpProtocolOptions as CommonProtocolOptions,
    TransportSocket, UpstreamHttpProtocolOptions, data_source, transport_socket,
};
use envoy_types::pb::envoy::extensions::clusters::dynamic_forward_proxy::v3::{
    ClusterConfig, cluster_config::ClusterImplementationSpecifier,
};
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3::{
    HeaderMutation, Mutations,
};
use envoy_types::pb::envoy::extensions::filters::http::upstream_codec::v3::UpstreamCodec;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, SubjectAltNameMatcher, TlsParameters,
    UpstreamTlsContext, common_tls_context, subject_alt_name_matcher::SanType,
    tls_parameters::TlsProtocol,
};
use envoy_types::pb::envoy::extensions::upstreams::http::v3::{
    HttpProtocolOptions,
    http_protocol_options::{
        AutoHttpConfig, ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config,
    },
};
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use envoy_types::util::pack_any;
use requestrocket_policy::access::MAX_OPEN_CALLS;
use requestrocket_policy::denial::{
    GRANTED_MESSAGE, PROXY_CODE_HEADER, PROXY_MESSAGE_HEADER, PROXY_WARNING_HEADER, ProxyCode,
    REQUEST_ID_HEADER,
};

use super::dns_cache::dns_cache;
use super::filter_name::TRY;
use super::hop_by_hop;
use super::http2::{self, Windows};
use super::refused;
use super::retry;
use super::trace_context;
use super::upgrade;
use super::wasm::wasm;
use super::wire::{
    WARNING, extension, file, http_filter, number, remove_matching, remove_reserved, seconds,
    set_header, some_any,
};
use super::{BUFFER_BYTES, Settings, TargetRoots};
use crate::records::region_config::{ProxyConfig, Scheme, TargetConfig};
use crate::xds::resource::Resource;

/// Connections, waiting calls, calls and retries of all targets of a scheme together. Envoy's own
/// 1,024 would let one silent target fail every other's calls. These are never reached: callers'
/// connections are bounded (50,000, envoy/bootstrap.yaml) and each carries at most 100 calls.
const UNREACHED: u32 = 5_000_000;
/// Connections to one address: as many as there are open calls at most, so that nobody's calls wait
/// for somebody else's. The filter refuses those that are more.
const MAX_HOST_CONNECTIONS: u32 = MAX_OPEN_CALLS;
/// Calls over one HTTP/2 connection to a target.
const STREAMS: u32 = 100;
/// Bytes that a target may send ahead of a slow caller over HTTP/2: of one call, and of all calls of
/// a connection. Several organisations' calls may share one, so that none of them, stuck, may leave
/// the others nothing to send.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = STREAMS * STREAM_WINDOW_BYTES;
/// An unused connection is closed by whoever is first, and should not be the target when a call
/// comes. Most servers wait for 60 s or longer; Envoy would for an hour.
const IDLE_SECONDS: u32 = 55;
/// Lines of a response's head, of which the status is one over HTTP/2, and how long they may be
/// together: 96 KiB, and 32 bytes for each line, which HTTP/2 counts. Envoy's own 100 and 60 are less
/// than what servers send.
const MAX_HEADER_LINES: u32 = 201;
const MAX_HEADER_KIB: u32 = 104;
/// The shared resources are older than any proxy.
const FIRST_REVISION: u64 = 1;

/// What calls carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    /// What stays good, or ends when it says.
    Anything,
    /// A token that a target may refuse before.
    Renewable,
}

/// Name of the cluster that calls of a proxy go through to its target.
pub(super) fn of(config: &ProxyConfig, target: &TargetConfig) -> &'static str {
    let carried = if refused::is_renewable(config) {
        Carried::Renewable
    } else {
        Carried::Anything
    };
    name((target.scheme, carried))
}

fn name(kind: (Scheme, Carried)) -> &'static str {
    match kind {
        (Scheme::Http, Carried::Anything) => "target-http",
        (Scheme::Https, Carried::Anything) => "target-https",
        (Scheme::Http, Carried::Renewable) => "target-http-renewable",
        (Scheme::Https, Carried::Renewable) => "target-https-renewable",
    }
}

/// A certificate for that name or address.
fn named(host: &str) -> [SubjectAltNameMatcher; 2] {
    [SanType::Dns, SanType::IpAddress].map(|kind| SubjectAltNameMatcher {
        san_type: kind.into(),
        matcher: Some(StringMatcher {
            match_pattern: Some(MatchPattern::Exact(host.to_owned())),
            ..StringMatcher::default()
        }),
        ..SubjectAltNameMatcher::default()
    })
}

/// All of them.
pub(super) fn targets(settings: &Settings) -> Vec<Resource> {
    let kinds = [Scheme::Http, Scheme::Https].into_iter();
    let kinds = kinds.flat_map(|scheme| {
        [Carried::Anything, Carried::Renewable].map(|carried| (scheme, carried))
    });
    kinds
        .map(|kind| {
            let cluster = cluster(kind, settings);
            Resource::encode(name(kind).into(), &cluster, FIRST_REVISION, None)
        })
        .collect()
}

fn cluster(kind: (Scheme, Carried), settings: &Settings) -> Cluster {
    let (scheme, _) = kind;
    let forward_proxy = ClusterConfig {
        cluster_implementation_specifier: Some(ClusterImplementationSpecifier::DnsCacheConfig(
            dns_cache(settings),
        )),
        ..ClusterConfig::default()
    };
    let protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned();
    Cluster {
        name: name(kind).to_owned(),
        connect_timeout: seconds(5),
        per_connection_buffer_limit_bytes: number(BUFFER_BYTES),
        // Envoy takes no other policy for this kind of cluster.
        lb_policy: LbPolicy::ClusterProvided.into(),
        circuit_breakers: Some(circuit_breakers()),
        upstream_connection_options: Some(connection_options()),
        cluster_discovery_type: Some(ClusterDiscoveryType::ClusterType(CustomClusterType {
            name: "envoy.clusters.dynamic_forward_proxy".to_owned(),
            typed_config: some_any(forward_proxy),
        })),
        typed_extension_protocol_options: HashMap::from([(
            protocol,
            pack_any(protocol_options(kind, settings)),
        )]),
        transport_socket: match scheme {
            Scheme::Http => None,
            Scheme::Https => Some(tls(&settings.target_roots)),
        },
        ..Cluster::default()
    }
}

fn circuit_breakers() -> CircuitBreakers {
    let of_all = Thresholds {
        max_connections: number(UNREACHED),
        max_pending_requests: number(UNREACHED),
        max_requests: number(UNREACHED),
        max_retries: number(UNREACHED),
        ..Thresholds::default()
    };
    // Of one host Envoy bounds connections only.
    let of_one = Thresholds {
        max_connections: number(MAX_HOST_CONNECTIONS),
        ..Thresholds::default()
    };
    CircuitBreakers {
        thresholds: vec![of_all],
        per_host_thresholds: vec![of_one],
    }
}

/// Both kinds of addresses are tried, in turn. IPv4 first: many a name has an IPv6 address that leads
/// nowhere.
fn connection_options() -> UpstreamConnectionOptions {
    UpstreamConnectionOptions {
        happy_eyeballs_config: Some(HappyEyeballsConfig {
            first_address_family_version: FirstAddressFamilyVersion::V4.into(),
            first_address_family_count: number(1),
        }),
        ..UpstreamConnectionOptions::default()
    }
}

fn protocol_options(kind: (Scheme, Carried), settings: &Settings) -> HttpProtocolOptions {
    let (scheme, _) = kind;
    let http1 = Http1ProtocolOptions {
        // Envoy's HTTP/1 codec drops trailers unless told otherwise.
        enable_trailers: true,
        ..Http1ProtocolOptions::default()
    };
    let protocol = match scheme {
        // Without TLS there is no ALPN by which a target could say that it speaks HTTP/2.
        Scheme::Http => UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
            protocol_config: Some(explicit_http_config::ProtocolConfig::HttpProtocolOptions(
                http1,
            )),
        }),
        Scheme::Https => UpstreamProtocolOptions::AutoConfig(AutoHttpConfig {
            http_protocol_options: Some(http1),
            http2_protocol_options: Some(http2::options(&Windows {
                streams: STREAMS,
                stream_bytes: STREAM_WINDOW_BYTES,
                connection_bytes: CONNECTION_WINDOW_BYTES,
            })),
            ..AutoHttpConfig::default()
        }),
    };
    HttpProtocolOptions {
        // Without TLS they mean nothing, but this kind of cluster insists on them.
        upstream_http_protocol_options: Some(UpstreamHttpProtocolOptions {
            auto_sni: true,
            auto_san_validation: true,
            ..UpstreamHttpProtocolOptions::default()
        }),
        common_http_protocol_options: Some(CommonProtocolOptions {
            idle_timeout: seconds(IDLE_SECONDS),
            max_headers_count: number(MAX_HEADER_LINES),
            max_response_headers_kb: number(MAX_HEADER_KIB),
            ..CommonProtocolOptions::default()
        }),
        upstream_protocol_options: Some(protocol),
        http_filters: target_filters(kind, settings),
        ..HttpProtocolOptions::default()
    }
}

/// What happens on the way to a target and back, and to no answer of the gateway's own. It stands
/// here, once, because on the routes it would cost every proxy memory. A request comes by again for
/// each try, in the state in which the last one left it.
fn target_filters(kind: (Scheme, Carried), settings: &Settings) -> Vec<HttpFilter> {
    let (scheme, carried) = kind;
    let mutations = Mutations {
        request_mutations: request_mutations(scheme, settings),
        // A target may take a trailer for a header, and the filter has decided by then: carriers,
        // overrides, injected names and all that a rule looks for could come behind its back. So
        // none passes, as RFC 9110 (6.5.1) allows.
        request_trailers_mutations: vec![remove_matching(".*")],
        response_mutations: response_mutations(),
        // A caller may take a trailer for a header, too: no target speaks in the gateway's name.
        response_trailers_mutations: vec![remove_reserved()],
        ..Mutations::default()
    };
    let edits = HeaderMutation {
        mutations: Some(mutations),
        ..HeaderMutation::default()
    };
    let again = || {
        let wasm = wasm(&settings.filter_wasm);
        [
            extension(TRY, refused::try_again(wasm)),
            extension("refused", refused::note()),
        ]
    };
    // Before the edits: they read what those remove of a request, and mark what those would remove of
    // a response.
    let again = (carried == Carried::Renewable).then(again);
    // First, so that the region is not asked for a token for a try that ends here.
    let silence = extension("after-silence", retry::no_try_after_silence());
    // Responses pass in reverse: what `Connection` names goes before our own headers come.
    let others = [
        extension("envoy.filters.http.header_mutation", edits),
        extension("named-by-connection", hop_by_hop::drop_named()),
        extension("envoy.filters.http.upstream_codec", UpstreamCodec {}),
    ];
    std::iter::once(silence)
        .chain(again.into_iter().flatten())
        .chain(others)
        .map(http_filter)
        .collect()
}

fn request_mutations(scheme: Scheme, settings: &Settings) -> Vec<Mutation> {
    // Hop by hop, but left alone by Envoy. Of `te` it leaves `trailers`, which HTTP/2 targets need.
    let hop_by_hop = match scheme {
        Scheme::Http => "te|trailer|proxy[-_](?:authenticate|authorization)",
        Scheme::Https => "trailer|proxy[-_](?:authenticate|authorization)",
    };
    let state = settings
        .collector
        .iter()
        .flat_map(|_| trace_context::state_back());
    state
        .chain([
            remove_reserved(),
            upgrade::undisguised(),
            remove_matching(hop_by_hop),
        ])
        .collect()
}

fn response_mutations() -> Vec<Mutation> {
    vec![
        remove_reserved(),
        set_header(PROXY_CODE_HEADER, ProxyCode::AccessGranted.as_str()),
        set_header(PROXY_MESSAGE_HEADER, GRANTED_MESSAGE),
        set_header(REQUEST_ID_HEADER, "%UNIQUE_ID%"),
        set_header(PROXY_WARNING_HEADER, WARNING),
    ]
}

fn tls(roots: &TargetRoots) -> TransportSocket {
    tls_of(roots, None)
}

/// To a host of that name; none: whichever the request names.
pub(super) fn tls_of(roots: &TargetRoots, host: Option<&str>) -> TransportSocket {
    let trusted_ca = match roots {
        TargetRoots::File(path) => file(path),
        TargetRoots::Inline(bundle) => DataSource {
            specifier: Some(data_source::Specifier::InlineBytes(bundle.to_vec())),
            ..DataSource::default()
        },
    };
    let validation = CertificateValidationContext {
        trusted_ca: Some(trusted_ca),
        match_typed_subject_alt_names: host.into_iter().flat_map(named).collect(),
        ..CertificateValidationContext::default()
    };
    let versions = TlsParameters {
        // 1.0 and 1.1 are deprecated (RFC 8996).
        tls_minimum_protocol_version: TlsProtocol::TlSv12.into(),
        // Without a word Envoy, as a client, stops at 1.2.
        tls_maximum_protocol_version: TlsProtocol::TlSv13.into(),
        ..TlsParameters::default()
    };
    let context = UpstreamTlsContext {
        sni: host.unwrap_or_default().to_owned(),
        common_tls_context: Some(CommonTlsContext {
            tls_params: Some(versions),
            validation_context_type: Some(
                common_tls_context::ValidationContextType::ValidationContext(validation),
            ),
            ..CommonTlsContext::default()
        }),
        ..UpstreamTlsContext::default()
    };
    TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(transport_socket::ConfigType::TypedConfig(pack_any(context))),
    }
}
