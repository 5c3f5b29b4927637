//! JSON objects from outside: bounded depth, no member twice.
//!
//! A body that two readers could understand differently is refused instead of guessed at.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Containers may lie inside each other this deep.
const MAX_DEPTH: usize = 64;

/// Why it is no acceptable JSON object; the text is for the caller.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidJson(String);

/// Reads one JSON object and nothing after it.
///
/// # Errors
/// Says what and where, never repeating more than a member name.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, InvalidJson> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Nested { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| InvalidJson(format!("the body is not valid JSON: {error}")))?;
    match value {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(InvalidJson("the body must be a JSON object".to_owned()))
        }
    }
}

#[derive(Clone, Copy)]
struct Nested {
    depth: usize,
}

impl Nested {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth < MAX_DEPTH {
            Ok(Self {
                depth: self.depth + 1,
            })
        } else {
            Err(E::custom(format_args!(
                "nested deeper than {MAX_DEPTH} levels"
            )))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            // Readers differ in which of two they take (RFC 8259 §4).
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "member `{name}` appears twice"
                )));
            }
            object.insert(name, members.next_value_seed(inside)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_pass_as_they_are() {
        let text = r#"{"a":[1,-2,1.5,true,null,"\u00e9"],"b":{"c":{}}}"#;
        let want: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(parse_object(text.as_bytes()).unwrap()), want);
    }

    #[test]
    fn what_is_refused() {
        let deep = |levels| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        assert!(parse_object(deep(64).as_bytes()).is_ok());
        for (body, named) in [
            (b"".to_vec(), "EOF"),
            (b"[]".to_vec(), "must be a JSON object"),
            (b"{} {}".to_vec(), "trailing"),
            (br#"{"a":1,"a":2}"#.to_vec(), "`a` appears twice"),
            (br#"{"x":{"a":1,"\u0061":2}}"#.to_vec(), "`a` appears twice"),
            (deep(65).into_bytes(), "nested deeper"),
            (vec![b'['; 100_000], "nested deeper"),
            (b"{\"a\":\"\xff\"}".to_vec(), "not valid JSON"),
            (br#"{"a":"\ud800"}"#.to_vec(), "not valid JSON"),
            (br#"{"a":1e999}"#.to_vec(), "out of range"),
        ] {
            let problem = parse_object(&body).unwrap_err().to_string();
            assert!(problem.contains(named), "{problem}");
        }
    }
}
