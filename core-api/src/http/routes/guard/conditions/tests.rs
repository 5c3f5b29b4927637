use serde_json::{Map, json};

use super::*;
use requestrocket_policy::form::problem::Problems;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The conditions of a body in any spelling, with the fields of its problems.
fn read(value: Value) -> (Conditions, Vec<String>) {
    let mut problems = Problems::default();
    let mut sent = object(value);
    to_main_form(&mut sent, "", &mut problems);
    let mut fields = Fields::new(sent, &mut problems);
    let conditions = conditions(&mut fields, true);
    fields.finish();
    let problems = problems.into_parts().0.into_iter();
    (conditions, problems.map(|problem| problem.field).collect())
}

#[test]
fn what_is_stored_is_read_back() {
    let (conditions, problems) = read(json!({
        "methods": ["get"], "path": {"pattern": "^/a", "flags": "ix", "presence": "absent"},
        "headers": [{"name": {"pattern": "a"}, "value": {"pattern": "b", "flags": "s"}}],
        "query": [{"name": {"pattern": "\u{0}"}}],
        "body": [{"path": "$['a b']"}], "claims": [{"path": "$..x", "presence": "absent"}],
    }));
    assert_eq!(problems, Vec::<String>::new());
    let stored = serde_json::to_string(&conditions).unwrap();
    assert!(!stored.contains('\0'), "PostgreSQL text holds no NUL");
    assert_eq!(
        serde_json::from_str::<Conditions>(&stored).unwrap(),
        conditions
    );
    assert_eq!(conditions.count(), 6);
}

#[test]
fn null_is_absent_everywhere() {
    let (conditions, problems) = read(json!({
        "methods": null, "path": null, "headers": null, "query": null, "body": null,
        "claims": [{"path": "$.a", "value": null, "presence": null}], "regexFlags": null,
    }));
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(conditions.claims.len(), 1);
    assert_eq!(conditions.claims[0].value, None);
    let (conditions, _) = read(json!({"pathPattern": null}));
    assert_eq!(conditions, Conditions::default());
}

#[test]
fn flags_of_the_rule_are_for_patterns_without_their_own() {
    let (conditions, problems) = read(json!({
        "regexFlags": "gis",
        "query": [
            {"name": {"pattern": "a"}, "value": {"pattern": "b", "flags": "m"}},
            {"name": {"pattern": "a", "flags": ""}},
        ],
    }));
    assert_eq!(problems, Vec::<String>::new());
    let flags: Vec<_> = conditions
        .query
        .iter()
        .map(|query| query.name.flags())
        .collect();
    assert_eq!(flags, ["is", ""]);
    assert_eq!(conditions.query[0].value.as_ref().unwrap().flags(), "m");
    for (sent, field) in [
        (json!({"regexFlags": "u"}), "regexFlags"),
        (json!({"regexFlags": "ii"}), "regexFlags"),
        (json!({"regexFlags": 1}), "regexFlags"),
        (
            json!({"path": {"pattern": "a", "flags": "g"}}),
            "path.flags",
        ),
        (json!({"path": {"path": "a"}}), "path.path"),
        (
            json!({"body": [{"jsonPath": {"pattern": "$.a", "flags": "i"}}]}),
            "body[0].path",
        ),
        (json!({"claims": [{"claim": 1}]}), "claims[0].path"),
        (json!({"pathPresence": "absent"}), "path.pattern"),
        (json!({"headers": [1]}), "headers[0]"),
        (json!({"headers": "x"}), "headers"),
    ] {
        let (_, problems) = read(sent.clone());
        assert!(problems.contains(&field.to_owned()), "{sent}: {problems:?}");
    }
}

#[test]
fn a_claim_becomes_the_path_of_a_member_of_that_name() {
    for name in [
        "sub",
        "a.b",
        "it's",
        "a\\b",
        "\n\t\u{1}",
        "https://x/roles",
        "é",
    ] {
        let (conditions, problems) = read(json!({"token": [{"claim": name}]}));
        assert_eq!(problems, Vec::<String>::new(), "{name}");
        assert!(conditions.claims[0].path.as_str().starts_with("$['"));
    }
}

#[test]
fn notes_are_bounded_text() {
    assert!(notes(&json!("two\nlines\tof text")).is_ok());
    assert!(notes(&json!("ä".repeat(2000))).is_ok());
    for bad in [json!("a\u{0}b"), json!("ä".repeat(2001)), json!(1)] {
        assert!(notes(&bad).is_err(), "{bad}");
    }
}
