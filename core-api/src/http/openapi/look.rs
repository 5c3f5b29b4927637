//! Looking into the document as JSON.

use serde_json::{Map, Value};

/// One of `kinds` in place of its keywords.
const USE: &str = "$use";

/// The schemas of the document by name.
pub(super) fn schemas(document: &mut Value) -> Option<&mut Map<String, Value>> {
    document.pointer_mut("/components/schemas")?.as_object_mut()
}

/// The member of an object, null when there is none.
pub(super) fn at<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// Sets a member of an object.
pub(super) fn put(value: &mut Value, name: &str, new: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), new);
    }
}

/// Every operation of the document.
pub(super) fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut);
    items
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut)
}

/// The keywords with those of the kind that they name.
pub(super) fn resolved(keywords: &Value, details: &Value) -> Value {
    match at(keywords, USE).as_str() {
        Some(kind) => at(at(details, "kinds"), kind).clone(),
        None => match keywords {
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), resolved(value, details)))
                    .collect(),
            ),
            other => other.clone(),
        },
    }
}
