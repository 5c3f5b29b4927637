use requestrocket_proto::policy::v1::{
    Conditions, NamedCondition, NodeCondition, Operation, Pattern,
};
use requestrocket_proto::record::v1::{Denial, Pair};

use super::*;

fn id(n: u128) -> String {
    uuid::Uuid::from_u128(n).to_string()
}

fn rule(effect: wire::Effect, conditions: Conditions) -> wire::Rule {
    wire::Rule {
        rule_id: id(1),
        effect: effect.into(),
        priority: 500,
        conditions: Some(conditions),
    }
}

fn of_method(method: &str) -> Conditions {
    Conditions {
        methods: vec![method.to_owned()],
        ..Conditions::default()
    }
}

fn of_header() -> Conditions {
    let pattern = |text: &str| {
        Some(Pattern {
            pattern: text.to_owned(),
            flags: String::new(),
        })
    };
    Conditions {
        headers: vec![NamedCondition {
            name: pattern("^x-team$"),
            value: pattern("^a$"),
            ..NamedCondition::default()
        }],
        ..Conditions::default()
    }
}

fn filter(n: u128, path: &str, conditions: Conditions) -> wire::Redaction {
    wire::Redaction {
        filter_id: id(n),
        operation: Operation::Destroy.into(),
        paths: vec![path.to_owned()],
        conditions: Some(conditions),
    }
}

fn present() -> wire::Layer {
    wire::Layer {
        redactions: vec![
            filter(7, "$.a", of_header()),
            filter(8, "$.b", of_method("GET")),
        ],
        ..open()
    }
}

/// A call that passed.
fn passed(n: u128, method: &str) -> Record {
    Record {
        request_id: id(n),
        credential_id: id(9),
        method: method.to_owned(),
        path: "/v1".to_owned(),
        status: 200,
        target_status: Some(200),
        sent_at_ms: Some(1),
        ..Record::default()
    }
}

fn denied(layer: &str, rule_id: &str) -> Record {
    Record {
        status: 403,
        target_status: None,
        sent_at_ms: None,
        code: "RULE_DENIED".to_owned(),
        denial: Some(Denial {
            layer: layer.to_owned(),
            rule_id: rule_id.to_owned(),
        }),
        ..passed(5, "GET")
    }
}

/// Calls, changed ones and unknown ones.
fn found(
    rules: Option<Vec<wire::Rule>>,
    filters: Option<Vec<wire::Redaction>>,
    records: Vec<Record>,
) -> (u64, u64, u64) {
    let mut rehearsal = Rehearsal::new(Proposal {
        present: present(),
        rules,
        filters,
    })
    .unwrap();
    rehearsal.try_all(records).unwrap();
    let Found {
        calls,
        changed,
        unknown,
        examples,
    } = rehearsal.found;
    assert_eq!(u64::try_from(examples.len()).unwrap(), changed.min(10));
    (calls, changed, unknown)
}

#[test]
fn rules_change_what_passed_and_what_the_proxy_itself_denied() {
    let deny = || Some(vec![rule(wire::Effect::Deny, of_method("POST"))]);
    let calls = vec![passed(1, "GET"), passed(2, "POST")];
    assert_eq!(found(deny(), None, calls), (2, 1, 0));
    // Without the rule that denied it the default lets it pass; others still deny.
    for (record, want) in [
        (denied("proxy", &id(3)), (1, 1, 0)),
        (denied("target", &id(3)), (1, 0, 0)),
        (denied("proxy", "unreadable-body"), (1, 0, 1)),
    ] {
        assert_eq!(found(Some(Vec::new()), None, vec![record]), want);
    }
    let stranger = Record {
        credential_id: String::new(),
        code: "CREDENTIAL_INVALID".to_owned(),
        sent_at_ms: None,
        ..passed(4, "POST")
    };
    assert_eq!(found(deny(), None, vec![stranger]), (1, 0, 0));
}

#[test]
fn what_a_record_does_not_tell_is_unknown() {
    let body = Conditions {
        body: vec![NodeCondition {
            path: "$.a".to_owned(),
            ..NodeCondition::default()
        }],
        ..Conditions::default()
    };
    let rules = || Some(vec![rule(wire::Effect::Deny, body.clone())]);
    let with_body = Record {
        request_bytes: 3,
        ..passed(1, "POST")
    };
    assert_eq!(found(rules(), None, vec![with_body]), (1, 0, 1));
    assert_eq!(found(rules(), None, vec![passed(1, "POST")]), (1, 0, 0));
    let masked = Record {
        headers: vec![Pair {
            name: "x-team".to_owned(),
            value: "***".to_owned(),
        }],
        ..passed(2, "GET")
    };
    let by_header = Some(vec![rule(wire::Effect::Deny, of_header())]);
    assert_eq!(found(by_header, None, vec![masked.clone()]), (1, 0, 1));
    // What is the same as before changes nothing, known or not.
    let same = Some(present().redactions);
    assert_eq!(found(None, same, vec![masked]), (1, 0, 0));
}

#[test]
fn filters_change_calls_whose_answers_they_are_about() {
    let kept = || filter(1, "$.a", of_header());
    for (proposed, method, want) in [
        (vec![kept()], "GET", (1, 1, 0)),
        (vec![kept()], "POST", (1, 0, 0)),
        // Another one that does the same.
        (
            vec![kept(), filter(2, "$.b", Conditions::default())],
            "GET",
            (1, 0, 0),
        ),
        (
            vec![kept(), filter(2, "$.b", Conditions::default())],
            "POST",
            (1, 1, 0),
        ),
    ] {
        let records = vec![passed(1, method)];
        assert_eq!(found(None, Some(proposed), records), want, "{method}");
    }
    let failed = Record {
        status: 500,
        target_status: Some(500),
        ..passed(1, "GET")
    };
    assert_eq!(found(None, Some(Vec::new()), vec![failed]), (1, 0, 0));
}

#[test]
fn what_is_too_much_ends() {
    let pattern = Pattern {
        pattern: "(a|b|ab)*c$".to_owned(),
        flags: String::new(),
    };
    let conditions = Conditions {
        path: Some(wire::PathCondition {
            pattern: Some(pattern),
            ..wire::PathCondition::default()
        }),
        ..Conditions::default()
    };
    let rules = vec![rule(wire::Effect::Deny, conditions)];
    let mut rehearsal = Rehearsal::new(Proposal {
        present: present(),
        rules: Some(rules),
        filters: None,
    })
    .unwrap();
    rehearsal.steps = STEPS;
    let path = "ab".repeat(500);
    let record = Record {
        path: format!("/{path}"),
        ..passed(1, "GET")
    };
    let ended = rehearsal.try_all(vec![record]).unwrap_err();
    assert_eq!(ended.code(), Code::SelectionTooLarge);
}
