//! A policy is compiled in steps, and comes out the same.

use super::*;
use crate::{authz, fixtures::rules};

fn layer(n: usize, rule: impl Fn(usize) -> String) -> wire::Layer {
    let texts: Vec<String> = (0..n).map(rule).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    rules::layer("allow", &texts)
}

/// How many steps it takes.
fn steps(fixture: &PolicyFixture) -> (usize, Result<Policy, InvalidPolicy>) {
    let mut compilation = Compilation::new(fixture.admission().unwrap(), fixture.encode().1);
    for taken in 1..10_000 {
        if let Some(compiled) = compilation.step() {
            assert!(compilation.step().unwrap().is_err(), "it is over");
            return (taken, compiled);
        }
    }
    panic!("no end")
}

#[test]
fn an_ordinary_policy_takes_one_step() {
    let mut fixture = full();
    *fixture.layer(LayerName::Proxy) = layer(20, |n| format!(r"deny 1 p:^/v\d+/{n}"));
    let (steps, policy) = steps(&fixture);
    assert_eq!((steps, policy.is_ok()), (1, true));
}

#[test]
fn a_heavy_policy_takes_many_and_says_the_same() {
    let mut fixture = full();
    *fixture.layer(LayerName::Proxy) = layer(30, |n| format!(r"deny 1 p:^/\w\w\w\w-{n}$"));
    let (steps, policy) = steps(&fixture);
    assert!(steps > 10, "{steps}");
    let policy = policy.unwrap();
    let alone = check_layer(fixture.layer(LayerName::Proxy).clone()).unwrap();
    assert!(
        policy.weight() > alone,
        "what it weighs is counted as before"
    );
    for (path, is_denied) in [("/abcd-29", true), ("/abcd-30", false)] {
        let call = authz::Call::new(b"GET", path.as_bytes(), None, &[]);
        let layers = policy.layers(credential_id(0)).unwrap();
        let is_allowed = layers.decide(&call) == authz::Decision::Allowed;
        assert_eq!(is_allowed, !is_denied, "{path}");
    }
}

#[test]
fn a_long_policy_takes_steps_too() {
    let mut fixture = full();
    let path = format!("destroy $.{}", "a".repeat(500));
    fixture.layer(LayerName::Target).redactions = (1..=200)
        .map(|n| rules::redaction(n, &format!("{path}{n}")))
        .collect();
    let (steps, policy) = steps(&fixture);
    assert!(steps > 10 && policy.is_ok(), "{steps}");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let mut fixture = full();
    *fixture.layer(LayerName::Target) = layer(2, |_| "deny 1 p:ok".to_owned());
    let conditions = fixture.layer(LayerName::Target).rules[1]
        .conditions
        .as_mut();
    conditions.unwrap().path.as_mut().unwrap().pattern = Some(wire::Pattern {
        pattern: "(".to_owned(),
        flags: String::new(),
    });
    let (_, refused) = steps(&fixture);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.starts_with("target: rule 1: "), "{refused}");
}
