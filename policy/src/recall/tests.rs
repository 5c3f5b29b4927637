//! What is said for certain is what was; what is not known is said.

use proptest::prelude::*;

use super::*;
use crate::{
    authz::tests::model::{Kind, Plain, call, layer_of_rules},
    evaluate::{Sample, evaluate},
    fixtures::rules,
    http::query::{pair, parameters},
};

fn open() -> wire::Layer {
    rules::layer("allow", &[])
}

fn on_proxy(proxy: wire::Layer) -> SampleLayers {
    SampleLayers {
        proxy_credential: open(),
        target_credential: open(),
        target: open(),
        proxy,
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

const GET: RecordedCall<'_> = RecordedCall {
    method: "GET",
    path: "/v1",
    headers: &[],
    query: &[],
    has_no_body: true,
    has_no_claims: true,
};

/// `effect by rules` of the proxy's layer; `?` for what nobody can tell.
fn told(rules: &[&str], call: &RecordedCall<'_>, judged: &Judged) -> String {
    let compiled = Judges::compile(on_proxy(rules::layer("allow", rules))).unwrap();
    let recollection = compiled.recall(call, judged);
    let proxy = recollection.layers.into_iter().next_back().unwrap();
    let effect = match proxy.effect {
        Some(Effect::Allow) => "allow",
        Some(Effect::Deny) => "deny",
        None => "?",
    };
    let number = |id: &str| {
        let mut all = 1..10;
        let found = all.find(|n| rules::rule_id(*n).to_string() == id);
        found.map_or_else(|| id.to_owned(), |n| n.to_string())
    };
    let by = proxy.decided_by.map_or("?".to_owned(), |by| number(&by));
    let matched = proxy.rules.iter().map(|rule| match rule.is_matched {
        Some(true) => 'y',
        Some(false) => 'n',
        None => '?',
    });
    format!("{effect} {by} {}", matched.collect::<String>())
}

#[test]
fn what_a_record_holds_is_judged_as_it_was() {
    let headers = owned(&[("x-team", "***"), ("x-kind", "a")]);
    let call = RecordedCall {
        headers: &headers,
        ..GET
    };
    for (rule, want) in [
        ("deny 500 p:^/v1", "deny 1 y"),
        ("deny 500 POST", "allow default n"),
        ("deny 500 h:^x-kind$=^a$", "deny 1 y"),
        ("deny 500 h:^x-kind$=^b$", "allow default n"),
        // The name is known, and that it is there.
        ("deny 500 h:^x-team$", "deny 1 y"),
        ("deny 500 !h:^x-team$", "allow default n"),
        ("deny 500 h:^x-team$=^a$", "? ? ?"),
        ("deny 500 POST h:^x-team$=^a$", "allow default n"),
        // One of several that are known decides.
        ("deny 500 h:^x-=^a$", "deny 1 y"),
        ("deny 500 !h:^x-=^a$", "allow default n"),
        ("allow 500 h:^x-=^a$", "allow ? ?"),
        ("allow 500 h:^x-=^b$", "allow default n"),
        ("deny 500 b:$.a", "allow default n"),
        ("deny 500 !b:$.a", "deny 1 y"),
        ("deny 500 !c:$.sub", "deny 1 y"),
    ] {
        assert_eq!(told(&[rule], &call, &Judged::Unknown), want, "{rule}");
    }
}

#[test]
fn bodies_claims_and_what_was_cut_are_not_known() {
    let long = "x".repeat(1_024);
    let query = owned(&[("q", &long), ("short", "1")]);
    let call = RecordedCall {
        query: &query,
        has_no_body: false,
        has_no_claims: false,
        ..GET
    };
    for (rule, want) in [
        ("deny 500 b:$.a", "? ? ?"),
        ("deny 500 c:$.sub=^me$", "? ? ?"),
        ("deny 500 q:^q$=y$", "? ? ?"),
        ("deny 500 q:^short$=^1$", "deny 1 y"),
        // A body that nobody could read is denied, whatever the rule's effect is.
        ("allow 500 b:$.a", "? ? ?"),
        ("deny 500 POST b:$.a", "allow default n"),
    ] {
        assert_eq!(told(&[rule], &call, &Judged::Unknown), want, "{rule}");
    }
    let segment = RecordedCall {
        path: "/v1/***",
        ..GET
    };
    let masked = told(&["deny 500 p:^/v1/x$"], &segment, &Judged::Unknown);
    assert_eq!(masked, "? ? ?");
    let many: Vec<_> = (0..410).map(|n| format!("name-{n:010}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "value")).collect();
    let headers = owned(&many);
    let full = RecordedCall {
        headers: &headers,
        ..GET
    };
    let absent = told(&["deny 500 !h:^x-other$"], &full, &Judged::Unknown);
    assert_eq!(absent, "? ? ?", "there may have been more");
}

#[test]
fn what_became_of_the_call_settles_what_is_open() {
    let call = RecordedCall {
        has_no_body: false,
        ..GET
    };
    let two = ["deny 900 b:$.a", "allow 500 b:$.b"];
    let denied = |by: &str| Judged::Denied {
        layer: LayerName::Proxy,
        by: by.to_owned(),
    };
    for (judged, want) in [
        (Judged::Unknown, "? ? ??"),
        (Judged::Allowed, "allow ? n?"),
        (denied(&rules::rule_id(1).to_string()), "deny 1 y?"),
        (denied("unreadable-body"), "deny unreadable-body ??"),
    ] {
        assert_eq!(told(&two, &call, &judged), want, "{judged:?}");
    }
    let one = told(&["deny 900 b:$.a"], &call, &Judged::Allowed);
    assert_eq!(one, "allow default n");
    let elsewhere = Judged::Denied {
        layer: LayerName::Target,
        by: "default".to_owned(),
    };
    let behind = told(&["deny 900 b:$.a"], &call, &elsewhere);
    assert_eq!(behind, "? ? ?", "it was not asked");
}

#[test]
fn filters_and_meters_are_told_by_their_conditions() {
    let headers = owned(&[("x-team", "***")]);
    let call = RecordedCall {
        headers: &headers,
        ..GET
    };
    let proxy = wire::Layer {
        redactions: ["destroy $.a", "destroy $.a POST", "retain $.a h:^x-team$=a"]
            .iter()
            .zip(1..)
            .map(|(text, n)| rules::redaction(n, text))
            .collect(),
        ..open()
    };
    let judges = Judges::compile(on_proxy(proxy)).unwrap();
    let filters = judges.recall(&call, &Judged::Allowed).filters;
    let applied: Vec<_> = filters.iter().map(|filter| filter.is_applied).collect();
    assert_eq!(applied, [Some(true), Some(false), None]);
    assert_eq!(filters[2].unknown, ["headers[0]"]);
    let meter = |n, conditions: &str| wire::Meter {
        meter_id: Uuid::from_u128(n).to_string(),
        conditions: Some(rules::conditions(conditions)),
        ..wire::Meter::default()
    };
    let meters = vec![meter(1, "GET"), meter(2, "POST"), meter(3, "h:^x-team$=a")];
    let meters = recall_meters(meters, &call).unwrap();
    let meant: Vec<_> = meters.iter().map(|meter| meter.is_meant).collect();
    assert_eq!(meant, [Some(true), Some(false), None]);
}

/// The record of a call, of which some values are masked.
fn record_of(call: &Plain, masked: u32) -> [Vec<(String, String)>; 2] {
    let mask = |(place, (name, value)): (u32, (String, String))| {
        let is_masked = masked >> (place % 32) & 1 == 1;
        (name, if is_masked { "***".to_owned() } else { value })
    };
    let headers = (0..).zip(owned(&call.headers)).map(mask);
    let query = parameters(call.query.as_bytes()).filter(|one| !one.is_empty());
    let query = query.map(|one| {
        let (name, value) = pair(one);
        (name.into_owned(), value.into_owned())
    });
    let query = (16..).zip(query).map(mask);
    [headers.collect(), query.collect()]
}

proptest! {
    #[test]
    fn nothing_is_said_for_certain_that_was_not_so(
        four in [layer_of_rules(), layer_of_rules(), layer_of_rules(), layer_of_rules()],
        call in call(),
        masked in any::<u32>(),
        is_judged in any::<bool>(),
    ) {
        let call = Plain { body: call.body.or(Some(("", Kind::Other))), ..call };
        let text = call.body.map_or("", |(text, _)| text);
        let layers = || {
            let [proxy_credential, target_credential, target, proxy] = four.clone();
            SampleLayers { proxy_credential, target_credential, target, proxy }
        };
        // Envoy makes it for who sends none, and rules see it; records leave it out.
        let mut headers = owned(&call.headers);
        headers.extend(owned(&[("x-forwarded-proto", "http")]));
        let sample = Sample {
            method: call.method,
            path: call.path,
            headers: &headers,
            query: call.query,
            body: Some(text),
            claims: call.claims,
        };
        let was = evaluate(layers(), &sample).unwrap();
        let [headers, query] = record_of(&call, masked);
        let recorded = RecordedCall {
            method: call.method,
            path: call.path,
            headers: &headers,
            query: &query,
            has_no_body: text.is_empty(),
            has_no_claims: call.claims.is_none(),
        };
        let denying = was.layers.iter().find(|layer| layer.effect == Effect::Deny);
        let judged = match denying {
            _ if !is_judged => Judged::Unknown,
            Some(layer) => Judged::Denied {
                layer: layer.layer,
                by: layer.decided_by.to_string(),
            },
            None => Judged::Allowed,
        };
        let told = Judges::compile(layers()).unwrap().recall(&recorded, &judged);
        prop_assert!(told.effect.is_none_or(|effect| effect == was.effect));
        prop_assert!(!is_judged || told.effect.is_some());
        for (told, was) in told.layers.iter().zip(&was.layers) {
            prop_assert!(told.effect.is_none_or(|effect| effect == was.effect));
            let by = was.decided_by.to_string();
            prop_assert!(told.decided_by.as_ref().is_none_or(|told| *told == by), "{told:?} {was:?}");
            for (told, was) in told.rules.iter().zip(&was.rules) {
                prop_assert!(told.is_matched.is_none_or(|it| it == was.is_matched), "{told:?} {was:?}");
            }
        }
    }
}
