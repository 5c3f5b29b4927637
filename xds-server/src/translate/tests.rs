use std::num::NonZeroU32;

use envoy_types::pb::envoy::config::listener::v3::{Listener, filter};
use envoy_types::pb::envoy::config::route::v3::{
    HeaderMatcher, RouteAction, RouteConfiguration, RouteMatch, ScopedRouteConfiguration,
    header_matcher::HeaderMatchSpecifier, route, route_action::ClusterSpecifier,
};
use envoy_types::pb::envoy::extensions::common::matching::v3::{
    ExtensionWithMatcher, ExtensionWithMatcherPerRoute,
};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, http_filter,
};
use envoy_types::pb::envoy::extensions::wasm::v3::FailurePolicy;
use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use envoy_types::pb::xds::r#type::matcher::v3::Matcher;
use proptest::prelude::*;
use prost::{Message, Name};
use requestrocket_proto::policy::v1::{self as wire, proxy_credential::Presented};
use requestrocket_proto::region::v1::Cors;

use super::listener::ListenerAddress;
use super::*;
use crate::fixtures::{allowing_layer, layer_denying, limits, meter};
use crate::records::region_config::{CallerConfig, Scheme, TargetConfig};

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
        collector: None,
    })
}

fn layer() -> impl Strategy<Value = wire::Layer> {
    proptest::collection::vec("[A-Z]{1,8}", 0..3).prop_map(|methods| {
        let methods: Vec<_> = methods.iter().map(String::as_str).collect();
        layer_denying(&methods)
    })
}

