//! JSON objects of tokens: no name comes twice, at any depth, so that everybody reads the same.

use std::borrow::Cow;

use crate::{
    effort::Effort,
    json::{
        doc::{Doc, Key, NodeId, ROOT},
        lexer::Kind,
        text::unescape_into,
        view::View,
    },
};

/// What reading the longest token may cost; a crafted one costs more and is refused.
const READING_STEPS: u64 = 2 << 20;

/// Not an object of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidObject {
    /// Not one JSON text, or an excessive one.
    #[error("not JSON")]
    Json,
    /// A JSON text, but no object.
    #[error("not a JSON object")]
    NoObject,
    /// A name comes twice in one object.
    #[error("a name comes twice")]
    Repeated,
}

/// An object of which every reader sees the same.
#[derive(Debug)]
pub struct Object<'t>(Doc<'t>);

/// A member's value, as far as checks need it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'t> {
    Text(Cow<'t, str>),
    Number(f64),
    Bool(bool),
    Null,
    /// Arrays in it are [`Value::Other`].
    Array(Vec<Value<'t>>),
    /// What no check understands: objects, texts that are not Unicode.
    Other,
}

impl<'t> Value<'t> {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Bool(_) | Self::Null | Self::Array(_) | Self::Other => None,
        }
    }

    pub(crate) fn into_text(self) -> Option<Cow<'t, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Bool(_) | Self::Null | Self::Array(_) | Self::Other => None,
        }
    }
}

impl<'t> Object<'t> {
    /// Reads a whole text.
    pub fn parse(text: &'t [u8]) -> Result<Self, InvalidObject> {
        let doc = Doc::parse_within(text, &mut Effort::of(READING_STEPS));
        let doc = doc.map_err(|_| InvalidObject::Json)?;
        if doc.kind(ROOT) != Kind::Object {
            return Err(InvalidObject::NoObject);
        }
        if objects(&doc).any(|object| has_repeated_name(&doc, object)) {
            return Err(InvalidObject::Repeated);
        }
        Ok(Self(doc))
    }

    /// The value of a member of the object itself.
    pub(crate) fn get(&self, name: &str) -> Option<Value<'t>> {
        let mut members = View::whole(&self.0).children(ROOT);
        let member = members.find(|member| self.0.is_named(*member, name))?;
        Some(self.value(member))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn value(&self, node: NodeId) -> Value<'t> {
        if self.0.kind(node) != Kind::Array {
            return self.plain(node);
        }
        let elements = View::whole(&self.0).children(node);
        Value::Array(elements.map(|element| self.plain(element)).collect())
    }

    fn plain(&self, node: NodeId) -> Value<'t> {
        match self.0.kind(node) {
            Kind::Scalar => scalar(self.0.json(node)),
            Kind::Array | Kind::Object => Value::Other,
        }
    }
}

fn objects(doc: &Doc<'_>) -> impl Iterator<Item = NodeId> {
    (ROOT..doc.len()).filter(|node| doc.kind(*node) == Kind::Object)
}

fn has_repeated_name(doc: &Doc<'_>, object: NodeId) -> bool {
    let members = View::whole(doc).children(object);
    let mut names: Vec<Key<'_>> = members.map(|member| doc.key(member)).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| match pair {
        [one, next] => one == next,
        _ => false,
    })
}

fn scalar(json: &str) -> Value<'_> {
    match json {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        _ => match json.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
            Some(raw) => text(raw).map_or(Value::Other, Value::Text),
            None => json.parse().map_or(Value::Other, Value::Number),
        },
    }
}

fn text(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('\\') {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    unescape_into(raw.as_bytes(), &mut bytes);
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests;
