//! What derives cannot say of the document: what members of one name may hold wherever they occur
//! (`details.json`), that bodies hold nothing else, and bounds for all that is left.

use serde_json::{Value, json};

use super::look::{at, operations, put, resolved, schemas};
use super::{bounds, secrets, updates};

const DETAILS: &str = include_str!("details.json");
/// The document that is served.
pub(super) fn finish(mut document: Value) -> Value {
    // The file is part of the program; that it can be read is shown by a test.
    let details: Value = serde_json::from_str(DETAILS).unwrap_or_default();
    members(&mut document, &details);
    more(&mut document, &details);
    updates::describe(&mut document);
    secrets::describe(&mut document);
    // Behind those that make schemas of bodies.
    close(&mut document);
    parameters(&mut document, &details);
    words(&mut document);
    bounds::complete(&mut document);
    document
}

fn members(document: &mut Value, details: &Value) {
    let Some(schemas) = schemas(document) else {
        return;
    };
    for (name, schema) in schemas {
        let Some(properties) = schema
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
        else {
            continue;
        };
        let own = resolved(at(at(details, "schemas"), name), details);
        for (member, property) in properties {
            let keywords = match at(&own, member) {
                Value::Null => at(at(details, "members"), member),
                own => own,
            };
            merge(property, &resolved(keywords, details));
        }
    }
}

/// What members have to do with each other.
fn more(document: &mut Value, details: &Value) {
    for (name, keywords) in at(details, "more").as_object().into_iter().flatten() {
        let schema = schemas(document).and_then(|schemas| schemas.get_mut(name));
        if let Some(schema) = schema {
            merge(schema, keywords);
        }
    }
}

fn parameters(document: &mut Value, details: &Value) {
    for operation in operations(document) {
        let id = at(operation, "operationId").as_str();
        let is_of_rules = id.is_some_and(|id| id.ends_with("_rules"));
        let of_records = ["list_requests", "tail_requests", "list_audit"];
        let is_of_records = id.is_some_and(|id| of_records.iter().any(|of| id.starts_with(of)));
        let is_of_usage = id == Some("get_usage");
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let name = at(parameter, "name").as_str().unwrap_or_default();
            // Rules have an order of their own, records longer pages.
            let name = match name {
                "sort" if is_of_rules => "sortOfRules",
                "limit" if is_of_records => "limitOfRecords",
                "credentialId" if is_of_records => "credentialIds",
                "interval" if is_of_usage => "intervalOfUsage",
                name => name,
            };
            let keywords = resolved(at(at(details, "parameters"), name), details);
            if let Some(schema) = parameter.get_mut("schema") {
                merge(schema, &keywords);
            }
        }
    }
}

/// An operation that needs few words has them in its summary alone; every server is for everybody.
fn words(document: &mut Value) {
    for server in document
        .get_mut("servers")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        put(server, "x-internal", json!(false));
    }
    for operation in operations(document) {
        if at(operation, "description").is_null() {
            let summary = at(operation, "summary").clone();
            put(operation, "description", summary);
        }
    }
}

/// Puts keywords into a schema, into that of its items as well. Words that may be null stay so.
fn merge(schema: &mut Value, keywords: &Value) {
    let Some(keywords) = keywords.as_object() else {
        return;
    };
    // A switch may have the name of a text.
    if at(schema, "type") == "boolean" {
        return;
    }
    let may_be_null = at(schema, "type")
        .as_array()
        .is_some_and(|types| types.contains(&json!("null")));
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("items", Value::Object(_)) if at(schema, "items").is_object() => {
                if let Some(items) = schema.get_mut("items") {
                    merge(items, value);
                }
            }
            ("enum", Value::Array(words)) if may_be_null => {
                let mut words = words.clone();
                words.push(Value::Null);
                put(schema, keyword, Value::Array(words));
            }
            _ => put(schema, keyword, value.clone()),
        }
    }
}

/// Bodies hold the members of their schema and no others.
fn close(document: &mut Value) {
    let mut open: Vec<String> = Vec::new();
    for operation in operations(document) {
        references(at(operation, "requestBody"), &mut open);
    }
    let mut closed: Vec<String> = Vec::new();
    while let Some(name) = open.pop() {
        if closed.contains(&name) {
            continue;
        }
        if let Some(schema) = schemas(document).and_then(|schemas| schemas.get_mut(&name)) {
            close_objects(schema);
            references(schema, &mut open);
        }
        closed.push(name);
    }
}

fn close_objects(schema: &mut Value) {
    let choices = ["oneOf", "anyOf"];
    for choice in choices {
        let options = schema.get_mut(choice).and_then(Value::as_array_mut);
        options.into_iter().flatten().for_each(close_objects);
    }
    if at(schema, "properties").is_object() && at(schema, "type") == "object" {
        put(schema, "additionalProperties", json!(false));
    }
}

/// Names of the schemas that are referred to by what may be sent.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if members.get("readOnly") != Some(&json!(true)) => {
            let name = members.get("$ref").and_then(Value::as_str);
            found.extend(
                name.and_then(|path| path.rsplit('/').next())
                    .map(str::to_owned),
            );
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_can_be_read_and_name_kinds_that_exist() {
        let details: Value = serde_json::from_str(DETAILS).unwrap();
        for kind in DETAILS.split(r#""$use": ""#).skip(1) {
            let kind = kind.split('"').next().unwrap();
            assert!(details["kinds"][kind].is_object(), "{kind}");
        }
    }
}
