//! Proxy → route configuration: the policy, its light part on the routes and the rest on the virtual
//! host (of two entries in one map nobody knows which is written first), and two routes of one name. A call
//! comes in by the first, which leads nowhere. Envoy chooses again when the filter has edited the
//! call, which may be long after, and forwards by the second only what the policy of this very
//! configuration has edited: so a secret never goes to a target that it was not configured with. By a
//! third goes what is the region server's to answer.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;

use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3::Metadata;
use envoy_types::pb::envoy::config::route::v3::{
    DirectResponseAction, HeaderMatcher, Route, RouteAction, RouteConfiguration, RouteMatch,
    VirtualHost, header_matcher::HeaderMatchSpecifier, route, route_action::ClusterSpecifier,
    route_match::PathSpecifier,
};
use envoy_types::pb::envoy::extensions::common::matching::v3::ExtensionWithMatcherPerRoute;
use envoy_types::pb::envoy::extensions::filters::http::dynamic_forward_proxy::v3::{
    PerRouteConfig, per_route_config::HostRewriteSpecifier,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use envoy_types::pb::google::protobuf::{Any, BytesValue, UInt64Value};
use envoy_types::util::pack_any;
use requestrocket_policy::denial::PROXY_WARNING_HEADER;
use requestrocket_policy::passage::{ARRIVAL_HEADER, ARRIVES};

use super::buffer;
use super::cluster;
use super::cors;
use super::filter_name::{FILTER, FORWARD_PROXY, REPEATABLE};
use super::in_order::{self, OrderedRoute};
use super::policy::EncodedPolicy;
use super::refused;
use super::retry;
use super::token;
use super::unread;
use super::wire::{self, METADATA_KEY, WARNING, seconds};
use crate::records::region_config::ProxyConfig;

/// The name of the route that a call came in by, put by a native filter before ours.
pub(super) const EDITED_BY: &str = "x-rr-route";
/// That the call has waited and is to be judged again, by what is in force now.
pub(super) const JUDGE_AGAIN: &str = "x-rr-again";
/// The stream that works on the response, for the filter's place next to the target.
pub(super) const WORKED_ON_BY: &str = "x-rr-valve";
/// Leads to the region server (envoy/bootstrap.yaml).
const ARRIVALS: &str = "arrivals";
/// The region server answers a question after 30 s at the latest, and stores in less.
const ARRIVAL_SECONDS: u32 = 40;
/// There is no such cluster.
const NOWHERE: &str = "undecided";
/// Longest silence once the response has begun, and while the request arrives. Streams are
/// promised 60 s; a little more keeps this from firing together with the longest head timeout.
const IDLE_SECONDS: u32 = 65;

/// Lets nobody pass, whatever the proxy: without a policy the filter refuses, and nothing leads to a
/// target.
pub(super) fn closed(name: &str) -> RouteConfiguration {
    let nowhere = Route {
        // Of a route with a name the filter wants a policy.
        name: "closed".to_owned(),
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            ..RouteMatch::default()
        }),
        action: Some(unavailable()),
        ..Route::default()
    };
    let host = VirtualHost {
        name: "closed".to_owned(),
        // The scope has chosen; `Host` decides nothing.
        domains: vec!["*".to_owned()],
        routes: vec![nowhere],
        ..VirtualHost::default()
    };
    RouteConfiguration {
        name: name.to_owned(),
        virtual_hosts: vec![host],
        ..RouteConfiguration::default()
    }
}

fn unavailable() -> route::Action {
    route::Action::DirectResponse(DirectResponseAction {
        status: 503,
        ..DirectResponseAction::default()
    })
}

/// The route configuration of a proxy, encoded.
pub(super) fn configuration(config: &ProxyConfig, policy: &EncodedPolicy) -> Bytes {
    let name = format!("{}/{}", config.proxy_id, policy.version);
    let edited_here = exactly(name.clone());
    let came_in = vec![absent(EDITED_BY)];
    // A mark that is still there says that nobody has judged the call again.
    let decided = vec![header(EDITED_BY, edited_here), absent(JUDGE_AGAIN)];
    let is_renewable = refused::is_renewable(config);
    let kept_bytes = if is_renewable {
        refused::BODY_BYTES
    } else {
        retry::BODY_BYTES
    };
    let token = token::cluster_name(config);
    let calls = [
        Route {
            // Neither has an address.
            action: Some(action(config, Some(token.as_deref().unwrap_or(NOWHERE)))),
            request_body_buffer_limit: bytes(buffer::limit_bytes(config)),
            ..route((&name, came_in), policy)
        },
        Route {
            action: Some(action(config, None)),
            // What waits for a decision is not kept on: this is for another try.
            request_body_buffer_limit: bytes(Some(kept_bytes)),
            ..route((&name, decided), policy)
        },
    ];
    let preflights = config.cors.iter().flat_map(cors::preflights);
    let mut routes: Vec<_> = preflights.map(OrderedRoute::from).collect();
    routes.extend(calls.map(|mut route| {
        if let Some(metadata) = &mut route.metadata {
            // One entry at most: the map of `envoy-types` has another order each time.
            metadata.filter_metadata = refused::statuses(config);
        }
        OrderedRoute {
            route,
            filters: filters(config),
        }
    }));
    routes.push(arrivals(config, &name));
    let host = VirtualHost {
        name: "proxy".to_owned(),
        domains: vec!["*".to_owned()],
        metadata: Some(metadata(&policy.rest)),
        // `retry::no_try_after_silence` goes by it.
        include_is_timeout_retry_header: true,
        include_request_attempt_count: is_renewable,
        // An answer that cannot be repeated passes with its mark.
        response_headers_to_remove: is_renewable
            .then(|| refused::MARK.to_owned())
            .into_iter()
            .collect(),
        typed_per_filter_config: unread(config, policy)
            .map(|asked| (FILTER.to_owned(), pack_any(asked)))
            .into_iter()
            .collect(),
        ..VirtualHost::default()
    };
    let configuration = RouteConfiguration {
        name: config.proxy_id.clone(),
        ..RouteConfiguration::default()
    };
    in_order::encoded(&configuration, &host, routes)
}

