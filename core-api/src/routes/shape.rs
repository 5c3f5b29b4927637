//! Between answers and the JSON that PUT and PATCH start from.

use serde::Serialize;
use serde_json::{Map, Value};

/// The members of an answer; none if it is no object.
pub(super) fn document(answer: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(answer) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    }
}
