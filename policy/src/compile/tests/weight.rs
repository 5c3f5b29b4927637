//! A policy is bounded as a whole: its parts may be fine by themselves and too much together.

use super::{super::weight::MAX_ENCODED_BYTES, *};
use crate::fixtures::rules;

/// Heavy when compiled, though not when written, and different for each `n`.
fn heavy(n: usize) -> wire::Layer {
    let texts: Vec<String> = (0..30)
        .map(|pattern| format!(r"deny 1 p:\w\w\w\w{n}-{pattern}"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    rules::layer("allow", &texts)
}

/// Light when compiled, but long.
fn long() -> wire::Layer {
    let path = format!("destroy $.{}", "a".repeat(500));
    wire::Layer {
        redactions: vec![rules::redaction(1, &path); 200],
        ..rules::layer("allow", &[])
    }
}

fn with_credentials(layers: impl Iterator<Item = wire::Layer>) -> Result<Policy, InvalidPolicy> {
    let mut fixture = PolicyFixture::new();
    for (n, layer) in layers.enumerate() {
        fixture = fixture.api_key(&format!("key {n}"));
        *fixture.layer(LayerName::ProxyCredential) = layer;
    }
    fixture.compile()
}

#[test]
fn a_policy_weighs_what_its_layers_and_meters_weigh() {
    let meters = || {
        vec![wire::Meter {
            meter_id: rules::rule_id(9).to_string(),
            conditions: Some(rules::conditions(r"p:^/v\d+/")),
            ..wire::Meter::default()
        }]
    };
    let mut fixture = full();
    let layers = [
        LayerName::ProxyCredential,
        LayerName::TargetCredential,
        LayerName::Target,
        LayerName::Proxy,
    ];
    let before = fixture.compile().unwrap().weight();
    let mut want = before + check_meters(meters()).unwrap();
    fixture.wire.meters = meters();
    for (n, name) in layers.into_iter().enumerate() {
        want -= check_layer(fixture.layer(name).clone()).unwrap();
        *fixture.layer(name) = rules::layer("allow", &[&format!(r"deny 1 p:^/v\d{{{n}}}/")]);
        want += check_layer(fixture.layer(name).clone()).unwrap();
    }
    assert_eq!(fixture.compile().unwrap().weight(), want);
    assert!(want > before + 5 * 1_000, "{want} after {before}");
}

#[test]
fn equal_patterns_of_a_layer_weigh_once() {
    let one = check_layer(rules::layer("allow", &[r"deny 1 p:\w\w"])).unwrap();
    let two = check_layer(rules::layer("allow", &[r"deny 1 p:\w\w", r"deny 2 p:\w\w"])).unwrap();
    let other = check_layer(rules::layer(
        "allow",
        &[r"deny 1 p:\w\w", r"deny 2 p:\w.\w"],
    ))
    .unwrap();
    assert!(two - one < 1_000, "{one} {two}");
    assert!(other - one > 10_000, "{one} {other}");
}

#[test]
fn a_hundred_full_credentials_are_too_heavy_together() {
    let refused = |layer: fn(usize) -> wire::Layer| {
        let one = check_layer(layer(0)).unwrap();
        assert!(one < MAX_WEIGHT / 2, "{one}");
        assert!(with_credentials((0..2).map(layer)).is_ok());
        let fitting = MAX_WEIGHT / one;
        (with_credentials((0..15).map(layer)).unwrap_err(), fitting)
    };
    let (different, _) = refused(heavy);
    assert_eq!(different, InvalidPolicy::TooHeavy(TooHeavy));
    // Equal patterns are compiled once, and weigh with every layer.
    for layer in [|_: usize| heavy(0), |_: usize| long()] {
        let (equal, fitting) = refused(layer);
        let InvalidPolicy::Credential { position, source } = equal else {
            panic!("{equal}");
        };
        assert!(matches!(
            source,
            InvalidCredential::Layer(InvalidLayer::TooHeavy(TooHeavy))
        ));
        // It ends there: what comes after the one that is too much is not compiled.
        assert!(position.abs_diff(fitting) <= 1, "{position} of {fitting}");
    }
}

#[test]
fn what_is_longer_than_all_parts_at_their_limits_is_not_even_decoded() {
    let long = vec![0xff; MAX_ENCODED_BYTES + 1];
    let got = Policy::compile(full().admission().unwrap(), &long).err();
    assert_eq!(got, Some(InvalidPolicy::TooLong(MAX_ENCODED_BYTES)));
}

#[test]
fn meters_are_weighed_too() {
    let meters = (0..50)
        .map(|n: u128| wire::Meter {
            meter_id: rules::rule_id(n).to_string(),
            conditions: Some(rules::conditions(&format!(r"p:\w\w\w\w{n}"))),
            ..wire::Meter::default()
        })
        .collect::<Vec<_>>();
    let weight = check_meters(meters.clone()).unwrap();
    assert!(weight > MAX_WEIGHT / 3, "{weight}");
    let refused = bent(|wire| {
        wire.meters = meters;
        *wire.layer.as_mut().unwrap() = heavy(0);
        let credentials = &mut wire.proxy_credentials;
        for (n, credential) in credentials.iter_mut().take(2).enumerate() {
            credential.layer = Some(heavy(n + 1));
        }
    });
    assert_eq!(refused.err(), Some(InvalidPolicy::TooHeavy(TooHeavy)));
}
