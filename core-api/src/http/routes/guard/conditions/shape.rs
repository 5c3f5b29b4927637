//! Conditions, for the documentation: their JSON is that of `domain::condition`.

use utoipa::ToSchema;

/// A linear-time regular expression: no backreferences, no look-around, unanchored.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents domain::condition")]
pub(in crate::http::routes) struct Pattern {
    /// At most 4096 bytes; a leading `(?i)` works.
    #[schema(example = "^/v1/invoices(/|$)", max_length = 4096)]
    pattern: String,
    /// Out of `i`, `m`, `s`, `x`.
    #[schema(pattern = "^[imsx]*$", example = "i")]
    flags: Option<String>,
}

/// Whether there must be something that matches (default), or must not.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", default = "present")]
#[expect(dead_code, reason = "documents domain::condition")]
pub(in crate::http::routes) enum Presence {
    Present,
    Absent,
}

/// Of the target path: leading slash, no query.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents domain::condition")]
pub(in crate::http::routes) struct PathCondition {
    /// At most 4096 bytes.
    #[schema(example = "^/v1/invoices(/|$)", max_length = 4096)]
    pattern: String,
    /// Out of `i`, `m`, `s`, `x`.
    #[schema(pattern = "^[imsx]*$")]
    flags: Option<String>,
    presence: Option<Presence>,
}

/// Of header lines or query parameters. Header names match without regard to case.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents domain::condition")]
pub(in crate::http::routes) struct NamedCondition {
    name: Pattern,
    /// Without it the name alone decides.
    value: Option<Pattern>,
    presence: Option<Presence>,
}

/// Of nodes of a JSON document.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents domain::condition")]
pub(in crate::http::routes) struct NodeCondition {
    /// A JSONPath (RFC 9535) of at most 1024 bytes.
    #[schema(example = "$.model", max_length = 1024)]
    path: String,
    /// Of the node's text; without it the node's existence decides.
    value: Option<Pattern>,
    presence: Option<Presence>,
}

/// All must hold; what is absent or empty holds. At most 50 together.
#[derive(Debug, ToSchema)]
#[schema(as = Conditions)]
#[expect(dead_code, reason = "documents domain::condition")]
pub(in crate::http::routes) struct ConditionsShape {
    /// `GET` also means HEAD.
    #[schema(example = json!(["GET"]))]
    methods: Option<Vec<String>>,
    path: Option<PathCondition>,
    headers: Option<Vec<NamedCondition>>,
    /// Decoded names and values.
    query: Option<Vec<NamedCondition>>,
    /// Of the JSON request body.
    body: Option<Vec<NodeCondition>>,
    /// Of the verified token.
    claims: Option<Vec<NodeCondition>>,
}
