//! The report says what the decision says, and why.

use proptest::prelude::*;

use super::*;
use crate::{
    authz::tests::model::{Kind, Plain, call, layer_of_rules},
    fixtures::rules,
};

fn layers(proxy: wire::Layer) -> SampleLayers {
    SampleLayers {
        proxy_credential: rules::layer("allow", &[]),
        target_credential: rules::layer("allow", &[]),
        target: rules::layer("allow", &[]),
        proxy,
    }
}

const GET: Sample<'_> = Sample {
    method: "GET",
    path: "/",
    headers: &[],
    query: "",
    body: None,
    claims: None,
};

/// Reports on the proxy's layer.
fn reported(default_effect: &str, texts: &[&str], sample: &Sample<'_>) -> LayerReport {
    let evaluation = evaluate(layers(rules::layer(default_effect, texts)), sample).unwrap();
    let [.., proxy] = &evaluation.layers[..] else {
        panic!("no layers");
    };
    assert_eq!(proxy.layer, LayerName::Proxy);
    assert_eq!(evaluation.effect, proxy.effect);
    proxy.clone()
}

/// What a rule with these conditions says of a call, as `condition: problem`.
fn failed(effect: &str, conditions: &str, sample: &Sample<'_>) -> Vec<String> {
    let report = reported("allow", &[&format!("{effect} 500 {conditions}")], sample);
    let [rule] = &report.rules[..] else {
        panic!("one rule");
    };
    assert_eq!(rule.is_matched, rule.failed.is_empty());
    let failed = rule.failed.iter();
    failed
        .map(|FailedCondition { condition, problem }| format!("{condition}: {problem}"))
        .collect()
}

#[test]
fn all_rules_are_reported_in_the_order_in_which_they_are_tried() {
    let texts = [
        "allow 1 GET",
        "deny 900 POST",
        "deny 500 p:^/$",
        "allow 500 p:^/$",
    ];
    let report = reported("deny", &texts, &GET);
    let rules: Vec<_> = report
        .rules
        .iter()
        .map(|rule| (rule.rule_id, rule.is_matched))
        .collect();
    assert_eq!(
        rules,
        [(2, false), (3, true), (4, true), (1, true)]
            .map(|(n, is_matched)| (rules::rule_id(n), is_matched))
    );
    assert_eq!(report.effect, Effect::Deny);
    assert_eq!(report.decided_by, DecidedBy::Rule(rules::rule_id(3)));
    let none = reported("deny", &["allow 1 POST"], &GET);
    assert_eq!(
        (none.effect, none.decided_by),
        (Effect::Deny, DecidedBy::Default)
    );
}

