use serde_json::json;

use super::*;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn onto(is_patch: bool, sent: Value) -> (Value, Vec<(String, Fault)>) {
    let current = object(json!({
        "id": "1", "name": "old", "note": "n", "limits": {"minute": 1, "day": 2}, "tags": ["a"]
    }));
    let mut problems = Problems::default();
    let body = Body {
        object: object(sent),
        is_patch,
    };
    let update = body.onto(&current, &["id"], &["secret"], &mut problems);
    let found = problems
        .into_parts()
        .0
        .into_iter()
        .map(|p| (p.field, p.fault))
        .collect();
    (Value::Object(update.object), found)
}

#[test]
fn put_takes_the_body_as_it_is() {
    let (object, problems) = onto(false, json!({"id": "1", "name": "new"}));
    assert_eq!((object, problems), (json!({"name": "new"}), vec![]));
}

#[test]
fn patch_merges_and_keeps_nulls_visible() {
    for (sent, want) in [
        (
            json!({}),
            json!({"name": "old", "note": "n", "limits": {"minute": 1, "day": 2}, "tags": ["a"]}),
        ),
        (
            json!({"note": null, "limits": {"day": null}, "tags": ["b"], "secret": {"key": null}}),
            json!({"name": "old", "note": null, "limits": {"minute": 1, "day": null}, "tags": ["b"], "secret": {"key": null}}),
        ),
        (
            json!({"limits": 1}),
            json!({"name": "old", "note": "n", "limits": 1, "tags": ["a"]}),
        ),
        (
            json!({"unknown": null}),
            json!({"name": "old", "note": "n", "limits": {"minute": 1, "day": 2}, "tags": ["a"], "unknown": null}),
        ),
    ] {
        assert_eq!(onto(true, sent.clone()), (want, vec![]), "{sent}");
    }
}

#[test]
fn fixed_members_may_be_repeated_but_not_changed() {
    for is_patch in [false, true] {
        assert_eq!(onto(is_patch, json!({"id": "1"})).1, vec![]);
        for changed in [json!({"id": "2"}), json!({"id": null}), json!({"id": 1})] {
            assert_eq!(
                onto(is_patch, changed).1,
                vec![("id".to_owned(), Fault::FieldImmutable)]
            );
        }
    }
}

#[test]
fn content_types() {
    for (text, create, patch) in [
        ("application/json", true, true),
        ("Application/JSON; charset=UTF-8", true, true),
        ("application/json; charset=latin1", false, false),
        ("application/merge-patch+json", false, true),
        ("text/plain", false, false),
        ("application/jsonx", false, false),
        ("", false, false),
    ] {
        assert_eq!(is_json_type(text, false), create, "{text}");
        assert_eq!(is_json_type(text, true), patch, "{text}");
    }
}
