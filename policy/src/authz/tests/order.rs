//! Which rule decides a layer, and which layer is named.

use super::*;

#[test]
fn the_matching_rule_of_the_highest_priority_decides() {
    let layer = layer(
        "deny",
        &[
            "allow 500 p:^/v1",
            "deny 900 p:^/v1/admin",
            "allow 1000 p:^/v1/admin/me$",
            "deny 0 p:^/v1/never",
        ],
    );
    for (path, want) in [
        ("/v1/items", allowed_by(1)),
        ("/v1/admin/users", denied_by(2)),
        ("/v1/admin/me", allowed_by(3)),
        ("/v1/never", allowed_by(1)),
        ("/v2", DENIED),
    ] {
        assert_eq!(decide(&layer, &Sent { path, ..GET }), want, "{path}");
    }
}

#[test]
fn at_equal_priority_deny_wins_and_the_order_on_the_wire_says_nothing() {
    let texts = [
        "allow 500 p:^/a",
        "deny 500 p:^/a",
        "deny 500 p:^/a/b",
        "allow 500",
    ];
    let sent = Sent {
        path: "/a/b",
        ..GET
    };
    let forwards = layer("allow", &texts);
    assert_eq!(decide(&forwards, &sent), denied_by(2));
    let mut wire = rules::layer("allow", &texts);
    wire.rules.reverse();
    let backwards = compile_alone(wire).unwrap();
    assert_eq!(decide(&backwards, &sent), denied_by(2));
    assert_eq!(decide(&backwards, &GET), allowed_by(4));
}

#[test]
fn without_a_match_the_default_effect_decides() {
    assert_eq!(decide(&layer("allow", &[]), &GET), ALLOWED);
    assert_eq!(decide(&layer("deny", &[]), &GET), DENIED);
    assert_eq!(decide(&layer("allow", &["deny 500 p:x"]), &GET), ALLOWED);
    assert_eq!(decide(&layer("deny", &["allow 500 p:x"]), &GET), DENIED);
    // A rule without conditions matches every call.
    assert_eq!(decide(&layer("deny", &["allow 500"]), &GET), allowed_by(1));
}

