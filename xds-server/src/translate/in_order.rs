//! Bytes of a route configuration that depend on nothing but what it says.
//!
//! What is sent is compared by its bytes, and the maps of `envoy-types` have another order each time.
//! A message may be written in parts: so a route is written without its filters, and these after it
//! in the order of their names.

use std::collections::BTreeMap;

use bytes::Bytes;
use envoy_types::pb::envoy::config::route::v3::{Route, RouteConfiguration, VirtualHost};
use envoy_types::pb::google::protobuf::Any;
use prost::Message;

/// A route, and what it says to filters.
#[derive(Debug)]
pub(super) struct OrderedRoute {
    /// With at most one entry in each of its maps.
    pub(super) route: Route,
    pub(super) filters: BTreeMap<String, Any>,
}

/// The rest of a `Route`.
#[derive(Message)]
struct Filters {
    // The tags are those of the same fields in Envoy's route_components.proto and route.proto.
    #[prost(btree_map = "string, message", tag = "13")]
    typed_per_filter_config: BTreeMap<String, Any>,
}

/// The rest of a `VirtualHost`.
#[derive(Message)]
struct Routes {
    #[prost(bytes = "vec", repeated, tag = "3")]
    routes: Vec<Vec<u8>>,
}

/// The rest of a `RouteConfiguration`.
#[derive(Message)]
struct Hosts {
    #[prost(bytes = "vec", repeated, tag = "2")]
    virtual_hosts: Vec<Vec<u8>>,
}

impl From<Route> for OrderedRoute {
    fn from(route: Route) -> Self {
        Self {
            route,
            filters: BTreeMap::new(),
        }
    }
}

/// A configuration of one host, which has these routes and no others.
pub(super) fn encoded(
    configuration: &RouteConfiguration,
    host: &VirtualHost,
    routes: Vec<OrderedRoute>,
) -> Bytes {
    let routes = routes.into_iter().map(|OrderedRoute { route, filters }| {
        let filters = Filters {
            typed_per_filter_config: filters,
        };
        in_parts(&route, &filters)
    });
    let routes = Routes {
        routes: routes.collect(),
    };
    let hosts = Hosts {
        virtual_hosts: vec![in_parts(host, &routes)],
    };
    in_parts(configuration, &hosts).into()
}

fn in_parts(most: &impl Message, rest: &impl Message) -> Vec<u8> {
    // Readers of protobuf merge the fields of messages that follow each other.
    let mut bytes = most.encode_to_vec();
    bytes.extend(rest.encode_to_vec());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_the_message_and_the_same_each_time() {
        let filters: BTreeMap<String, Any> = (0..20)
            .map(|number| {
                let any = Any {
                    type_url: format!("type/{number}"),
                    value: vec![number],
                };
                (format!("filter-{number}"), any)
            })
            .collect();
        let route = |name: &str| Route {
            name: name.to_owned(),
            ..Route::default()
        };
        let host = VirtualHost {
            name: "host".to_owned(),
            domains: vec!["*".to_owned()],
            ..VirtualHost::default()
        };
        let configuration = RouteConfiguration {
            name: "proxy".to_owned(),
            ..RouteConfiguration::default()
        };
        let encoded = || {
            let with_filters = OrderedRoute {
                route: route("a"),
                filters: filters.clone(),
            };
            encoded(&configuration, &host, vec![with_filters, route("b").into()])
        };
        let bytes = encoded();
        assert_eq!(bytes, encoded());
        let first = Route {
            typed_per_filter_config: filters.clone().into_iter().collect(),
            ..route("a")
        };
        let want = RouteConfiguration {
            virtual_hosts: vec![VirtualHost {
                routes: vec![first, route("b")],
                ..host.clone()
            }],
            ..configuration.clone()
        };
        assert_eq!(RouteConfiguration::decode(bytes), Ok(want));
    }
}
