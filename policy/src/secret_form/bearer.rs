//! `bearer`: `prefix` and token (RFC 6750 §2.1).

use super::value::{bare, prefix};
use crate::{form::fields::Fields, secret::SecretText};

/// A token and what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The token.
    pub token: SecretText,
    /// Put before it; `Bearer ` by default.
    pub prefix: String,
}

/// `{token, prefix?}`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Bearer> {
    let token = fields.required("token", bare);
    let prefix = fields.optional("prefix", prefix);
    Some(Bearer {
        token: token?,
        prefix: prefix.unwrap_or_else(|| "Bearer ".to_owned()),
    })
}
