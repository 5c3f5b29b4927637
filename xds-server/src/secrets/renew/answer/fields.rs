//! An answer as a document: JSON whatever its type says, else a form.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use requestrocket_policy::json::find::{Node, find};
use requestrocket_policy::json::path::JsonPath;
use zeroize::Zeroizing;

/// Pairs of a form that are looked at.
const MAX_PAIRS: usize = 64;

/// What answers say under names that are known; a document is read once for all of them.
static MEMBERS: LazyLock<(Vec<&str>, Vec<JsonPath>)> = LazyLock::new(|| {
    [
        "error",
        "error.code",
        "error.type",
        "error.status",
        "error_description",
        "error.message",
        "message",
        "ok",
        "token_type",
        "refresh_token",
        "exp",
    ]
    .into_iter()
    .filter_map(|name| Some((name, JsonPath::parse(&format!("$.{name}")).ok()?)))
    .unzip()
});

/// What was answered, as JSON text. It holds secrets and does not print.
pub(in super::super) struct Document {
    text: Zeroizing<Vec<u8>>,
    members: Vec<Member>,
}

/// A value as it stands there, and what it says.
struct Member {
    name: &'static str,
    json: Zeroizing<String>,
    text: Zeroizing<String>,
}

impl Document {
    /// None: neither JSON nor a form.
    pub(in super::super) fn of(body: &[u8]) -> Option<Self> {
        Self::json(body).or_else(|| Self::form(body))
    }

    /// An object or a list.
    pub(in super::super) fn json(body: &[u8]) -> Option<Self> {
        let body = body.trim_ascii();
        let is_container = body.starts_with(b"{") || body.starts_with(b"[");
        is_container.then(|| Self::read(body)).flatten()
    }

    fn read(text: &[u8]) -> Option<Self> {
        let (names, paths) = &*MEMBERS;
        let found = find(paths, text).ok()?;
        let members = found.into_iter().filter_map(|node| {
            Some(Member {
                name: names.get(node.path)?,
                json: Zeroizing::new(node.json.to_owned()),
                text: Zeroizing::new(node.text().into_owned()),
            })
        });
        Some(Self {
            members: members.collect(),
            text: Zeroizing::new(text.to_vec()),
        })
    }

    /// `name=value` pairs, as an object of strings.
    pub(in super::super) fn form(body: &[u8]) -> Option<Self> {
        let body = body.trim_ascii();
        let is_form = body.contains(&b'=') && body.iter().all(u8::is_ascii_graphic);
        // HTML has `=`, too.
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
        let text = Zeroizing::new(serde_json::to_vec(&plain).ok()?);
        Self::read(&text)
    }

    /// The text of the first value that the path selects, if it is a string or a number.
    pub(in super::super) fn first(&self, path: &JsonPath) -> Option<Zeroizing<String>> {
        self.select(path, is_text_or_number)
    }

    /// As [`Document::first`], of strings only.
    pub(super) fn first_string(&self, path: &JsonPath) -> Option<Zeroizing<String>> {
        self.select(path, |json| json.starts_with('"'))
    }

    /// The text of one of the known members, if it is a string or a number.
    pub(super) fn member(&self, name: &str) -> Option<&str> {
        self.known(name, is_text_or_number)
    }

    fn known(&self, name: &str, is_wanted: impl Fn(&str) -> bool) -> Option<&str> {
        let mut members = self.members.iter();
        let member = members.find(|it| it.name == name && is_wanted(&it.json))?;
        Some(&member.text)
    }

    /// The code of an error, if the document speaks of one.
    pub(super) fn error_code(&self) -> Option<String> {
        let coded = ["error", "error.code", "error.type", "error.status"];
        let code = coded.iter().find_map(|name| self.member(name));
        if let Some(code) = code.filter(|code| !code.is_empty()) {
            return Some(code.to_owned());
        }
        let is_no = |json: &str| json == "false" || json == "\"false\"";
        if self.known("ok", is_no).is_some() {
            return Some("not_ok".to_owned());
        }
        let is_said = |json: &str| json == "true" || json.starts_with(['{', '[']);
        self.known("error", is_said).map(|_| "error".to_owned())
    }

    /// What the provider says of it.
    pub(super) fn error_description(&self) -> Option<String> {
        let described = ["error_description", "error.message", "message"];
        let text = described.iter().find_map(|name| self.member(name))?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn select(
        &self,
        path: &JsonPath,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Option<Zeroizing<String>> {
        let found = find(std::slice::from_ref(path), &self.text).ok()?;
        let node: Option<Node<'_>> = found.into_iter().find(|node| is_wanted(node.json));
        node.map(|node| Zeroizing::new(node.text().into_owned()))
    }
}

fn is_text_or_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}
