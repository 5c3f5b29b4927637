//! `basicAuth`: user name and password (RFC 7617).

use super::value::text_or_empty;
use crate::{
    form::{
        fields::Fields,
        problem::{Fault, Invalid},
    },
    secret::SecretText,
};

/// One of the two may be empty: some targets take a key for a user name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicAuth {
    /// Without a colon.
    pub username: SecretText,
    /// Anything.
    pub password: SecretText,
}

impl BasicAuth {
    /// `username:password`, as both sides of a proxy use it.
    #[must_use]
    pub fn joined(&self) -> SecretText {
        SecretText::new([self.username.expose(), ":", self.password.expose()].concat())
    }
}

/// `{username, password}`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<BasicAuth> {
    let username = fields.required("username", |value| {
        let username = text_or_empty(value)?;
        // The first colon ends the user name (RFC 7617 §2).
        if username.expose().contains(':') {
            let text = "must not contain a colon";
            return Err(Invalid::new(Fault::InvalidSecret, text));
        }
        Ok(username)
    });
    let password = fields.required("password", text_or_empty);
    let (username, password) = (username?, password?);
    if username.expose().is_empty() && password.expose().is_empty() {
        fields.problem(Fault::InvalidSecret, "password", "and `username` are empty");
        return None;
    }
    Some(BasicAuth { username, password })
}
