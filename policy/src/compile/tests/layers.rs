//! The four layers of a policy, and what else rules need of it.

use super::*;
use crate::{
    authz::{Call, DecidedBy, Decision, DeniedBy},
    fixtures::rules,
};

const NAMES: [LayerName; 4] = [
    LayerName::ProxyCredential,
    LayerName::TargetCredential,
    LayerName::Target,
    LayerName::Proxy,
];

fn decide(policy: &Policy, credential: usize) -> Decision {
    let layers = policy.layers(credential_id(credential)).unwrap();
    layers.decide(&Call::new(b"GET", b"/", None, &[]))
}

#[test]
fn each_layer_judges_the_calls_that_it_is_attached_to() {
    for layer in NAMES {
        let fixture = PolicyFixture::new().api_key("a").api_key("b");
        let policy = fixture.rules(layer, "allow", &["deny 500 GET"]).compile();
        let by = DecidedBy::Rule(rules::rule_id(1));
        let denied = Decision::Denied(DeniedBy { layer, by });
        let policy = policy.unwrap();
        assert_eq!(decide(&policy, 1), denied);
        // The first credential has a layer of its own.
        let is_its_own = layer == LayerName::ProxyCredential;
        let want = if is_its_own {
            Decision::Allowed
        } else {
            denied
        };
        assert_eq!(decide(&policy, 0), want, "{layer:?}");
    }
}

#[test]
fn there_are_no_layers_for_foreign_credentials_and_incomplete_proxies() {
    let used = credential_id(0);
    assert!(full().compile().unwrap().layers(used).is_some());
    assert!(
        full()
            .compile()
            .unwrap()
            .layers(credential_id(99))
            .is_none()
    );
    let without_target = bent(|wire| wire.target = None).unwrap();
    assert!(without_target.layers(used).is_none());
    let without_credential = bent(|wire| wire.target_credential = None).unwrap();
    assert!(without_credential.layers(used).is_none());
}

/// Bends one layer of a full policy.
fn bent_layer(name: LayerName, bend: impl FnOnce(&mut Option<wire::Layer>)) -> InvalidPolicy {
    let policy = bent(|wire| {
        bend(match name {
            LayerName::ProxyCredential => &mut wire.proxy_credentials[2].layer,
            LayerName::TargetCredential => &mut wire.target_credential.as_mut().unwrap().layer,
            LayerName::Target => &mut wire.target.as_mut().unwrap().layer,
            LayerName::Proxy => &mut wire.layer,
        });
    });
    policy.unwrap_err()
}

#[test]
fn a_layer_that_is_absent_or_wrong_is_no_policy() {
    for name in NAMES {
        let want = |source| match name {
            LayerName::ProxyCredential => InvalidPolicy::Credential {
                position: 2,
                source: InvalidCredential::Layer(source),
            },
            LayerName::TargetCredential | LayerName::Target | LayerName::Proxy => {
                InvalidPolicy::Layer {
                    layer: name,
                    source,
                }
            }
        };
        let absent = bent_layer(name, |layer| *layer = None);
        assert_eq!(absent, want(InvalidLayer::Missing));
        let empty = bent_layer(name, |layer| *layer = Some(wire::Layer::default()));
        assert_eq!(empty, want(InvalidLayer::DefaultEffect));
    }
    let text = bent_layer(LayerName::Target, |layer| *layer = None).to_string();
    assert_eq!(text, "target: rules are missing");
}

#[test]
fn rules_and_redactions_of_the_fixture_are_kept() {
    let fixture = full().redactions(LayerName::Target, &["destroy $.a", "retain $.b GET"]);
    let policy = fixture.compile().unwrap();
    let layers = policy.layers(credential_id(0)).unwrap();
    let call = Call::new(b"GET", b"/", None, &[]);
    let redactions = layers.target.redactions_for(&call);
    let ids = redactions.map(|one| one.filter.id.to_string());
    let want = [1, 2].map(|n| rules::filter_id(n).to_string());
    assert_eq!(ids.collect::<Vec<_>>(), want);
    assert_eq!(layers.proxy.redactions_for(&call).count(), 0);
}

#[test]
fn inspected_bodies_are_bounded() {
    for (bytes, is_valid) in [
        (0, false),
        (1, true),
        (1 << 20, true),
        (MAX_INSPECTED_BYTES, true),
        (MAX_INSPECTED_BYTES + 1, false),
        (u64::MAX, false),
    ] {
        let got = bent(|wire| wire.max_inspected_bytes = bytes);
        let got = got.map(|policy| policy.max_inspected_bytes().get());
        let want = if is_valid {
            Ok(bytes)
        } else {
            Err(InvalidPolicy::MaxInspectedBytes)
        };
        assert_eq!(got, want, "{bytes}");
    }
}
