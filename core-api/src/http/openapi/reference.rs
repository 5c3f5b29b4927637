//! `/docs`: the reference for people, one static page without scripts or outside resources.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
<title>RequestRocket Core API</title><style>\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2330}\
h2{margin-top:2.5rem;border-bottom:1px solid #d5dbe5}code{background:#f1f4f9;padding:.1em .3em;border-radius:3px}\
details{margin:.4rem 0;border:1px solid #d5dbe5;border-radius:6px;padding:.4rem .8rem}\
summary{cursor:pointer}summary b{display:inline-block;width:4.5rem}\
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}\
</style></head><body>";

/// The page for an OpenAPI document.
pub(super) fn page(document: &Value) -> String {
    let mut page = String::from(HEAD);
    let info = at(document, "/info");
    push(
        &mut page,
        format_args!("<h1>{}</h1>", text(at(info, "/title"))),
    );
    push(
        &mut page,
        format_args!("<p>{}</p>", text(at(info, "/description"))),
    );
    page.push_str(
        "<p>Machine readable: <a href=\"openapi.json\">openapi.json</a></p><h2>Operations</h2>",
    );
    for (path, item) in members(at(document, "/paths")) {
        for (method, operation) in members(item) {
            operation_section(&mut page, path, method, operation);
        }
    }
    page.push_str("<h2>Schemas</h2>");
    for (name, schema) in members(at(document, "/components/schemas")) {
        push(
            &mut page,
            format_args!("<details id=\"{0}\"><summary>{0}</summary>", escape(name)),
        );
        push(
            &mut page,
            format_args!("<p>{}</p>", text(at(schema, "/description"))),
        );
        properties(&mut page, schema);
        page.push_str("</details>");
    }
    page.push_str("</body></html>");
    page
}

fn operation_section(page: &mut String, path: &str, method: &str, operation: &Value) {
    let method = method.to_uppercase();
    let path = escape(path);
    push(
        page,
        format_args!("<details><summary><b>{method}</b> <code>{path}</code> "),
    );
    push(
        page,
        format_args!("{}</summary>", text(at(operation, "/summary"))),
    );
    push(
        page,
        format_args!("<p>{}</p><table>", text(at(operation, "/description"))),
    );
    for parameter in at(operation, "/parameters")
        .as_array()
        .into_iter()
        .flatten()
    {
        let (name, place) = (text(at(parameter, "/name")), text(at(parameter, "/in")));
        let description = text(at(parameter, "/description"));
        row(
            page,
            &format!("<code>{name}</code> ({place})"),
            &description,
        );
    }
    for (content, body) in members(at(operation, "/requestBody/content")) {
        row(
            page,
            &format!("body, {}", escape(content)),
            &type_of(at(body, "/schema")),
        );
    }
    for (status, response) in members(at(operation, "/responses")) {
        let schema = type_of(at(response, "/content/application~1json/schema"));
        row(
            page,
            &escape(status),
            &format!("{} {schema}", text(at(response, "/description"))),
        );
    }
    page.push_str("</table></details>");
}

fn properties(page: &mut String, schema: &Value) {
    let required: Vec<_> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    page.push_str("<table>");
    for (name, property) in members(at(schema, "/properties")) {
        let mark = if required.contains(&&Value::String(name.clone())) {
            " *"
        } else {
            ""
        };
        let left = format!("<code>{}</code>{mark}", escape(name));
        row(
            page,
            &left,
            &format!(
                "{} {}",
                type_of(property),
                text(at(property, "/description"))
            ),
        );
    }
    page.push_str("</table>");
}

fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    if at(schema, "/type") == "array" {
        return format!("list of {}", type_of(at(schema, "/items")));
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(options) = at(schema, &format!("/{choice}")).as_array() {
            return options.iter().map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    match at(schema, "/type") {
        Value::String(word) => escape(word),
        Value::Array(words) => words
            .iter()
            .filter_map(Value::as_str)
            .map(escape)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => String::new(),
    }
}

fn row(page: &mut String, left: &str, right: &str) {
    push(
        page,
        format_args!("<tr><td>{left}</td><td>{right}</td></tr>"),
    );
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = page.write_fmt(text);
}

/// The value at a JSON pointer, null when there is none.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(raw: &str) -> String {
    raw.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
