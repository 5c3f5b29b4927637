//! Bounds of all that answers hold and nothing else says: whoever reads them may reserve room.

use serde_json::{Map, Value, json};

/// Whole numbers that every reader of JSON keeps exactly.
const LARGEST: u64 = (1 << 53) - 1;
/// Text of answers: larger than any body that core-api reads.
const LONGEST: u64 = 1 << 21;
/// Lists of answers.
const MOST: u64 = 10_000;

/// Bounds every schema of the document that has none.
pub(super) fn complete(document: &mut Value) {
    let schemas = document.pointer_mut("/components/schemas");
    let schemas = schemas.and_then(Value::as_object_mut);
    schemas
        .into_iter()
        .flat_map(Map::values_mut)
        .for_each(bound);
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    paths.into_iter().flat_map(Map::values_mut).for_each(bound);
    let headers = document.pointer_mut("/components/headers");
    headers.into_iter().for_each(bound);
}

fn bound(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members
                .iter_mut()
                // Examples and the like are no schemas.
                .filter(|(name, _)| !matches!(name.as_str(), "example" | "examples" | "default"))
                .for_each(|(_, value)| bound(value));
            complete_one(members);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn complete_one(schema: &mut Map<String, Value>) {
    if is(schema, "string") && !schema.contains_key("enum") {
        let longest = match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => 36,
            Some(_) | None => LONGEST,
        };
        default(schema, "maxLength", longest);
    }
    if is(schema, "integer") {
        schema.entry("format").or_insert_with(|| json!("int64"));
        default(schema, "minimum", 0);
        default(schema, "maximum", LARGEST);
    }
    if is(schema, "array") {
        default(schema, "maxItems", MOST);
    }
}

fn default(schema: &mut Map<String, Value>, keyword: &str, value: u64) {
    schema.entry(keyword).or_insert_with(|| json!(value));
}

fn is(schema: &Map<String, Value>, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(word)) => word == kind,
        Some(Value::Array(words)) => words.iter().any(|word| word == kind),
        _ => false,
    }
}