/// What goes to the region server, whatever the target is. It carries no policy: the answer is not
/// looked into.
fn arrivals(config: &ProxyConfig, name: &str) -> OrderedRoute {
    let edited_here = exactly(format!("{name}{ARRIVES}"));
    let forward = RouteAction {
        cluster_specifier: Some(ClusterSpecifier::Cluster(ARRIVALS.to_owned())),
        timeout: seconds(ARRIVAL_SECONDS),
        idle_timeout: seconds(IDLE_SECONDS),
        ..RouteAction::default()
    };
    let mut filters = config.cors.as_ref().map(cors::on_calls).unwrap_or_default();
    // What was stored and not answered would be stored twice.
    let once = pack_any(unread::unasked_with(ARRIVAL_HEADER));
    filters.insert(REPEATABLE.to_owned(), once);
    let route = Route {
        name: name.to_owned(),
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            headers: vec![header(EDITED_BY, edited_here), absent(JUDGE_AGAIN)],
            ..RouteMatch::default()
        }),
        action: Some(route::Action::Route(forward)),
        response_headers_to_add: vec![wire::header(PROXY_WARNING_HEADER, WARNING)],
        ..Route::default()
    };
    OrderedRoute { route, filters }
}

/// Which responses the filter is asked about; None: about all.
fn unread(config: &ProxyConfig, policy: &EncodedPolicy) -> Option<ExtensionWithMatcherPerRoute> {
    let is_length_all = !(policy.inspects_responses || policy.searches_responses);
    is_length_all.then(|| unread::asked_unless_short(config.max_response_bytes))?
}

fn header(name: &str, specifier: HeaderMatchSpecifier) -> HeaderMatcher {
    HeaderMatcher {
        name: name.to_owned(),
        header_match_specifier: Some(specifier),
        ..HeaderMatcher::default()
    }
}

fn exactly(text: String) -> HeaderMatchSpecifier {
    HeaderMatchSpecifier::StringMatch(StringMatcher {
        match_pattern: Some(MatchPattern::Exact(text)),
        ..StringMatcher::default()
    })
}

fn bytes(limit: Option<u64>) -> Option<UInt64Value> {
    limit.map(|value| UInt64Value { value })
}

fn absent(name: &str) -> HeaderMatcher {
    header(name, HeaderMatchSpecifier::PresentMatch(false))
}

fn metadata(value: &[u8]) -> Metadata {
    let value = pack_any(BytesValue {
        value: value.to_vec(),
    });
    Metadata {
        typed_filter_metadata: HashMap::from([(METADATA_KEY.to_owned(), value)]),
        ..Metadata::default()
    }
}

/// Both routes carry the light part: requests come by the first, responses by the second.
fn route((name, headers): (&str, Vec<HeaderMatcher>), policy: &EncodedPolicy) -> Route {
    Route {
        name: name.to_owned(),
        // The path is the filter's business: it changes it, and the route must match again.
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            headers,
            ..RouteMatch::default()
        }),
        metadata: Some(metadata(&policy.admission)),
        ..Route::default()
    }
}

/// What both routes say to native filters.
fn filters(config: &ProxyConfig) -> BTreeMap<String, Any> {
    let mut filters = config.cors.as_ref().map(cors::on_calls).unwrap_or_default();
    if let Some(target) = &config.target {
        // This filter resolves the name before the route would rewrite `Host`.
        let rewrite = HostRewriteSpecifier::HostRewriteLiteral(target.host().to_owned());
        let per_route = PerRouteConfig {
            host_rewrite_specifier: Some(rewrite),
        };
        filters.insert(FORWARD_PROXY.to_owned(), pack_any(per_route));
    }
    filters
}

/// Where a call goes that the filter lets pass; `elsewhere` is the name of another cluster.
fn action(config: &ProxyConfig, elsewhere: Option<&str>) -> route::Action {
    match &config.target {
        Some(target) => {
            let cluster = elsewhere.unwrap_or_else(|| cluster::of(config, target));
            let marked = refused::is_renewable(config).then(refused::marked);
            route::Action::Route(forward(cluster, config.timeout_seconds, marked))
        }
        // The filter has answered before; should it ever not, nothing is forwarded.
        None => unavailable(),
    }
}

fn forward(
    cluster: &str,
    timeout_seconds: NonZeroU32,
    marked: Option<HeaderMatcher>,
) -> RouteAction {
    RouteAction {
        cluster_specifier: Some(ClusterSpecifier::Cluster(cluster.to_owned())),
        // Zero: the length of a response is not limited in time. The head is, by the timeout of
        // each try, which counts from the end of the request and ends with the head.
        timeout: seconds(0),
        retry_policy: Some(retry::policy(timeout_seconds, marked)),
        idle_timeout: seconds(IDLE_SECONDS),
        ..RouteAction::default()
    }
}