#[test]
fn every_condition_that_does_not_hold_is_named_with_its_reason() {
    let headers = [("X-A", "1"), ("x-a", "2")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    let sample = Sample {
        method: "POST",
        path: "/v1",
        headers: &headers,
        query: "n=1",
        body: Some(r#"{"n":1,"n":2}"#),
        claims: Some(r#"{"sub":"u"}"#),
    };
    for (effect, conditions, want) in [
        (
            "deny",
            "POST p:^/v1 h:^x-a$=1 q:^n$ b:$.n=1 c:$.sub",
            vec![],
        ),
        ("deny", "GET", vec!["methods: the method is none of these"]),
        ("deny", "p:^/v2", vec!["path: the path does not match"]),
        (
            "deny",
            "!p:^/v1",
            vec!["path.presence: the path matches and must not"],
        ),
        ("deny", "h:^x-b$", vec!["headers[0].name: there is none"]),
        (
            "deny",
            "h:^x-a$=3",
            vec!["headers[0].value: no value matches"],
        ),
        (
            "allow",
            "h:^x-a$=1",
            vec!["headers[0].value: not every value matches, as an allow rule demands"],
        ),
        (
            "deny",
            "!h:^x-a$=2",
            vec!["headers[0].presence: it is there and must not be"],
        ),
    ] {
        assert_eq!(
            failed(effect, conditions, &sample),
            want,
            "{effect} {conditions}"
        );
    }
}

#[test]
fn all_conditions_that_do_not_hold_are_listed() {
    let sample = Sample {
        method: "POST",
        body: Some(r#"{"n":1,"n":2}"#),
        claims: Some(r#"{"sub":"u"}"#),
        query: "n=1",
        ..GET
    };
    let conditions = "GET p:x h:^x-b$ q:m q:n=2 q:n !q:n b:$.m b:$.n=3 c:$.x !c:$.sub=^u$";
    assert_eq!(
        failed("deny", conditions, &sample),
        [
            "methods: the method is none of these",
            "path: the path does not match",
            "headers[0].name: there is none",
            "query[0].name: there is none",
            "query[1].value: no value matches",
            "query[3].presence: it is there and must not be",
            "claims[0].path: there is none",
            "claims[1].presence: it is there and must not be",
            "body[0].path: there is none",
            "body[1].value: no value matches",
        ]
    );
}

#[test]
fn a_body_that_cannot_be_read_decides_and_is_reported() {
    let sample = Sample {
        body: Some("{\"a\":"),
        ..GET
    };
    let report = reported("allow", &["deny 1 b:$.a", "deny 2 POST b:$.a"], &sample);
    assert_eq!(report.decided_by, DecidedBy::UnreadableBody);
    assert_eq!(report.effect, Effect::Deny);
    assert_eq!(
        failed("deny", "b:$.a", &sample),
        ["body[0]: the body cannot be read without doubt"]
    );
    // Nothing reaches the condition.
    let report = reported("allow", &["deny 2 POST b:$.a"], &sample);
    assert_eq!(report.decided_by, DecidedBy::Default);
    // No body is a body without nodes, and so is one in which nobody could find any.
    for body in [None, Some("{"), Some("upload")] {
        assert_eq!(
            failed("deny", "b:$.a", &Sample { body, ..GET }),
            ["body[0].path: there is none"]
        );
    }
}

#[test]
fn all_four_layers_are_reported_also_behind_one_that_denies() {
    let layers = SampleLayers {
        proxy_credential: rules::layer("allow", &["allow 1"]),
        target_credential: rules::layer("deny", &[]),
        target: rules::layer("allow", &["deny 1"]),
        proxy: rules::layer("allow", &[]),
    };
    let evaluation = evaluate(layers, &GET).unwrap();
    let reports: Vec<_> = evaluation
        .layers
        .iter()
        .map(|report| (report.layer, report.effect, report.decided_by))
        .collect();
    let rule = DecidedBy::Rule(rules::rule_id(1));
    assert_eq!(
        reports,
        [
            (LayerName::ProxyCredential, Effect::Allow, rule),
            (
                LayerName::TargetCredential,
                Effect::Deny,
                DecidedBy::Default
            ),
            (LayerName::Target, Effect::Deny, rule),
            (LayerName::Proxy, Effect::Allow, DecidedBy::Default),
        ]
    );
    assert_eq!(evaluation.effect, Effect::Deny);
}

#[test]
fn a_sample_is_normalised_as_a_call_is() {
    for (path, seen) in [
        ("/", "^/$"),
        ("/a/./b/../c", "^/a/c$"),
        ("/%61%2Fb", "^/a%2Fb$"),
        ("//a", "^//a$"),
        ("/a%20b", "^/a%20b$"),
    ] {
        let sample = Sample { path, ..GET };
        assert_eq!(
            failed("deny", &format!("p:{seen}"), &sample),
            [""; 0],
            "{path}"
        );
    }
    let headers = [("Authorization".to_owned(), "secret".to_owned())];
    let sample = Sample {
        headers: &headers,
        query: "authorization=secret&a=x+y",
        ..GET
    };
    assert_eq!(
        failed("deny", "!h:. !q:uth q:^a$=^x\\sy$", &sample),
        [""; 0]
    );
}

#[test]
fn what_never_reaches_rules_is_no_sample() {
    let check = |sample: &Sample<'_>, want: &InvalidSample| {
        let got = evaluate(layers(rules::layer("allow", &[])), sample);
        assert_eq!(got.unwrap_err(), *want, "{sample:?}");
    };
    for method in ["", "get", "TRACE", "CONNECT", "GET "] {
        check(&Sample { method, ..GET }, &InvalidSample::Method);
    }
    for path in ["", "a", "/a?b=1", "?a"] {
        check(&Sample { path, ..GET }, &InvalidSample::Path);
    }
    for path in [
        "/..",
        "/a/../..",
        "/%2e%2e/a",
        "/a%5cb",
        "/a\\b",
        "/..;/a",
        "/a b",
        "/a#b",
    ] {
        check(&Sample { path, ..GET }, &InvalidSample::PathAmbiguous);
    }
    for query in ["a b", "a#b", "a\nb"] {
        check(&Sample { query, ..GET }, &InvalidSample::Query);
    }
    for claims in ["", "{", "[]", "\"a\"", "{} {}"] {
        check(
            &Sample {
                claims: Some(claims),
                ..GET
            },
            &InvalidSample::Claims,
        );
    }
}

#[test]
fn a_layer_that_does_not_compile_is_named() {
    let mut layers = layers(rules::layer("allow", &["deny 1 h:a(b"]));
    let error = evaluate(layers.clone(), &GET).unwrap_err();
    let want = "proxy: rule 0: headers[0].name: at byte 1: unclosed group";
    assert_eq!(error.to_string(), want);
    layers.target.default_effect = 0;
    let error = evaluate(layers, &GET).unwrap_err();
    let want = "target: default effect is neither allow nor deny";
    assert_eq!(error.to_string(), want);
}

#[test]
fn a_report_of_many_costly_rules_says_which_were_not_tried() {
    // No automaton is made for a Unicode word boundary; the simulation is paid for in advance.
    let rules: Vec<String> = (0..60)
        .map(|n| format!(r"deny {} h:^x$=\bz[ab]{{1500}}c", 900 - n))
        .collect();
    let texts: Vec<&str> = rules.iter().map(String::as_str).collect();
    let headers = [("x".to_owned(), format!("é{}", "ab".repeat(400)))];
    let sample = Sample {
        headers: &headers,
        ..GET
    };
    let report = reported("deny", &texts, &sample);
    let was_tried = |rule: &RuleReport| {
        let mut failed = rule.failed.iter();
        !failed.any(|failed| failed.problem.contains("too long"))
    };
    assert_eq!(report.rules.len(), 60);
    let tried = report
        .rules
        .iter()
        .take_while(|rule| was_tried(rule))
        .count();
    assert!((10..50).contains(&tried), "{tried}");
    assert!(!report.rules.iter().skip(tried).any(was_tried));
    assert!(report.rules.iter().all(|rule| !rule.is_matched));
}

proptest! {
    #[test]
    fn the_report_agrees_with_the_decision(
        four in [layer_of_rules(), layer_of_rules(), layer_of_rules(), layer_of_rules()],
        call in call(),
    ) {
        let call = Plain { body: call.body.or(Some(("", Kind::Other))), ..call };
        let compiled = four.clone().map(|layer| layer::compile_alone(layer).unwrap());
        let [proxy_credential, target_credential, target, proxy] = &compiled;
        let compiled = Layers { proxy_credential, target_credential, target, proxy };
        let decision = call.sent().with_call(|call| compiled.decide(call));

        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers: Vec<_> = call.headers.iter().map(owned).collect();
        let sample = Sample {
            method: call.method,
            path: call.path,
            headers: &headers,
            query: call.query,
            body: call.body.map(|(text, _)| text),
            claims: call.claims,
        };
        let [proxy_credential, target_credential, target, proxy] = four;
        let layers = SampleLayers { proxy_credential, target_credential, target, proxy };
        let evaluation = evaluate(layers, &sample).unwrap();

        let denying = evaluation.layers.iter().find(|report| report.effect == Effect::Deny);
        match decision {
            Decision::Allowed => {
                prop_assert_eq!(evaluation.effect, Effect::Allow);
                prop_assert_eq!(denying, None);
            }
            Decision::Denied(denied) => {
                prop_assert_eq!(evaluation.effect, Effect::Deny);
                let named = denying.map(|report| (report.layer, report.decided_by));
                prop_assert_eq!(named, Some((denied.layer, denied.by)));
            }
            Decision::NeedsBody => prop_assert!(false, "the body was there"),
        }
        for report in &evaluation.layers {
            // The first that matches decides, unless a body stands in the way.
            let first = report.rules.iter().find(|rule| rule.is_matched);
            let by_match = first.map_or(DecidedBy::Default, |rule| DecidedBy::Rule(rule.rule_id));
            let is_unreadable = report.decided_by == DecidedBy::UnreadableBody;
            prop_assert!(is_unreadable || report.decided_by == by_match);
            for rule in &report.rules {
                prop_assert_eq!(rule.is_matched, rule.failed.is_empty());
            }
        }
    }
}