#[test]
fn a_rule_matches_when_all_its_conditions_hold() {
    let conditions = "POST p:^/v1 h:^x-a$ q:^q$ c:$.sub b:$.model";
    let full = Sent {
        method: "POST",
        path: "/v1",
        query: "q=1",
        headers: &[("x-a", "1")],
        body: Some(br#"{"model":1}"#),
        claims: Some(r#"{"sub":1}"#),
    };
    check(conditions, &full, true);
    for less in [
        Sent {
            method: "PUT",
            ..full
        },
        Sent {
            path: "/v2",
            ..full
        },
        Sent { query: "", ..full },
        Sent {
            headers: &[],
            ..full
        },
        Sent {
            body: Some(b"{}"),
            ..full
        },
        Sent {
            claims: None,
            ..full
        },
    ] {
        check(conditions, &less, false);
    }
}

fn decide_all(layers: [&Layer; 4], sent: &Sent<'_>) -> Decision {
    let [proxy_credential, target_credential, target, proxy] = layers;
    let layers = Layers {
        proxy_credential,
        target_credential,
        target,
        proxy,
    };
    sent.with_call(|call| layers.decide(call))
}

#[test]
fn all_four_layers_must_allow_and_the_first_that_denies_is_named() {
    const NAMES: [LayerName; 4] = [
        LayerName::ProxyCredential,
        LayerName::TargetCredential,
        LayerName::Target,
        LayerName::Proxy,
    ];
    let (allow, deny) = (layer("allow", &[]), layer("deny", &[]));
    // Every combination, a bit a layer.
    for denying in 0..16_usize {
        let is_denying = |at: usize| denying & (1 << at) != 0;
        let of = |at: usize| if is_denying(at) { &deny } else { &allow };
        let want = (0..4).find(|at| is_denying(*at)).map(|at| NAMES[at]);
        let want = want.map_or(Decision::Allowed, |layer| {
            Decision::Denied(DeniedBy {
                layer,
                by: DecidedBy::Default,
            })
        });
        assert_eq!(decide_all([of(0), of(1), of(2), of(3)], &GET), want);
    }
}

#[test]
fn an_allow_rule_of_one_layer_allows_nothing_on_another() {
    let allow = layer("allow", &[]);
    let grants = layer("deny", &["allow 1000"]);
    let forbids = layer("allow", &["deny 1"]);
    let want = Decision::Denied(DeniedBy {
        layer: LayerName::Target,
        by: DecidedBy::Rule(rules::rule_id(1)),
    });
    assert_eq!(decide_all([&grants, &allow, &forbids, &grants], &GET), want);
    assert_eq!(
        decide_all([&grants, &grants, &grants, &allow], &GET),
        Decision::Allowed
    );
}

#[test]
fn a_layer_that_waits_for_the_body_is_waited_for_unless_one_before_it_denies() {
    let allow = layer("allow", &[]);
    let deny = layer("deny", &[]);
    let looks = layer("allow", &["deny 500 b:$.a"]);
    let denied = |layer| {
        Decision::Denied(DeniedBy {
            layer,
            by: DecidedBy::Default,
        })
    };
    let layers = [&allow, &looks, &deny, &allow];
    assert_eq!(decide_all(layers, &GET), Decision::NeedsBody);
    let with = |body| Sent {
        body: Some(body),
        ..GET
    };
    assert_eq!(decide_all(layers, &with(b"{}")), denied(LayerName::Target));
    let by = DecidedBy::Rule(rules::rule_id(1));
    let layer = LayerName::TargetCredential;
    assert_eq!(
        decide_all(layers, &with(b"{\"a\":1}")),
        Decision::Denied(DeniedBy { layer, by })
    );
    let layers = [&deny, &looks, &looks, &looks];
    assert_eq!(decide_all(layers, &GET), denied(LayerName::ProxyCredential));
}

#[test]
fn one_method_rule_on_any_layer_drops_the_override_headers() {
    let plain = layer("allow", &["deny 500 p:x"]);
    let with_methods = layer("allow", &["deny 500 p:x", "deny 400 DELETE"]);
    for at in 0..4 {
        let mut layers = [&plain; 4];
        let have = |[proxy_credential, target_credential, target, proxy]: [&Layer; 4]| {
            Layers {
                proxy_credential,
                target_credential,
                target,
                proxy,
            }
            .name_methods()
        };
        assert!(!have(layers));
        layers[at] = &with_methods;
        assert!(have(layers));
    }
}

#[test]
fn names_are_those_of_the_api() {
    let names = [
        (LayerName::ProxyCredential, "proxyCredential"),
        (LayerName::TargetCredential, "targetCredential"),
        (LayerName::Target, "target"),
        (LayerName::Proxy, "proxy"),
    ];
    for (name, want) in names {
        assert_eq!(name.as_str(), want);
    }
    let id = rules::rule_id(1);
    assert_eq!(DecidedBy::Rule(id).to_string(), id.to_string());
    assert_eq!(DecidedBy::Default.to_string(), "default");
    assert_eq!(DecidedBy::UnreadableBody.to_string(), "unreadable-body");
}

#[test]
fn redactions_apply_to_the_calls_that_their_conditions_choose() {
    let redaction = |n, text| rules::redaction(n, text);
    let wire = wire::Layer {
        redactions: vec![
            redaction(1, "destroy $.a"),
            redaction(2, "retain $.b,$.c GET"),
            redaction(3, "destroy $.d p:^/v1 h:^x-a$=1"),
            redaction(4, "destroy $.e c:$.role=^admin$"),
        ],
        ..rules::layer("allow", &[])
    };
    let layer = compile_alone(wire).unwrap();
    let v1 = Sent {
        method: "POST",
        path: "/v1",
        headers: &[("x-a", "2"), ("x-a", "1")],
        ..GET
    };
    let admin = Sent {
        claims: Some(r#"{"role":"user","role":"admin"}"#),
        ..v1
    };
    for (sent, want) in [(GET, vec![1, 2]), (v1, vec![1, 3]), (admin, vec![1, 3, 4])] {
        let applied: Vec<_> = sent.with_call(|call| {
            let applied = layer.redactions_for(call);
            applied
                .map(|redaction| redaction.filter.id.to_string())
                .collect()
        });
        let ids = want.into_iter().map(rules::filter_id);
        let want: Vec<_> = ids.map(|id| id.to_string()).collect();
        assert_eq!(applied, want, "{sent:?}");
    }
    // In doubt a redaction applies.
    let broken = Sent {
        claims: Some("{"),
        ..GET
    };
    assert_eq!(
        broken.with_call(|call| layer.redactions_for(call).count()),
        3
    );
}

#[test]
fn a_rule_whose_patterns_take_too_long_denies() {
    let path = "/".to_owned() + &"a".repeat(60_000);
    let long = Sent { path: &path, ..GET };
    let heavy = "p:a{1,3000}b";
    // Whatever its effect, and whatever comes after it.
    for rule in [format!("allow 500 {heavy}"), format!("deny 500 !{heavy}")] {
        let layer = layer("allow", &[&rule, "allow 400"]);
        assert_eq!(decide(&layer, &long), denied_by(1));
    }
    // A rule before it still decides, and on a short path it is a rule like any other.
    let texts = ["allow 900 p:^/a", "deny 500 p:a{1,3000}b"];
    assert_eq!(decide(&layer("allow", &texts), &long), allowed_by(1));
    let short = Sent {
        path: "/xab",
        ..GET
    };
    assert_eq!(decide(&layer("allow", &texts), &short), denied_by(2));
    let short = Sent { path: "/xa", ..GET };
    assert_eq!(decide(&layer("allow", &texts), &short), ALLOWED);
    // The effort is that of the whole call: what was spent on one header is gone for the next.
    let value = "a".repeat(1_000);
    let lines = [("x-a", &*value); 2];
    let many = Sent {
        headers: &lines,
        ..GET
    };
    let rule = "deny 500 h:^x-a$=a{1,1100}b";
    assert_eq!(decide(&layer("allow", &[rule]), &many), denied_by(1));
    let one = Sent {
        headers: &lines[..1],
        ..GET
    };
    assert_eq!(decide(&layer("allow", &[rule]), &one), ALLOWED);
}
