//! Proxy → scopes: which element of the path leads to its route configuration.

use std::sync::Arc;

use bytes::Bytes;
use envoy_types::pb::envoy::config::route::v3::ScopedRouteConfiguration;
use envoy_types::pb::envoy::config::route::v3::scoped_route_configuration::{
    Key,
    key::{Fragment, fragment::Type},
};
use prost::Message;

use crate::records::region_config::ProxyConfig;

/// The scope under the proxy's id.
pub(super) fn of_id(config: &ProxyConfig) -> Bytes {
    scope(&config.proxy_id, &config.proxy_id, &config.proxy_id)
}

/// Name and scope of the alias. The name is the alias's, so that an alias that moves to another
/// proxy is one change and never two scopes with one key.
pub(super) fn of_alias(config: &ProxyConfig) -> Option<(Arc<str>, Bytes)> {
    let alias = config.alias.as_deref()?;
    let name = format!("alias/{alias}");
    let scope = scope(&name, alias, &config.proxy_id);
    Some((name.into(), scope))
}

fn scope(name: &str, key: &str, proxy_id: &str) -> Bytes {
    let fragment = Fragment {
        r#type: Some(Type::StringKey(key.to_owned())),
    };
    let scope = ScopedRouteConfiguration {
        name: name.to_owned(),
        route_configuration_name: proxy_id.to_owned(),
        key: Some(Key {
            fragments: vec![fragment],
        }),
        ..ScopedRouteConfiguration::default()
    };
    scope.encode_to_vec().into()
}
