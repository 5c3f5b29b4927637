//! What `oauth2` and `customToken` have in common: where an obtained token goes, and how long it
//! is taken to live.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place::{self, Place};
use super::value::{MAX_NAME_BYTES, text};
use crate::{
    form::{
        fields::{Fields, string},
        problem::{Fault, Invalid},
    },
    json::path::JsonPath,
    secret::SecretText,
};

/// Of a PEM value.
pub const MAX_PEM_BYTES: usize = 16 << 10;
/// Of a token that was obtained, or is exchanged for one.
pub const MAX_TOKEN_BYTES: usize = 32 << 10;
/// What stands for the token.
const TOKEN: &str = "{token}";
/// A year.
const MAX_TTL_SECONDS: u64 = 365 * 24 * 3_600;

/// Statuses of a target.
const MAX_STATUSES: usize = 16;

/// Statuses with which a target says that it does not take a token. Without a word, 401.
pub(super) fn refresh_on(fields: &mut Fields<'_>) -> Vec<u16> {
    let status = |value: &Value| {
        let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
        let is_refusal = |status: &u16| (400..=599).contains(status);
        status
            .filter(is_refusal)
            .ok_or_else(|| Invalid::value("must be a status from 400 to 599"))
    };
    let statuses = fields.list("refreshOnStatus", MAX_STATUSES, status);
    let statuses = statuses.unwrap_or_else(|| vec![401]);
    let unique: BTreeSet<u16> = statuses.into_iter().collect();
    unique.into_iter().collect()
}

/// Where a token goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apply {
    /// Header or parameter.
    pub place: Place,
    /// Its name.
    pub name: String,
    before: String,
    after: String,
}

impl Apply {
    /// The value that a request is given.
    #[must_use]
    pub fn value(&self, token: &SecretText) -> SecretText {
        SecretText::new([self.before.as_str(), token.expose(), self.after.as_str()].concat())
    }

    /// Bytes of that value before and behind the token.
    #[must_use]
    pub fn around(&self) -> (usize, usize) {
        (self.before.len(), self.after.len())
    }

    /// A token behind a text of that kind.
    #[must_use]
    pub fn behind(prefix: &str, (place, name): (Place, &str)) -> Self {
        Self {
            place,
            name: name.to_owned(),
            before: prefix.to_owned(),
            after: String::new(),
        }
    }

    fn bearer() -> Self {
        Self::behind("Bearer ", (Place::Header, "Authorization"))
    }
}

/// `apply: {location?, name?, template?}`; None: a member is refused.
pub(super) fn apply(fields: &mut Fields<'_>) -> Option<Apply> {
    fields
        .object("apply", |mut fields| {
            let (place, name) = place::read(&mut fields);
            let parts = fields.optional("template", template);
            fields.finish();
            let usual = match place {
                Place::Header => ("Bearer ".to_owned(), String::new()),
                Place::Query => (String::new(), String::new()),
            };
            let (before, after) = parts.unwrap_or(usual);
            Apply {
                place,
                name,
                before,
                after,
            }
        })
        .or_else(|| Some(Apply::bearer()))
}

/// What stands before and after the token.
fn template(value: &Value) -> Result<(String, String), Invalid> {
    let raw = string(value)?;
    let invalid = |text: &str| Err(Invalid::new(Fault::InvalidSecret, text));
    if raw.len() > MAX_NAME_BYTES || !raw.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return invalid("must be at most 256 printable ASCII characters");
    }
    match raw.split_once(TOKEN) {
        Some((before, after)) if !after.contains(TOKEN) => {
            // Blanks around a header's value are lost on the way.
            Ok((before.trim_start().to_owned(), after.trim_end().to_owned()))
        }
        _ => invalid("must hold `{token}` once"),
    }
}

/// A text that is no secret.
pub(super) fn name(value: &Value) -> Result<String, Invalid> {
    Ok(text(value)?.expose().to_owned())
}

/// A JSONPath.
pub(super) fn path(value: &Value) -> Result<JsonPath, Invalid> {
    let raw = string(value)?;
    JsonPath::parse(&raw).map_err(|invalid| {
        Invalid::new(Fault::InvalidJsonPath, invalid.problem.to_string()).position(invalid.position)
    })
}

/// A number of seconds that a token lives.
pub(super) fn ttl_seconds(value: &Value) -> Result<u64, Invalid> {
    crate::form::fields::integer(1, MAX_TTL_SECONDS)(value)
}

/// A text that holds a key or a certificate.
pub(super) fn pem(label: &'static str) -> impl Fn(&Value) -> Result<SecretText, Invalid> {
    move |value| {
        let raw = string(value)?;
        let is_pem = raw.contains("-----BEGIN ")
            && raw.contains(label)
            && raw.contains("-----END ")
            && raw.is_ascii();
        if is_pem && raw.len() <= MAX_PEM_BYTES {
            return Ok(SecretText::new(raw));
        }
        let text = format!("must be PEM with a `{label}`, of at most 16384 bytes");
        Err(Invalid::new(Fault::InvalidSecret, text))
    }
}

/// A token, as long as obtained ones may be.
pub(super) fn long(value: &Value) -> Result<SecretText, Invalid> {
    let raw = string(value)?;
    let is_legal = (1..=MAX_TOKEN_BYTES).contains(&raw.len()) && !raw.chars().any(char::is_control);
    if is_legal {
        return Ok(SecretText::new(raw));
    }
    let text = "must be 1 to 32768 bytes without control bytes";
    Err(Invalid::new(Fault::InvalidSecret, text))
}
