//! What a secret says of its provider's answers.

use requestrocket_policy::json::path::JsonPath;

/// Where in an answer things are.
#[derive(Clone, Debug)]
pub(in super::super) struct Reading {
    /// Of the token.
    pub(in super::super) token: JsonPath,
    /// Of its life.
    pub(in super::super) expires_in: Option<JsonPath>,
    /// Milliseconds that one of it stands for.
    pub(in super::super) expires_in_unit_ms: u64,
    /// Of its end, which counts before the life.
    pub(in super::super) expires_at: Option<JsonPath>,
    /// When the answer says nothing of either.
    pub(in super::super) default_life_ms: u64,
}
