use std::num::NonZeroU32;

use envoy_types::pb::envoy::config::listener::v3::{Listener, filter};
use envoy_types::pb::envoy::config::route::v3::{
    RouteConfiguration, ScopedRouteConfiguration, route,
};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, http_filter,
};
use envoy_types::pb::envoy::extensions::wasm::v3::FailurePolicy;
use proptest::prelude::*;
use prost::Message;
use requestrocket_proto::policy::v1 as wire;

use super::listener::ListenerAddress;
use super::*;
use crate::region_config::{Scheme, TargetConfig};

fn settings() -> impl Strategy<Value = Settings> {
    let ranges = proptest::collection::vec((any::<[u8; 4]>(), 0..=32_u8), 0..4);
    (".*", "(/[a-z.]+)+", ranges).prop_map(|(region, module, ranges)| Settings {
        region,
        filter_wasm: module.into(),
        allow_private_targets: ranges
            .into_iter()
            .map(|(address, bits)| ipnet::Ipv4Net::new(address.into(), bits).unwrap().into())
            .collect(),
        target_roots: TargetRoots::File("/roots.pem".into()),
    })
}

fn target() -> impl Strategy<Value = TargetConfig> {
    let scheme = prop_oneof![Just(Scheme::Http), Just(Scheme::Https)];
    (scheme, ".*", ".*").prop_map(|(scheme, authority, base_path)| TargetConfig {
        scheme,
        authority,
        base_path,
    })
}

fn config() -> impl Strategy<Value = ProxyConfig> {
    let texts = (".*", ".*", proptest::option::of(".*"));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let bytes = (any::<Vec<u8>>(), any::<Vec<u8>>());
    (
        texts,
        flags,
        bytes,
        1..=60_u32,
        any::<u64>(),
        proptest::option::of(target()),
    )
        .prop_map(
            |((proxy_id, organisation_id, alias), flags, bytes, timeout, max, target)| {
                ProxyConfig {
                    proxy_id,
                    organisation_id,
                    alias,
                    is_active: flags.0,
                    is_suspended: flags.1,
                    timeout_seconds: NonZeroU32::new(timeout).unwrap(),
                    max_response_bytes: max,
                    target,
                    proxy_credentials: Vec::new(),
                    target_credential: flags.2.then(wire::TargetCredential::default),
                    data_key: bytes.0,
                    digest_key: bytes.1,
                }
            },
        )
}

fn connection_manager(settings: &Settings) -> HttpConnectionManager {
    let (_, template) = Translator::new(settings.clone()).shared();
    let listener = template.at(&ListenerAddress::default());
    let listener = Listener::decode(listener.body().clone()).unwrap();
    let [chain] = &listener.filter_chains[..] else {
        panic!("one chain")
    };
    let [filter] = &chain.filters[..] else {
        panic!("one filter")
    };
    let Some(filter::ConfigType::TypedConfig(config)) = &filter.config_type else {
        panic!()
    };
    HttpConnectionManager::decode(&config.value[..]).unwrap()
}

proptest! {
    /// F2: whatever a region is set to, its filter is there, before anything that forwards, and
    /// never lets traffic through when it fails.
    #[test]
    fn f2_the_filter_cannot_be_made_to_fail_open(settings in settings()) {
        let manager = connection_manager(&settings);
        prop_assert!(manager.upgrade_configs.iter().all(|upgrade| upgrade.filters.is_empty()));
        prop_assert!(manager.http_filters.iter().all(|f| !f.is_optional && !f.disabled));
        let names: Vec<_> = manager.http_filters.iter().map(|f| f.name.as_str()).collect();
        let ["route-name", "requestrocket", super::route::FORWARD_PROXY, router] = names[..] else {
            panic!("{names:?}")
        };
        prop_assert!(router.ends_with("router"));
        let Some(http_filter::ConfigType::TypedConfig(config)) =
            &manager.http_filters[1].config_type
        else {
            panic!("the filter is configured in place")
        };
        prop_assert!(config.type_url.ends_with("/envoy.extensions.filters.http.wasm.v3.Wasm"));
        let plugin = Wasm::decode(&config.value[..]).unwrap().config.unwrap();
        prop_assert_eq!(plugin.failure_policy(), FailurePolicy::FailReload);
        let backoff = plugin.reload_config.unwrap().backoff.unwrap();
        prop_assert_eq!(backoff.max_interval.unwrap().nanos, 20_000_000);
        #[expect(deprecated, reason = "that is the switch that must not be on")]
        let fails_open = plugin.fail_open;
        prop_assert!(!fails_open);
    }

    /// F2: nor can a proxy switch it off for itself, or be forwarded without a target.
    #[test]
    fn f2_no_proxy_gets_round_the_filter(settings in settings(), config in config()) {
        let resources = Translator::new(settings).proxy(&config);
        let routes = RouteConfiguration::decode(resources.route.clone()).unwrap();
        prop_assert!(routes.typed_per_filter_config.is_empty());
        let [host] = &routes.virtual_hosts[..] else { panic!("one host") };
        prop_assert!(host.typed_per_filter_config.is_empty());
        let [route] = &host.routes[..] else { panic!("one route") };
        let filters: Vec<_> = route.typed_per_filter_config.keys().map(String::as_str).collect();
        let is_forwarded = matches!(route.action, Some(route::Action::Route(_)));
        prop_assert_eq!(is_forwarded, config.target.is_some());
        let wanted: &[&str] = if is_forwarded { &[super::route::FORWARD_PROXY] } else { &[] };
        prop_assert_eq!(filters, wanted);
        let metadata = route.metadata.as_ref().unwrap();
        prop_assert_eq!(metadata.typed_filter_metadata.len(), 1);
        for (_, scope) in scopes(&resources) {
            prop_assert!(scope.route_configuration.is_none());
            prop_assert_eq!(scope.route_configuration_name, routes.name.clone());
        }
    }

    #[test]
    fn the_same_config_gives_the_same_bytes(settings in settings(), config in config()) {
        let again = Translator::new(settings.clone()).proxy(&config);
        prop_assert_eq!(Translator::new(settings).proxy(&config), again);
    }
}

fn scopes(resources: &ProxyResources) -> Vec<(String, ScopedRouteConfiguration)> {
    let alias = resources
        .alias_scope
        .iter()
        .map(|(name, body)| (name.to_string(), body));
    let id = std::iter::once((String::new(), &resources.scope));
    id.chain(alias)
        .map(|(name, body)| {
            (
                name,
                ScopedRouteConfiguration::decode(body.clone()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn roots_are_the_systems_and_the_extra_one() {
    let folder = tempfile::tempdir().unwrap();
    let extra = folder.path().join("extra.pem");
    std::fs::write(&extra, "extra root").unwrap();
    let TargetRoots::Inline(bundle) = TargetRoots::load(Some(&extra)).unwrap() else {
        panic!()
    };
    assert!(bundle.starts_with(b"extra root\n") || *bundle == *b"extra root");
    assert!(matches!(
        TargetRoots::load(None).unwrap(),
        TargetRoots::File(_)
    ));
    let missing = folder.path().join("missing.pem");
    let problem = TargetRoots::load(Some(&missing)).unwrap_err().to_string();
    assert!(problem.contains("missing.pem"), "{problem}");
}
