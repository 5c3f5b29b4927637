//! Reads the conditions of rules, filters and meters.

mod alias;
mod shape;

use serde_json::Value;

pub(super) use alias::to_main_form;

use crate::domain::guard::condition::{
    ALLOWED_METHODS, Conditions, MAX_CONDITIONS, NamedCondition, NodeCondition, Path,
    PathCondition, Pattern, Presence, parse_flags,
};
use requestrocket_policy::form::fields::{Fields, string};
use requestrocket_policy::form::problem::{Fault, Invalid};

/// Notes are for people, not for books.
const MAX_NOTES_CHARS: usize = 2000;

/// Compiles a pattern with its flags.
type Parse = fn(&str, &str) -> Result<Pattern, Invalid>;

/// Reads the members that are conditions, in their main form; whatever is refused is noted.
pub(super) fn conditions(fields: &mut Fields<'_>, has_body: bool) -> Conditions {
    let defaults = fields.optional("regexFlags", |value| {
        // JavaScript's `g` means nothing for a search that ends with the first match.
        parse_flags(&string(value)?.replace('g', ""))
    });
    let flags = defaults.unwrap_or_default();
    let header = |fields: Fields<'_>| named(fields, &flags, Pattern::parse_header_name);
    let parameter = |fields: Fields<'_>| named(fields, &flags, Pattern::parse);
    let node = |fields: Fields<'_>| node(fields, &flags);
    let methods = fields.list("methods", MAX_CONDITIONS, method);
    let path = fields.object("path", |fields| path(fields, &flags));
    let headers = fields.objects("headers", MAX_CONDITIONS, header);
    let query = fields.objects("query", MAX_CONDITIONS, parameter);
    let body = has_body.then(|| fields.objects("body", MAX_CONDITIONS, node));
    let claims = fields.objects("claims", MAX_CONDITIONS, node);
    let mut methods = methods.unwrap_or_default();
    methods.sort_unstable();
    methods.dedup();
    let conditions = Conditions {
        methods,
        path: path.flatten(),
        headers: headers.unwrap_or_default(),
        query: query.unwrap_or_default(),
        body: body.flatten().unwrap_or_default(),
        claims: claims.unwrap_or_default(),
    };
    check_count(fields, &conditions);
    conditions
}

/// Text for people, or none.
pub(super) fn notes(value: &Value) -> Result<String, Invalid> {
    let text = string(value)?;
    let is_legal = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    if text.chars().count() <= MAX_NOTES_CHARS && text.chars().all(is_legal) {
        return Ok(text);
    }
    let text = format!("must be at most {MAX_NOTES_CHARS} characters without control characters");
    Err(Invalid::value(text))
}

/// A JSONPath.
pub(super) fn json_path(value: &Value) -> Result<Path, Invalid> {
    Path::parse(&string(value)?)
}

fn check_count(fields: &mut Fields<'_>, conditions: &Conditions) {
    if conditions.count() <= MAX_CONDITIONS {
        return;
    }
    let lists = [
        ("headers", conditions.headers.len()),
        ("query", conditions.query.len()),
        ("body", conditions.body.len()),
        ("claims", conditions.claims.len()),
    ];
    let longest = lists.into_iter().max_by_key(|(_, length)| *length);
    let text = format!("there must be at most {MAX_CONDITIONS} conditions of all kinds together");
    if let Some((name, _)) = longest {
        fields.problem(Fault::ValidationFailed, name, text);
    }
}

fn method(value: &Value) -> Result<String, Invalid> {
    let method = string(value)?.to_ascii_uppercase();
    if ALLOWED_METHODS.contains(&method.as_str()) {
        return Ok(method);
    }
    let known: Vec<_> = ALLOWED_METHODS
        .iter()
        .map(|word| format!("`{word}`"))
        .collect();
    Err(Invalid::value(format!(
        "must be one of {}",
        known.join(", ")
    )))
}

fn path(mut fields: Fields<'_>, default_flags: &str) -> Option<PathCondition> {
    let presence = presence(&mut fields);
    let pattern = pattern(fields, default_flags, Pattern::parse);
    Some(PathCondition {
        pattern: pattern?,
        presence,
    })
}

fn named(mut fields: Fields<'_>, default_flags: &str, parse_name: Parse) -> Option<NamedCondition> {
    let name = fields.required_object("name", |fields| pattern(fields, default_flags, parse_name));
    let value = value(&mut fields, default_flags);
    let presence = presence(&mut fields);
    fields.finish();
    Some(NamedCondition {
        name: name?,
        value,
        presence,
    })
}

fn node(mut fields: Fields<'_>, default_flags: &str) -> Option<NodeCondition> {
    let path = fields.required("path", json_path);
    let value = value(&mut fields, default_flags);
    let presence = presence(&mut fields);
    fields.finish();
    Some(NodeCondition {
        path: path?,
        value,
        presence,
    })
}

/// What is refused is noted, and then as good as absent.
fn value(fields: &mut Fields<'_>, default_flags: &str) -> Option<Pattern> {
    let read = |fields: Fields<'_>| pattern(fields, default_flags, Pattern::parse);
    fields.object("value", read).flatten()
}

fn presence(fields: &mut Fields<'_>) -> Presence {
    let presence = fields.optional("presence", |value| Presence::parse(&string(value)?));
    presence.unwrap_or_default()
}

fn pattern(mut fields: Fields<'_>, default_flags: &str, parse: Parse) -> Option<Pattern> {
    let has_flags = fields.has("flags");
    let text = fields.required("pattern", string);
    let flags = fields.optional("flags", |value| parse_flags(&string(value)?));
    let flags = if has_flags {
        flags
    } else {
        Some(default_flags.to_owned())
    };
    let pattern = match (text, flags) {
        (Some(text), Some(flags)) => fields.checked("pattern", parse(&text, &flags)),
        _ => None,
    };
    fields.finish();
    pattern
}

#[cfg(test)]
mod tests;
