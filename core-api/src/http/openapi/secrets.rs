//! `credentialSecret`: one shape for each side and type of a credential (`secrets.json`).

use serde_json::{Map, Value, json};

use super::look::{at, put, resolved, schemas};

const SECRETS: &str = include_str!("secrets.json");
const SECRET: &str = "credentialSecret";
const TYPE: &str = "credentialAuthType";

/// Gives credentials their shapes: of a new one side and type say which, of an update what is stored.
pub(super) fn describe(document: &mut Value) {
    // The file is part of the program; that it can be read is shown by a test.
    let secrets: Value = serde_json::from_str(SECRETS).unwrap_or_default();
    let Some(schemas) = schemas(document) else {
        return;
    };
    let mut names = Vec::new();
    for (name, shape) in at(&secrets, "shapes").as_object().into_iter().flatten() {
        schemas.insert(name.clone(), resolved(shape, &secrets));
        names.push(json!(name));
    }
    for update in ["CredentialReplacement", "CredentialPatch"] {
        let Some(schema) = schemas.get_mut(update) else {
            continue;
        };
        put_property(schema, SECRET, choice(&names, true));
        let words = json!([
            "apiKey",
            "key",
            "bearer",
            "basicAuth",
            "jwt",
            "jwtVerify",
            "oauth2",
            "signedJwt",
            "awsSigV4",
            "hmac",
            "custom",
            "none",
            null
        ]);
        let text = "Another one needs a new secret. `key` is another word for `apiKey`.";
        put_property(
            schema,
            TYPE,
            json!({ "type": ["string", "null"], "enum": words, "description": text }),
        );
    }
    if let Some(schema) = schemas.get_mut("NextInput") {
        put_property(schema, SECRET, choice(&names, true));
    }
    let variants = at(&secrets, "variants").as_array().into_iter().flatten();
    if let Some(schema) = schemas.get_mut("CredentialInput") {
        let variants: Vec<_> = variants.map(|it| variant(schema, it)).collect();
        let description = at(schema, "description").clone();
        *schema = json!({ "description": description, "oneOf": variants });
    }
}

/// A new credential of some sides and one type.
fn variant(schema: &Value, variant: &Value) -> Value {
    let is_required = at(variant, "required") == true;
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        object.remove("description");
    }
    let names = at(variant, "shapes")
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let word = |words: &Value| json!({ "type": "string", "enum": words });
    put_property(&mut schema, "credentialType", word(at(variant, "sides")));
    put_property(&mut schema, TYPE, word(at(variant, "words")));
    put_property(&mut schema, SECRET, choice(names, !is_required));
    if is_required && let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut)
    {
        required.push(json!(SECRET));
    }
    schema
}

fn put_property(schema: &mut Value, name: &str, property: Value) {
    if let Some(properties) = schema.get_mut("properties") {
        put(properties, name, property);
    }
}

fn choice(names: &[Value], or_null: bool) -> Value {
    let shapes = names.iter().filter_map(Value::as_str);
    let mut options: Vec<_> = shapes
        .map(|name| json!({ "$ref": format!("#/components/schemas/{name}") }))
        .collect();
    if or_null {
        options.push(json!({ "type": "null" }));
    }
    let mut choice = Map::from_iter([("anyOf".to_owned(), Value::Array(options))]);
    choice.insert("writeOnly".to_owned(), json!(true));
    Value::Object(choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_names_shapes_that_exist() {
        let secrets: Value = serde_json::from_str(SECRETS).unwrap();
        for variant in at(&secrets, "variants").as_array().unwrap() {
            for name in at(variant, "shapes").as_array().unwrap() {
                let shape = &secrets["shapes"][name.as_str().unwrap()];
                assert!(shape.is_object(), "{name}");
            }
        }
    }
}
