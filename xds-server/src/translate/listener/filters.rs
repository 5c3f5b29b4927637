//! The HTTP filters, in order: what ours needs, ours, then what finds the target.

use envoy_types::pb::envoy::config::common::mutation_rules::v3::HeaderMutation as Mutation;
use envoy_types::pb::envoy::extensions::filters::http::dynamic_forward_proxy::v3::{
    FilterConfig, filter_config::ImplementationSpecifier,
};
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3::{
    HeaderMutation, Mutations,
};
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter;

use super::super::Settings;
use super::super::cors;
use super::super::dns_cache::dns_cache;
use super::super::filter_name::{AGAIN, FILTER, FORWARD_PROXY, REPEATABLE, VALVE};
use super::super::forwarded;
use super::super::retry;
use super::super::route::{EDITED_BY, JUDGE_AGAIN, WORKED_ON_BY};
use super::super::trace_context;
use super::super::unread;
use super::super::upgrade;
use super::super::wasm::wasm;
use super::super::wire::{extension, http_filter, set_header};
use super::Side;

/// All filters of a listener.
pub(super) fn chain(settings: &Settings, side: Side) -> Vec<HttpFilter> {
    let forward_proxy = FilterConfig {
        implementation_specifier: Some(ImplementationSpecifier::DnsCacheConfig(dns_cache(
            settings,
        ))),
        ..FilterConfig::default()
    };
    let wasm = extension(FILTER, wasm(&settings.filter_wasm));
    let router = Router {
        // Else the router adds `x-envoy-*` to requests and answers.
        suppress_envoy_headers: true,
        ..Router::default()
    };
    // Rules look at it.
    let state = settings
        .collector
        .iter()
        .flat_map(|_| trace_context::state_back());
    let state = state.collect();
    let forwarded = match side {
        Side::Callers => forwarded::edits(),
        // The list ended with the caller when it called.
        Side::Deliveries => forwarded::restored(),
    };
    let mark = set_header(JUDGE_AGAIN, "1");
    let route_again = extension("route-name", route_name(vec![mark]));
    [
        // Before all others, so that it sees every answer, whoever makes it.
        cors::filter(),
        extension(cors::ROUTE_NAME, route_name(state)),
        extension(FILTER, unread::asked_about_all(wasm.clone())),
        // A call that waited for its body goes on without the name of its route. It gets the name
        // of the one that is in force now, and is judged by that.
        extension(
            "route-name-again",
            unread::asked_without(EDITED_BY, route_again),
        ),
        extension(AGAIN, unread::asked_with(JUDGE_AGAIN, wasm.clone())),
        // Responses come by here first: what is too much at once is held back from our filter.
        extension(VALVE, unread::asked_with(WORKED_ON_BY, wasm)),
        extension("upgrade", upgrade::over_http1()),
        extension("upgrade-name", upgrade::disguised()),
        extension(REPEATABLE, retry::repeatable()),
        extension(FORWARD_PROXY, forward_proxy),
        // Behind the last that has Envoy choose a route: it chooses none without the header that
        // this removes.
        extension("forwarded", forwarded),
        extension("envoy.filters.http.router", router),
    ]
    .map(http_filter)
    .into()
}

/// Tells the filter which policy applies: to read a header costs it much less than a property. The
/// early mutation has dropped what a caller may have called so.
fn route_name(marks: Vec<Mutation>) -> HeaderMutation {
    let mut request_mutations = vec![set_header(EDITED_BY, "%ROUTE_NAME%")];
    request_mutations.extend(marks);
    let mutations = Mutations {
        request_mutations,
        ..Mutations::default()
    };
    HeaderMutation {
        mutations: Some(mutations),
        ..HeaderMutation::default()
    }
}
