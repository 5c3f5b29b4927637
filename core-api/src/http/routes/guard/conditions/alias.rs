//! Other spellings of conditions, as older documents and examples have them, brought into the main
//! form before anything reads them. An alias beside its main form is refused.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use requestrocket_policy::form::problem::{Fault, Problems};

/// Names of whole members.
const LISTS: [(&str, &str); 3] = [
    ("headerChecks", "headers"),
    ("queryChecks", "query"),
    ("token", "claims"),
];

/// Rewrites `object`, whose members are conditions; `prefix` is its path with its dot.
pub(in crate::http::routes) fn to_main_form(
    object: &mut Map<String, Value>,
    prefix: &str,
    problems: &mut Problems,
) {
    for (alias, main) in LISTS {
        rename(object, (alias, main), prefix, problems);
    }
    flat_path(object, prefix, problems);
    nested_path(object, prefix, problems);
    for list in ["body", "claims"] {
        let Some(Value::Array(items)) = object.get_mut(list) else {
            continue;
        };
        for (index, item) in items.iter_mut().enumerate() {
            if let Value::Object(node) = item {
                node_form(node, &format!("{prefix}{list}[{index}]."), problems);
            }
        }
    }
}

fn rename(
    object: &mut Map<String, Value>,
    (alias, main): (&str, &str),
    prefix: &str,
    problems: &mut Problems,
) {
    let Some(value) = object.remove(alias) else {
        return;
    };
    if object.contains_key(main) {
        let text = format!("must not stand beside `{main}`, which says the same");
        problems.add(Fault::ValidationFailed, format!("{prefix}{alias}"), text);
    } else {
        object.insert(main.to_owned(), value);
    }
}

/// `pathPattern` and `pathPresence`.
fn flat_path(object: &mut Map<String, Value>, prefix: &str, problems: &mut Problems) {
    let mut path = Map::new();
    for (alias, member) in [("pathPattern", "pattern"), ("pathPresence", "presence")] {
        let Some(value) = object.remove(alias) else {
            continue;
        };
        if object.contains_key("path") {
            let text = "must not stand beside `path`, which says the same";
            problems.add(Fault::ValidationFailed, format!("{prefix}{alias}"), text);
        } else {
            path.insert(member.to_owned(), value);
        }
    }
    let is_reset = path.len() == 1 && path.get("pattern").is_some_and(Value::is_null);
    if is_reset {
        object.insert("path".to_owned(), Value::Null);
    } else if !path.is_empty() {
        object.insert("path".to_owned(), Value::Object(path));
    }
}

/// `{"path": {"path": {"pattern"}, "presence"}}`
fn nested_path(object: &mut Map<String, Value>, prefix: &str, problems: &mut Problems) {
    let Some(Value::Object(outer)) = object.get_mut("path") else {
        return;
    };
    let Some(Value::Object(_)) = outer.get("path") else {
        return;
    };
    if let Some(Value::Object(inner)) = outer.remove("path") {
        for (name, value) in inner {
            if outer.contains_key(&name) {
                let text = format!("must not stand beside `path.{name}`, which says the same");
                let field = format!("{prefix}path.path.{name}");
                problems.add(Fault::ValidationFailed, field, text);
            } else {
                outer.insert(name, value);
            }
        }
    }
}

/// `jsonPath`, `claim` and `matchValue` of one item.
fn node_form(node: &mut Map<String, Value>, prefix: &str, problems: &mut Problems) {
    if let Some(Value::Object(wrapped)) = node.get_mut("jsonPath")
        && wrapped.len() == 1
        && let Some(path) = wrapped.remove("pattern")
    {
        node.insert("jsonPath".to_owned(), path);
    }
    if let Some(Value::String(claim)) = node.get_mut("claim") {
        *claim = member_path(claim);
    }
    for (alias, main) in [
        ("jsonPath", "path"),
        ("claim", "path"),
        ("matchValue", "value"),
    ] {
        rename(node, (alias, main), prefix, problems);
    }
}

/// The normalised path of a top-level member (RFC 9535, 2.7).
fn member_path(name: &str) -> String {
    let mut path = String::from("$['");
    for c in name.chars() {
        match c {
            '\'' => path.push_str("\\'"),
            '\\' => path.push_str("\\\\"),
            '\n' => path.push_str("\\n"),
            '\r' => path.push_str("\\r"),
            '\t' => path.push_str("\\t"),
            '\u{8}' => path.push_str("\\b"),
            '\u{c}' => path.push_str("\\f"),
            c if c < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(path, "\\u{:04x}", u32::from(c));
            }
            c => path.push(c),
        }
    }
    path.push_str("']");
    path
}
