//! Texts with places for values: `{secret.name}`, `{base64:…}`, `{step1.$.path}`, `{timestamp}`,
//! `{uuid}`. A brace that begins none of these is a brace, so that JSON can be written as it is.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{form::problem::Invalid, json::path::JsonPath};

/// A text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// What stands in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Itself.
    Text(String),
    /// A secret value.
    Secret(String),
    /// What is in it, in base64.
    Base64(Template),
    /// A value of an earlier answer, counted from 0.
    Step(usize, JsonPath),
    /// Seconds since 1970.
    Timestamp,
    /// A fresh one.
    Uuid,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Names what is unknown, or is not closed.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        parse(raw, true)
    }

    /// The text, where nothing is to be filled in.
    pub(super) fn literal(&self) -> Option<String> {
        let texts = self.0.iter().map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Secret(_) | Part::Base64(_) | Part::Step(..) | Part::Timestamp | Part::Uuid => {
                None
            }
        });
        texts.collect()
    }

    /// Every name is in `known`, every step before `index`.
    pub(super) fn check(&self, known: &BTreeSet<&str>, index: usize) -> Result<(), Invalid> {
        for part in &self.0 {
            match part {
                Part::Text(_) | Part::Timestamp | Part::Uuid => {}
                Part::Base64(inner) => inner.check(known, index)?,
                Part::Secret(name) if known.contains(name.as_str()) => {}
                Part::Secret(name) => {
                    let text = format!("names `{{secret.{name}}}`, which `values` does not have");
                    return Err(Invalid::value(text));
                }
                Part::Step(step, _) if *step < index => {}
                Part::Step(step, _) => {
                    let text = format!("names `{{step{}}}`, which is no earlier request", step + 1);
                    return Err(Invalid::value(text));
                }
            }
        }
        Ok(())
    }

    /// The text with its values; None when one of them is not to be had.
    pub fn fill(
        &self,
        value: &mut impl FnMut(&Part) -> Option<Zeroizing<String>>,
    ) -> Option<Zeroizing<String>> {
        let mut pieces = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            pieces.push(match part {
                Part::Text(text) => Zeroizing::new(text.clone()),
                Part::Base64(inner) => {
                    let inner = inner.fill(value)?;
                    Zeroizing::new(STANDARD.encode(inner.as_bytes()))
                }
                Part::Secret(_) | Part::Step(..) | Part::Timestamp | Part::Uuid => value(part)?,
            });
        }
        // Of its whole length at once: a text that grew would leave copies that nobody wipes.
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let mut filled = Zeroizing::new(String::with_capacity(length));
        for piece in &pieces {
            filled.push_str(piece);
        }
        Some(filled)
    }
}

/// The templates of a JSON value: its strings.
pub(super) fn of_json(value: &Value, all: &mut Vec<Template>) -> Result<(), Invalid> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) => {
            all.push(Template::parse(text)?);
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| of_json(item, all)),
        Value::Object(members) => members.values().try_for_each(|item| of_json(item, all)),
    }
}

fn parse(raw: &str, is_outer: bool) -> Result<Template, Invalid> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        if let Some((part, behind)) = place(after, is_outer)? {
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(part);
            rest = behind;
        } else {
            text.push('{');
            rest = after;
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(Template(parts))
}

/// What a brace begins, and what is behind it; None: nothing, it is a brace.
fn place(after: &str, is_outer: bool) -> Result<Option<(Part, &str)>, Invalid> {
    // Not within itself, which bounds the recursion.
    if let Some(inner) = after.strip_prefix("base64:").filter(|_| is_outer) {
        let Some(end) = closing(inner) else {
            return Err(Invalid::value("has a `{base64:` that is not closed"));
        };
        let (inner, behind) = inner.split_at(end);
        let part = Part::Base64(parse(inner, false)?);
        return Ok(Some((part, behind.strip_prefix('}').unwrap_or(behind))));
    }
    let Some((name, behind)) = after.split_once('}') else {
        return Ok(None);
    };
    if let Some(name) = name.strip_prefix("secret.") {
        return Ok(Some((Part::Secret(name.to_owned()), behind)));
    }
    if let Some((step, path)) = step(name)? {
        return Ok(Some((Part::Step(step, path), behind)));
    }
    match name {
        "timestamp" => Ok(Some((Part::Timestamp, behind))),
        "uuid" => Ok(Some((Part::Uuid, behind))),
        _ if is_name(name) => Err(Invalid::value(format!(
            "names `{{{name}}}`, which is not known"
        ))),
        _ => Ok(None),
    }
}

/// Where the brace is that closes what was opened before.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_u32;
    for (at, char) in text.char_indices() {
        match char {
            '{' => open = open.saturating_add(1),
            '}' if open == 0 => return Some(at),
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// `step1.$.path`, counted from 1.
fn step(name: &str) -> Result<Option<(usize, JsonPath)>, Invalid> {
    let Some((number, path)) = name.strip_prefix("step").and_then(|it| it.split_once('.')) else {
        return Ok(None);
    };
    let Some(number) = number
        .parse::<usize>()
        .ok()
        .and_then(|it| it.checked_sub(1))
    else {
        return Ok(None);
    };
    match JsonPath::parse(path) {
        Ok(path) => Ok(Some((number, path))),
        Err(invalid) => Err(Invalid::value(format!("`{{{name}}}`: {invalid}"))),
    }
}

/// What looks like a place and is none is a mistake, not a text.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