fn target() -> impl Strategy<Value = TargetConfig> {
    let scheme = prop_oneof![Just(Scheme::Http), Just(Scheme::Https)];
    (scheme, ".*", ".*", layer()).prop_map(|(scheme, authority, base_path, layer)| TargetConfig {
        scheme,
        authority,
        base_path,
        layer,
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
        (any::<u64>(), any::<u64>()),
        proptest::option::of(target()),
        layer(),
    )
        .prop_map(
            |((proxy_id, organisation_id, alias), flags, bytes, timeout, max, target, layer)| {
                ProxyConfig {
                    target_id: String::new(),
                    proxy_id,
                    organisation_id,
                    alias,
                    is_active: flags.0,
                    is_suspended: flags.1,
                    timeout_seconds: NonZeroU32::new(timeout).unwrap(),
                    max_response_bytes: max.0,
                    max_inspected_bytes: max.1,
                    cors: None,
                    target,
                    proxy_credentials: Vec::new(),
                    // Of a token that is obtained, too.
                    target_credential: flags.2.then(|| wire::TargetCredential {
                        serves_until_ms: (max.0 % 2 == 0).then_some(max.1),
                        ..wire::TargetCredential::default()
                    }),
                    layer,
                    limits: wire::Limits::default(),
                    meters: Vec::new(),
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
    /// Whatever a region is set to, its filter is there, before anything that forwards, and
    /// never lets traffic through when it fails.
    #[test]
    fn the_filter_cannot_be_made_to_fail_open(settings in settings()) {
        let manager = connection_manager(&settings);
        prop_assert!(manager.upgrade_configs.iter().all(|upgrade| upgrade.filters.is_empty()));
        prop_assert!(manager.http_filters.iter().all(|f| !f.is_optional && !f.disabled));
        let names: Vec<_> = manager.http_filters.iter().map(|f| f.name.as_str()).collect();
        let ["envoy.filters.http.cors", "route-name", "requestrocket", "route-name-again",
            "requestrocket-again", "requestrocket-valve", "upgrade", "upgrade-name", "repeatable",
            super::filter_name::FORWARD_PROXY, "forwarded", router] = names[..] else {
            panic!("{names:?}")
        };
        prop_assert!(router.ends_with("router"));
        let Some(http_filter::ConfigType::TypedConfig(config)) =
            &manager.http_filters[2].config_type
        else {
            panic!("the filter is configured in place")
        };
        prop_assert_eq!(&config.type_url, &ExtensionWithMatcher::type_url());
        let asked = ExtensionWithMatcher::decode(&config.value[..]).unwrap();
        // An empty matcher finds nothing to leave out; without one everything would be.
        prop_assert_eq!(asked.xds_matcher, Some(Matcher::default()));
        let config = asked.extension_config.unwrap().typed_config.unwrap();
        prop_assert!(config.type_url.ends_with("/envoy.extensions.filters.http.wasm.v3.Wasm"));
        let plugin = Wasm::decode(&config.value[..]).unwrap().config.unwrap();
        prop_assert_eq!(plugin.failure_policy(), FailurePolicy::FailReload);
        let backoff = plugin.reload_config.unwrap().backoff.unwrap();
        prop_assert_eq!(backoff.max_interval.unwrap().nanos, 20_000_000);
        // What it holds back is held back whole, so that bodies are seen before a target is called.
        prop_assert!(plugin.allow_on_headers_stop_iteration.unwrap().value);
        #[expect(deprecated, reason = "that is the switch that must not be on")]
        let fails_open = plugin.fail_open;
        prop_assert!(!fails_open);
    }

    /// Nor can a proxy switch it off for itself, or be forwarded without a target.
    #[test]
    fn no_proxy_gets_round_the_filter(settings in settings(), config in config()) {
        let resources = Translator::new(settings).proxy(&config);
        let routes = RouteConfiguration::decode(resources.route.clone()).unwrap();
        prop_assert!(routes.typed_per_filter_config.is_empty());
        let [host] = &routes.virtual_hosts[..] else { panic!("one host") };
        let mut of_host = host.typed_per_filter_config.clone();
        // Short responses pass it, and nothing else.
        if let Some(asked) = of_host.remove(super::filter_name::FILTER) {
            prop_assert_eq!(&asked.type_url, &ExtensionWithMatcherPerRoute::type_url());
            let asked = ExtensionWithMatcherPerRoute::decode(&asked.value[..]).unwrap();
            let longest = super::unread::tests::longest_unread(asked);
            prop_assert!(longest <= config.max_response_bytes);
        }
        prop_assert!(of_host.is_empty());
        let [came_in, edited, arrives] = &host.routes[..] else { panic!("three routes") };
        // What the region server answers goes to it and nowhere else, without a word of the policy.
        let Some(route::Action::Route(arrives_at)) = &arrives.action else { panic!("a cluster") };
        let arrivals = ClusterSpecifier::Cluster("arrivals".to_owned());
        prop_assert_eq!(arrives_at.cluster_specifier.as_ref(), Some(&arrivals));
        prop_assert_eq!(&arrives_at.retry_policy, &None);
        let handed_over = format!("{}/arrives", edited.name);
        prop_assert_eq!(edited_by(arrives.r#match.as_ref().unwrap()), Some(handed_over));
        prop_assert_eq!((&arrives.name, &arrives.metadata), (&edited.name, &None));
        let told: Vec<_> = arrives.typed_per_filter_config.keys().collect();
        prop_assert_eq!(told, ["repeatable"]);
        for route in [came_in, edited] {
            let filters: Vec<_> = route.typed_per_filter_config.keys().map(String::as_str).collect();
            let is_forwarded = matches!(route.action, Some(route::Action::Route(_)));
            prop_assert_eq!(is_forwarded, config.target.is_some());
            let wanted: &[&str] = if is_forwarded { &[super::filter_name::FORWARD_PROXY] } else { &[] };
            prop_assert_eq!(filters, wanted);
        }
        // What is kept of a body for another try is bounded on every route.
        prop_assert_eq!(came_in.request_body_buffer_limit, None);
        let kept = edited.request_body_buffer_limit.map(|limit| limit.value);
        prop_assert_eq!(kept, Some(super::retry::BODY_BYTES));
        // Once the filter has edited a call, it leaves by the route whose policy did, or not at all.
        prop_assert_eq!(edited_by(came_in.r#match.as_ref().unwrap()), None);
        let bound = edited_by(edited.r#match.as_ref().unwrap());
        prop_assert_eq!(bound, Some(edited.name.clone()));
        prop_assert_eq!(&came_in.name, &edited.name);
        // Before that it leads nowhere, but waits as long as it would wait then.
        if let (Some(route::Action::Route(from)), Some(route::Action::Route(to))) =
            (&came_in.action, &edited.action)
        {
            let token = resources.token.as_ref().map(|(name, _)| name.to_string());
            let nowhere = ClusterSpecifier::Cluster(token.unwrap_or("undecided".to_owned()));
            prop_assert_eq!(from.cluster_specifier.as_ref(), Some(&nowhere));
            let as_before = RouteAction { cluster_specifier: Some(nowhere), ..to.clone() };
            prop_assert_eq!(&as_before, from);
        }
        let metadata = host.metadata.as_ref().unwrap();
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

/// By which route a call must have been edited to match; None: by none yet.
fn edited_by(call: &RouteMatch) -> Option<String> {
    let is_there = |header: &HeaderMatcher| {
        assert!(!header.invert_match && !header.treat_missing_header_as_empty);
        match header.header_match_specifier.as_ref().unwrap() {
            HeaderMatchSpecifier::PresentMatch(false) => None,
            HeaderMatchSpecifier::StringMatch(text) => match text.match_pattern.as_ref().unwrap() {
                MatchPattern::Exact(name) if !text.ignore_case => Some(name.clone()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let headers: Vec<_> = call
        .headers
        .iter()
        .map(|one| (&*one.name, is_there(one)))
        .collect();
    match &headers[..] {
        [("x-rr-route", None)] => None,
        [("x-rr-route", Some(name)), ("x-rr-again", None)] => Some(name.clone()),
        other => panic!("{other:?}"),
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

type Differ = fn(&mut ProxyConfig);

/// What browsers ask passes the filter by, so it must lead nowhere; calls come by it as ever.
#[test]
fn pages_of_other_origins_get_round_the_filter_with_questions_only() {
    let route_configuration = |config: &ProxyConfig| {
        let translator = Translator::new(crate::fixtures::translation());
        RouteConfiguration::decode(translator.proxy(config).route).unwrap()
    };
    let closed = complete();
    let mut open = closed.clone();
    open.cors = Some(Cors {
        allowed_origins: vec!["*".to_owned()],
        ..Cors::default()
    });
    let mut host = route_configuration(&open).virtual_hosts.remove(0);
    let of_closed = route_configuration(&closed).virtual_hosts.remove(0);
    assert_eq!(
        host.typed_per_filter_config,
        of_closed.typed_per_filter_config
    );
    let questions: Vec<_> = host.routes.drain(..2).collect();
    for question in questions {
        let Some(route::Action::DirectResponse(answer)) = question.action else {
            panic!("{:?}", question.action)
        };
        assert!([204, 403].contains(&answer.status), "{}", answer.status);
    }
    // It is compared by its bytes.
    let encoded = || {
        Translator::new(crate::fixtures::translation())
            .proxy(&open)
            .route
    };
    let once = encoded();
    for _ in 0..50 {
        assert_eq!(encoded(), once);
    }
    for (mut call, of_closed) in host.routes.into_iter().zip(of_closed.routes) {
        for filter in ["envoy.filters.http.cors", "route-name"] {
            assert!(
                call.typed_per_filter_config.remove(filter).is_some(),
                "{filter}"
            );
        }
        assert_eq!(call, of_closed);
    }
}

#[test]
fn whatever_the_filter_is_told_and_where_calls_go_makes_another_policy_version() {
    let config = complete();
    let translator = || Translator::new(crate::fixtures::translation());
    let version = |config: &ProxyConfig| {
        let routes = RouteConfiguration::decode(translator().proxy(config).route).unwrap();
        routes.virtual_hosts[0].routes[0].name.clone()
    };
    let differing: &[Differ] = &[
        |c| c.organisation_id.push('x'),
        |c| c.alias = None,
        |c| c.is_active = false,
        |c| c.is_suspended = true,
        |c| c.max_response_bytes += 1,
        |c| c.max_inspected_bytes += 1,
        |c| c.target = None,
        |c| c.target.as_mut().unwrap().base_path.push('x'),
        |c| c.target.as_mut().unwrap().authority.push('x'),
        |c| c.target.as_mut().unwrap().scheme = Scheme::Http,
        |c| c.target.as_mut().unwrap().layer = layer_denying(&["PUT"]),
        |c| c.proxy_credentials.clear(),
        |c| c.proxy_credentials[0].is_active = false,
        |c| c.proxy_credentials[0].presented = Presented::Jwt(wire::JwtString::default()),
        |c| c.proxy_credentials[0].layer = layer_denying(&["PUT"]),
        |c| c.proxy_credentials[0].limits = limits(2),
        |c| c.target_credential = None,
        |c| c.target_credential.as_mut().unwrap().layer = Some(layer_denying(&["PUT"])),
        |c| c.layer = layer_denying(&["PUT"]),
        |c| c.limits = limits(2),
        |c| c.meters[0].limits = Some(limits(2)),
        |c| c.meters.clear(),
        |c| c.data_key.push(0),
        |c| c.digest_key.push(0),
    ];
    let mut versions = std::collections::BTreeSet::from([version(&config)]);
    for (case, differ) in differing.iter().enumerate() {
        let mut other = config.clone();
        differ(&mut other);
        assert!(versions.insert(version(&other)), "case {case}");
    }
    // What Envoy alone needs leaves the filter's cache alone.
    let mut slower = config.clone();
    slower.timeout_seconds = NonZeroU32::MIN;
    assert_eq!(version(&slower), version(&config));
}

/// Looks into the request's body.
fn reading() -> wire::Conditions {
    let mut layer = layer_denying(&[]);
    let mut conditions = layer.rules[0].conditions.take().unwrap();
    conditions.body.push(wire::NodeCondition {
        path: "$.model".to_owned(),
        value: None,
        presence: wire::Presence::Present.into(),
    });
    conditions
}

fn layer_reading() -> wire::Layer {
    let mut layer = layer_denying(&[]);
    layer.rules[0].conditions = Some(reading());
    layer
}

fn injections(config: &mut ProxyConfig) -> &mut Vec<wire::Injection> {
    &mut config.target_credential.as_mut().unwrap().injections
}

fn computed(reads_body: bool) -> wire::Injection {
    wire::Injection {
        location: wire::Location::Computed.into(),
        name: "hmac".to_owned(),
        sealed_value: Vec::new().into(),
        reads_body,
        ..wire::Injection::default()
    }
}

#[test]
fn the_host_is_told_where_something_is_signed_and_only_a_signed_body_is_kept() {
    let host = |config: &ProxyConfig| {
        let encoded = policy::encode(config, "r").rest;
        let policy = wire::ProxyPolicy::decode(&*encoded).unwrap();
        policy.target.unwrap().host
    };
    let mut config = complete();
    assert_eq!(host(&config), "");
    injections(&mut config).push(computed(false));
    assert_eq!(kept(&config), None);
    for (scheme, authority, want) in [
        (Scheme::Https, "api.example:443", "api.example"),
        (Scheme::Http, "api.example:443", "api.example:443"),
        (Scheme::Http, "api.example:80", "api.example"),
    ] {
        let target = config.target.as_mut().unwrap();
        (target.scheme, target.authority) = (scheme, authority.to_owned());
        assert_eq!(host(&config), want);
    }
}

/// What Envoy is to keep of a body; None: what it keeps of any.
fn kept(config: &ProxyConfig) -> Option<u64> {
    let translator = Translator::new(crate::fixtures::translation());
    let routes = RouteConfiguration::decode(translator.proxy(config).route).unwrap();
    let limit = routes.virtual_hosts[0].routes[0].request_body_buffer_limit?;
    Some(limit.value)
}

const ROOM: u64 = 128 << 10;

#[test]
fn a_request_is_kept_for_conditions_that_look_into_it() {
    assert_eq!(kept(&complete()), None);
    let looking: &[Differ] = &[
        |c| c.proxy_credentials[0].layer = layer_reading(),
        |c| c.target_credential.as_mut().unwrap().layer = Some(layer_reading()),
        |c| c.target.as_mut().unwrap().layer = layer_reading(),
        |c| c.layer = layer_reading(),
        |c| c.meters[0].conditions = Some(reading()),
        |c| injections(c).push(computed(true)),
    ];
    for (case, look) in looking.iter().enumerate() {
        for (max, bytes) in [
            (0, 0),
            (1 << 20, 1 << 20),
            (16 << 20, 16 << 20),
            (u64::MAX, 16 << 20),
        ] {
            let mut config = complete();
            config.max_inspected_bytes = max;
            look(&mut config);
            assert_eq!(kept(&config), Some(bytes + ROOM), "case {case}, {max}");
        }
    }
}

fn layer_redacting() -> wire::Layer {
    wire::Layer {
        redactions: vec![wire::Redaction {
            filter_id: "f".to_owned(),
            operation: wire::Operation::Destroy.into(),
            paths: vec!["$.secret".to_owned()],
            conditions: None,
        }],
        ..allowing_layer()
    }
}

#[test]
fn no_response_is_kept() {
    let redacting: &[Differ] = &[
        |c| c.proxy_credentials[0].layer = layer_redacting(),
        |c| c.target_credential.as_mut().unwrap().layer = Some(layer_redacting()),
        |c| c.target.as_mut().unwrap().layer = layer_redacting(),
        |c| c.layer = layer_redacting(),
    ];
    for (case, redact) in redacting.iter().enumerate() {
        let mut config = complete();
        redact(&mut config);
        config.max_response_bytes = 1 << 30;
        assert_eq!(kept(&config), None, "case {case}");
    }
}

/// The longest response that passes the filter; None: the filter sees all.
fn unread(config: &ProxyConfig) -> Option<u64> {
    let translator = Translator::new(crate::fixtures::translation());
    let routes = RouteConfiguration::decode(translator.proxy(config).route).unwrap();
    let host = &routes.virtual_hosts[0];
    let per_route = host
        .typed_per_filter_config
        .get(super::filter_name::FILTER)?;
    let per_route = ExtensionWithMatcherPerRoute::decode(&per_route.value[..]).unwrap();
    Some(super::unread::tests::longest_unread(per_route))
}

#[test]
fn responses_that_somebody_looks_into_are_all_the_filters() {
    assert_eq!(unread(&complete()), Some(999_999));
    let looking: &[Differ] = &[
        |c| c.proxy_credentials[0].layer = layer_redacting(),
        |c| {
            let mut other = c.proxy_credentials[0].clone();
            other.layer = layer_redacting();
            c.proxy_credentials.push(other);
        },
        |c| c.target_credential.as_mut().unwrap().layer = Some(layer_redacting()),
        |c| c.target.as_mut().unwrap().layer = layer_redacting(),
        |c| c.layer = layer_redacting(),
        |c| c.meters[0].extraction = Some(wire::meter::Extraction::HeaderName("x".to_owned())),
        |c| c.meters[0].extraction = Some(wire::meter::Extraction::BodyPath("$.n".to_owned())),
        |c| c.max_response_bytes = 9,
        // What goes to the target may come back.
        |c| injections(c).push(computed(false)),
    ];
    for (case, look) in looking.iter().enumerate() {
        let mut config = complete();
        look(&mut config);
        assert_eq!(unread(&config), None, "case {case}");
    }
}

/// A proxy that has everything.
pub(super) fn complete() -> ProxyConfig {
    ProxyConfig {
        target_id: String::new(),
        proxy_id: crate::fixtures::id(1),
        organisation_id: "organisation".to_owned(),
        alias: Some("weather".to_owned()),
        is_active: true,
        is_suspended: false,
        timeout_seconds: NonZeroU32::new(30).unwrap(),
        max_response_bytes: 6 << 20,
        max_inspected_bytes: 1 << 20,
        cors: None,
        target: Some(TargetConfig {
            scheme: Scheme::Https,
            authority: "api.example.com".to_owned(),
            base_path: String::new(),
            layer: allowing_layer(),
        }),
        proxy_credentials: vec![CallerConfig {
            credential_id: crate::fixtures::id(10),
            is_active: true,
            ends_at_ms: 0,
            presented: Presented::ApiKey(wire::ApiKey::default()),
            previous: None,
            layer: allowing_layer(),
            limits: limits(1),
        }],
        target_credential: Some(wire::TargetCredential {
            is_token_apart: false,
            serves_until_ms: None,
            refresh_on: Vec::new(),
            credential_id: crate::fixtures::id(20),
            version: 1,
            injections: Vec::new(),
            layer: Some(allowing_layer()),
            ends_at_ms: 0,
        }),
        layer: allowing_layer(),
        limits: limits(1),
        meters: vec![meter("m")],
        data_key: Vec::new(),
        digest_key: Vec::new(),
    }
}
