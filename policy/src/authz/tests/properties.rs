//! Random rules and calls, against the model and against each other.

use proptest::{collection::vec, prelude::*};

use super::{
    model::{Plain, call, layer_of_rules, rule_text},
    *,
};
use crate::effort::go_on;

fn decide(layer: &wire::Layer, plain: &Plain) -> LayerDecision {
    super::decide(&compile_alone(layer.clone()).unwrap(), &plain.sent())
}

/// As `decide`, with a rest after each step; says how many there were.
fn decide_in_turns(layer: &wire::Layer, plain: &Plain) -> (LayerDecision, usize) {
    let layer = compile_alone(layer.clone()).unwrap();
    plain.sent().with(|call| {
        let call = call.in_turns_of(1);
        let mut work = std::pin::pin!(layer.decide_in_turns(&call));
        let mut rests = 0;
        loop {
            match go_on(work.as_mut()) {
                Some(decision) => return (decision, rests),
                None => rests += 1,
            }
        }
    })
}

fn allows(decision: LayerDecision) -> bool {
    matches!(decision, LayerDecision::Decided(Effect::Allow, _))
}

#[test]
fn a_call_rests_between_values_paths_and_patterns() {
    let layer = rules::layer("allow", &["deny 500 b:$.a[*]=^9|8$", "deny 400 b:$..b"]);
    let plain = Plain {
        method: "POST",
        path: "/",
        query: "",
        headers: Vec::new(),
        body: Some(("{\"a\":[1,2,3]}", model::Kind::Json)),
        claims: None,
    };
    let (decision, rests) = decide_in_turns(&layer, &plain);
    assert_eq!(decision, ALLOWED);
    // Five values are read, two paths looked up, three texts matched.
    assert!(rests >= 10, "{rests}");
}

proptest! {
    #[test]
    fn a_layer_decides_as_the_model_does(layer in layer_of_rules(), call in call()) {
        prop_assert_eq!(decide(&layer, &call), model::decide(&layer, &call));
    }

    #[test]
    fn in_turns_a_layer_decides_as_at_once(layer in layer_of_rules(), call in call()) {
        prop_assert_eq!(decide_in_turns(&layer, &call).0, decide(&layer, &call));
    }

    #[test]
    fn a_deny_rule_at_the_top_never_allows_more(
        layer in layer_of_rules(),
        text in rule_text(),
        call in call(),
    ) {
        let before = decide(&layer, &call);
        let mut with_rule = layer;
        with_rule.rules.push(wire::Rule {
            effect: wire::Effect::Deny.into(),
            priority: 1_000,
            ..rules::rule(99, &text)
        });
        let after = decide(&with_rule, &call);
        prop_assert!(!allows(after) || after == before);
    }

    #[test]
    fn an_allow_rule_at_the_top_never_denies_but_for_a_body_that_cannot_be_read(
        layer in layer_of_rules(),
        text in rule_text(),
        call in call(),
    ) {
        let before = decide(&layer, &call);
        let mut with_rule = layer;
        with_rule.rules.push(wire::Rule {
            effect: wire::Effect::Allow.into(),
            priority: 1_000,
            ..rules::rule(99, &text)
        });
        let after = decide(&with_rule, &call);
        let is_blocked = matches!(after, LayerDecision::NeedsBody) || after == UNREADABLE;
        prop_assert!(!allows(before) || allows(after) || is_blocked);
    }

    #[test]
    fn what_is_decided_without_the_body_stays_decided_with_it(
        layer in layer_of_rules(),
        call in call(),
    ) {
        let early = decide(&layer, &Plain { body: None, ..call.clone() });
        let late = decide(&layer, &call);
        prop_assert!(early == LayerDecision::NeedsBody || early == late);
    }

    #[test]
    fn any_is_wider_than_all(text in rule_text(), call in call()) {
        let words = text.splitn(3, ' ').nth(2).unwrap_or_default();
        if hold_all(words, &call.sent()) == Hold::Yes {
            prop_assert_eq!(hold_any(words, &call.sent()), Hold::Yes);
        }
    }

    #[test]
    fn any_bytes_are_decided(
        layer in layer_of_rules(),
        (method, path, query) in any::<(Vec<u8>, Vec<u8>, Vec<u8>)>(),
        headers in vec((any::<Vec<u8>>(), any::<Vec<u8>>()), 0..4),
        body in any::<Vec<u8>>(),
        claims in any::<String>(),
    ) {
        let lines: Vec<_> = headers.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        let call = Call::new(&method, &path, Some(&query), &lines)
            .with_body(&body)
            .with_claims(&claims);
        let decision = compile_alone(layer).unwrap().decide(&call);
        prop_assert_ne!(decision, LayerDecision::NeedsBody);
    }
}
