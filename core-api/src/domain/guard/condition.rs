//! Conditions of rules, redactions and meters. The engine itself says what a pattern and a path
//! may be: what is refused there is refused when it is saved.

pub use requestrocket_policy::compile::MAX_CONDITIONS;
pub use requestrocket_policy::http::ALLOWED_METHODS;
use requestrocket_policy::json::path::JsonPath;
use requestrocket_policy::pattern as engine;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use requestrocket_policy::form::problem::Invalid;

/// What `flags` may hold, each once.
const FLAGS: &str = "imsx";

/// All must hold; what is absent or empty holds. At most 50 together.
// This JSON is the main form of the API and what the store holds; the sentences are the API's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Conditions {
    /// `GET` also means HEAD.
    #[schema(value_type = Option<Vec<String>>, example = json!(["GET"]))]
    pub methods: Vec<String>,
    /// Of the target path.
    pub path: Option<PathCondition>,
    /// Of header lines.
    #[schema(value_type = Option<Vec<NamedCondition>>)]
    pub headers: Vec<NamedCondition>,
    /// Decoded names and values.
    #[schema(value_type = Option<Vec<NamedCondition>>)]
    pub query: Vec<NamedCondition>,
    /// Of the JSON request body.
    #[schema(value_type = Option<Vec<NodeCondition>>)]
    pub body: Vec<NodeCondition>,
    /// Of the verified token.
    #[schema(value_type = Option<Vec<NodeCondition>>)]
    pub claims: Vec<NodeCondition>,
}

/// Of the target path: leading slash, no query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathCondition {
    /// What the path matches.
    #[serde(flatten)]
    pub pattern: Pattern,
    /// Or does not.
    pub presence: Presence,
}

/// Of header lines or query parameters. Header names match without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedCondition {
    /// What it is called.
    pub name: Pattern,
    /// Without it the name alone decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Pattern>,
    /// Of such a header or parameter.
    #[schema(value_type = Option<Presence>)]
    pub presence: Presence,
}

/// Of nodes of a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeCondition {
    /// A JSONPath (RFC 9535) of at most 1024 bytes.
    #[schema(value_type = String, example = "$.model", max_length = 1024)]
    pub path: Path,
    /// Of the node's text; without it the node's existence decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Pattern>,
    /// Of such a node.
    #[schema(value_type = Option<Presence>)]
    pub presence: Presence,
}

/// Whether there must be something that matches (default), or must not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(default = "present")]
pub enum Presence {
    /// There must.
    #[default]
    Present,
    /// There must not.
    Absent,
}

/// A linear-time regular expression: no backreferences, no look-around, unanchored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pattern {
    /// At most 4096 bytes; a leading `(?i)` works.
    #[schema(example = "^/v1/invoices(/|$)", max_length = 4096)]
    pattern: String,
    /// Out of `i`, `m`, `s`, `x`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(value_type = Option<String>, pattern = "^[imsx]*$", example = "i")]
    flags: String,
}

/// A JSONPath that the engine takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(String);

impl Conditions {
    /// How many there are of all kinds together; each method is one.
    #[must_use]
    pub fn count(&self) -> usize {
        let Self {
            methods,
            path,
            headers,
            query,
            body,
            claims,
        } = self;
        methods.len()
            + usize::from(path.is_some())
            + headers.len()
            + query.len()
            + body.len()
            + claims.len()
    }
}

impl Pattern {
    /// Compiles it as the engine will.
    ///
    /// # Errors
    /// Says where the pattern goes wrong.
    pub fn parse(pattern: &str, flags: &str) -> Result<Self, Invalid> {
        engine::Pattern::parse(pattern, flags)?;
        Ok(Self::new(pattern, flags))
    }

    /// The same for names of headers, which match without regard to case, and to `-` or `_`.
    ///
    /// # Errors
    /// Says where the pattern goes wrong.
    pub fn parse_header_name(pattern: &str, flags: &str) -> Result<Self, Invalid> {
        engine::Pattern::parse_header_name(pattern, flags)?;
        Ok(Self::new(pattern, flags))
    }

    fn new(pattern: &str, flags: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            flags: flags.to_owned(),
        }
    }

    /// The expression.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> &str {
        &self.flags
    }
}

impl Path {
    /// Compiles it as the engine will.
    ///
    /// # Errors
    /// Says where the path goes wrong.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        JsonPath::parse(raw)?;
        Ok(Self(raw.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Flags of patterns: each of `i`, `m`, `s`, `x` at most once.
///
/// # Errors
/// Any other text.
pub fn parse_flags(raw: &str) -> Result<String, Invalid> {
    let is_legal = |(index, flag): (usize, char)| {
        FLAGS.contains(flag) && raw.chars().take(index).all(|earlier| earlier != flag)
    };
    if raw.chars().enumerate().all(is_legal) {
        Ok(raw.to_owned())
    } else {
        Err(Invalid::value(
            "must be of `i`, `m`, `s`, `x`, each at most once",
        ))
    }
}

impl Presence {
    /// The meaning of a word; blogs and older documents have their own ones.
    ///
    /// # Errors
    /// Any other word.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        match raw {
            "present" | "must_exist" => Ok(Self::Present),
            "absent" | "must_not_exist" => Ok(Self::Absent),
            _ => Err(Invalid::value("must be `present` or `absent`")),
        }
    }
}
