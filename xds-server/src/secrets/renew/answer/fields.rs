//! An answer as a document: JSON whatever its type says, else a form.

use std::collections::BTreeMap;

use requestrocket_policy::json::find::{Node, find};
use requestrocket_policy::json::path::JsonPath;
use zeroize::Zeroizing;

/// Pairs of a form that are looked at.
const MAX_PAIRS: usize = 64;

/// What was answered, as JSON text. It holds secrets and does not print.
pub(in super::super) struct Document(Zeroizing<Vec<u8>>);

impl Document {
    /// None: neither JSON nor a form.
    pub(in super::super) fn of(body: &[u8]) -> Option<Self> {
        Self::json(body).or_else(|| Self::form(body))
    }

    /// An object or a list.
    pub(in super::super) fn json(body: &[u8]) -> Option<Self> {
        let body = body.trim_ascii();
        let is_container = body.starts_with(b"{") || body.starts_with(b"[");
        let is_valid = is_container && find(&[], body).is_ok();
        is_valid.then(|| Self(Zeroizing::new(body.to_vec())))
    }

    /// `name=value` pairs, as an object of strings.
    pub(in super::super) fn form(body: &[u8]) -> Option<Self> {
        let body = body.trim_ascii();
        let is_form = body.contains(&b'=') && body.iter().all(u8::is_ascii_graphic);
        let is_markup = body.starts_with(b"<");
        if !is_form || is_markup {
            return None;
        }
        let mut members: BTreeMap<String, Zeroizing<String>> = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(body).take(MAX_PAIRS) {
            members
                .entry(name.into_owned())
                .or_insert_with(|| Zeroizing::new(value.into_owned()));
        }
        let plain: BTreeMap<&str, &str> = members
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let text = serde_json::to_vec(&plain).ok()?;
        Some(Self(Zeroizing::new(text)))
    }

    /// The text of the first value that the path selects, if it is a string or a number.
    pub(in super::super) fn first(&self, path: &JsonPath) -> Option<Zeroizing<String>> {
        self.select(path, |json| {
            json.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
        })
    }

    /// As [`Document::first`], of strings only.
    pub(super) fn first_string(&self, path: &JsonPath) -> Option<Zeroizing<String>> {
        self.select(path, |json| json.starts_with('"'))
    }

    /// A member of the document itself.
    pub(super) fn member(&self, name: &str) -> Option<Zeroizing<String>> {
        self.first(&JsonPath::parse(&format!("$.{name}")).ok()?)
    }

    /// The code of an error, if the document speaks of one.
    pub(super) fn error_code(&self) -> Option<String> {
        let coded = ["error", "error.code", "error.type", "error.status"];
        let code = coded.iter().find_map(|path| self.member(path));
        let code = code.map(|code| code.to_string());
        if let Some(code) = code.filter(|code| !code.is_empty()) {
            return Some(code);
        }
        let speaks = |path: &str, is_said: &dyn Fn(&str) -> bool| {
            JsonPath::parse(path).is_ok_and(|path| self.select(&path, is_said).is_some())
        };
        if speaks("$.ok", &|json| json == "false" || json == "\"false\"") {
            return Some("not_ok".to_owned());
        }
        let is_said = |json: &str| json == "true" || json.starts_with(['{', '[']);
        speaks("$.error", &is_said).then(|| "error".to_owned())
    }

    /// What the provider says of it.
    pub(super) fn error_description(&self) -> Option<String> {
        let described = ["error_description", "error.message", "message"];
        let text = described.iter().find_map(|path| self.member(path));
        text.map(|text| text.to_string())
            .filter(|text| !text.is_empty())
    }

    fn select(
        &self,
        path: &JsonPath,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Option<Zeroizing<String>> {
        let found = find(std::slice::from_ref(path), &self.0).ok()?;
        let node: Option<Node<'_>> = found.into_iter().find(|node| is_wanted(node.json));
        node.map(|node| Zeroizing::new(node.text().into_owned()))
    }
}
