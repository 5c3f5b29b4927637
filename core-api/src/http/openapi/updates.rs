//! Bodies of PUT and PATCH: those of POST without what is fixed at creation. What answers show
//! besides may be sent back as it was.

use serde_json::{Map, Value, json};

use super::look::{at, put, schemas};
use crate::domain::label::MAX_LABELS;

/// What a new record needs, and which of it is fixed from then on.
const CREATION: [(&str, &[&str], &[&str]); 3] = [
    (
        "Credential",
        &["credentialType", "credentialAuthType", "credentialRegion"],
        &["credentialType", "credentialRegion"],
    ),
    ("Target", &["targetRegion"], &["targetRegion"]),
    ("Proxy", &["proxyRegion"], &["proxyRegion"]),
];

/// What only a record that exists can have.
const UPDATES_ONLY: [(&str, &str); 2] =
    [("Credential", "rotation"), ("Credential", "credentialNext")];

/// Gives PUT and PATCH schemas of their own.
pub(super) fn describe(document: &mut Value) {
    let mut made = Vec::new();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flat_map(Map::values_mut) {
        for (method, ending) in [("put", "Replacement"), ("patch", "Patch")] {
            let body = item.pointer_mut(&format!("/{method}/requestBody/content"));
            let contents = body.and_then(Value::as_object_mut);
            for content in contents.into_iter().flat_map(Map::values_mut) {
                let name = name_of(at(content, "schema"));
                if let Some(stem) = name.strip_suffix("Input") {
                    put(content, "schema", reference(&format!("{stem}{ending}")));
                    made.push((stem.to_owned(), ending));
                }
            }
        }
    }
    made.sort_unstable();
    made.dedup();
    if let Some(schemas) = schemas(document) {
        for (stem, ending) in &made {
            update(schemas, stem, ending);
        }
        creations(schemas);
    }
    drop_unused(document);
}

fn update(schemas: &mut Map<String, Value>, stem: &str, ending: &str) {
    let fixed = CREATION.iter().find(|(kind, ..)| *kind == stem);
    let fixed = fixed.map_or(&[][..], |(_, _, fixed)| fixed);
    let mut schema = schemas
        .get(&format!("{stem}Input"))
        .cloned()
        .unwrap_or_default();
    let shown = schemas.get(&format!("{stem}Resource")).cloned();
    let shown = shown.map(|shown| at(&shown, "properties").clone());
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in shown
            .as_ref()
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if fixed.contains(&name.as_str()) || !properties.contains_key(name) {
                let mut property = property.clone();
                put(&mut property, "readOnly", json!(true));
                properties.insert(name.clone(), property);
            }
        }
    }
    if ending == "Patch"
        && let Some(object) = schema.as_object_mut()
    {
        // A merge patch may leave every member out, and is judged with what is stored.
        object.remove("required");
        object.remove("anyOf");
        if let Some(labels) = schema.pointer_mut("/properties/labels") {
            patch_of_labels(labels);
        }
    }
    schemas.insert(format!("{stem}{ending}"), schema);
}

/// A null ends a label; all may end, and as many new ones come.
fn patch_of_labels(labels: &mut Value) {
    put(labels, "maxProperties", json!(2 * MAX_LABELS));
    if let Some(value) = labels.get_mut("additionalProperties") {
        put(value, "type", json!(["string", "null"]));
    }
}

/// What a new record needs is there, and is not null.
fn creations(schemas: &mut Map<String, Value>) {
    for (stem, name) in UPDATES_ONLY {
        let properties = schemas.get_mut(&format!("{stem}Input"));
        let properties = properties.and_then(|schema| schema.get_mut("properties"));
        if let Some(properties) = properties.and_then(Value::as_object_mut) {
            properties.remove(name);
        }
    }
    for (stem, needed, _) in CREATION {
        let Some(schema) = schemas.get_mut(&format!("{stem}Input")) else {
            continue;
        };
        for name in needed {
            if let Some(property) = schema.pointer_mut(&format!("/properties/{name}")) {
                not_null(property);
            }
            if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
                required.push(json!(name));
            }
        }
    }
}

/// The same schema without the null that derives put beside an `Option`.
pub(super) fn not_null(schema: &mut Value) {
    if let Some(types) = at(schema, "type").as_array() {
        let other = types.iter().find(|name| *name != "null").cloned();
        put(schema, "type", other.unwrap_or_default());
    }
    let options = at(schema, "oneOf").as_array().into_iter().flatten();
    if let Some(other) = options
        .into_iter()
        .find(|it| at(it, "type") != "null")
        .cloned()
    {
        *schema = other;
    }
}

fn drop_unused(document: &mut Value) {
    let text = document.to_string();
    if let Some(schemas) = schemas(document) {
        schemas.retain(|name, _| text.contains(&format!("#/components/schemas/{name}\"")));
    }
}

fn name_of(schema: &Value) -> String {
    let path = at(schema, "$ref").as_str().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
