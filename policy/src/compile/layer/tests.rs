//! What is no layer, and what of a layer is kept.

use super::*;
use crate::fixtures::rules;

fn full() -> wire::Layer {
    wire::Layer {
        redactions: vec![
            rules::redaction(1, "destroy $.a GET"),
            rules::redaction(2, "retain $.b,$.c"),
        ],
        ..rules::layer("allow", &["deny 500 GET p:^/v1", "allow 0"])
    }
}

fn check(bend: impl FnOnce(&mut wire::Layer), want: &InvalidLayer) {
    let mut layer = full();
    bend(&mut layer);
    assert_eq!(compile_alone(layer.clone()).unwrap_err(), *want);
    assert_eq!(check_layer(layer), Err(want.clone()));
}

fn check_rule(bend: impl FnOnce(&mut wire::Rule), source: InvalidRule) {
    let want = InvalidLayer::Rule {
        position: 1,
        source,
    };
    check(|layer| bend(&mut layer.rules[1]), &want);
}

fn check_redaction(bend: impl FnOnce(&mut wire::Redaction), source: InvalidRedaction) {
    let want = InvalidLayer::Redaction {
        position: 1,
        source,
    };
    check(|layer| bend(&mut layer.redactions[1]), &want);
}

#[test]
fn a_layer_says_what_the_message_said() {
    check_layer(full()).unwrap();
    let layer = compile_alone(full()).unwrap();
    let rules: Vec<_> = layer
        .rules()
        .iter()
        .map(|rule| (rule.id, rule.effect, rule.priority))
        .collect();
    assert_eq!(
        rules,
        [
            (rules::rule_id(1), Effect::Deny, 500),
            (rules::rule_id(2), Effect::Allow, 0)
        ]
    );
    let call = crate::authz::Call::new(b"GET", b"/", None, &[]);
    let redactions: Vec<_> = layer
        .redactions_for(&call)
        .map(|redaction| {
            let Filter {
                id,
                operation,
                paths,
            } = &*redaction.filter;
            let paths = paths.iter().map(JsonPath::as_str);
            (id.to_string(), *operation, paths.collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(
        redactions,
        [
            (
                rules::filter_id(1).to_string(),
                Operation::Destroy,
                vec!["$.a"]
            ),
            (
                rules::filter_id(2).to_string(),
                Operation::Retain,
                vec!["$.b", "$.c"]
            )
        ]
    );
}

#[test]
fn without_a_default_effect_nothing_passes() {
    assert_eq!(
        compile(None, &mut Supply::default()).unwrap_err(),
        InvalidLayer::Missing
    );
    for effect in [0, 3, -1] {
        check(
            |layer| layer.default_effect = effect,
            &InvalidLayer::DefaultEffect,
        );
        check_rule(|rule| rule.effect = effect, InvalidRule::Effect);
        check_redaction(|one| one.operation = effect, InvalidRedaction::Operation);
    }
}

#[test]
fn ids_and_priorities_must_be_right() {
    check_rule(
        |rule| "x".clone_into(&mut rule.rule_id),
        InvalidRule::Id(InvalidId),
    );
    check_rule(
        |rule| rule.priority = MAX_PRIORITY + 1,
        InvalidRule::Priority,
    );
    check_redaction(|one| one.filter_id.clear(), InvalidRedaction::Id(InvalidId));
    let mut highest = full();
    highest.rules[1].priority = MAX_PRIORITY;
    assert!(check_layer(highest).is_ok());
}

#[test]
fn conditions_of_both_are_compiled() {
    let broken = Some(rules::conditions("TRACE"));
    let source = InvalidConditions::Method(Field::Method(0));
    check_rule(
        |rule| rule.conditions.clone_from(&broken),
        source.clone().into(),
    );
    check_redaction(|one| one.conditions = broken, source.into());
}

#[test]
fn redactions_need_paths_and_never_the_requests_body() {
    check_redaction(|one| one.paths.clear(), InvalidRedaction::NoPaths);
    check_redaction(
        |one| one.paths = vec!["$.a".to_owned(); MAX_REDACTION_PATHS + 1],
        InvalidRedaction::TooManyPaths,
    );
    check_redaction(
        |one| one.conditions = Some(rules::conditions("GET b:$.a")),
        InvalidRedaction::BodyCondition(Field::Item(Section::Body, 0, Part::Whole)),
    );
    let mut layer = full();
    layer.redactions[1].paths = vec!["$.a".to_owned(), "a".to_owned()];
    let error = check_layer(layer).unwrap_err().to_string();
    assert!(error.starts_with("redaction 1: path 1: "), "{error}");
}

#[test]
fn a_layer_has_at_most_two_hundred_rules_and_as_many_redactions() {
    let rule = rules::rule(1, "deny 1");
    let many = |count| vec![rule.clone(); count];
    check(
        |layer| layer.rules = many(MAX_RULES + 1),
        &InvalidLayer::TooManyRules,
    );
    let mut most = full();
    most.rules = many(MAX_RULES);
    assert!(check_layer(most).is_ok());
    let redaction = rules::redaction(1, "destroy $");
    check(
        |layer| layer.redactions = vec![redaction; MAX_REDACTIONS + 1],
        &InvalidLayer::TooManyRedactions,
    );
}

#[test]
fn errors_name_the_place() {
    let mut layer = full();
    layer.rules[1].conditions = Some(rules::conditions("GET h:x h:a(b"));
    assert_eq!(
        check_layer(layer).unwrap_err().to_string(),
        "rule 1: headers[1].name: at byte 1: unclosed group"
    );
}
