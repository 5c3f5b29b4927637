//! `credentialSecret` as JSON, one shape per auth type and side.
//!
//! The control plane has checked all this at save; it is checked again here because what passes
//! goes onto the wire.

use std::collections::BTreeMap;

use requestrocket_policy::swap::is_injectable_header;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::records::record::SecretProblem;
use crate::secrets::secret_text::SecretText;

const MAX_VALUE_BYTES: usize = 8192;
const MAX_NAME_BYTES: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PresentedKey {
    pub(super) key: SecretText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InjectedKey {
    pub(super) key: SecretText,
    #[serde(default)]
    pub(super) location: Place,
    pub(super) name: Option<String>,
    pub(super) prefix: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    #[default]
    Header,
    Query,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bearer {
    pub(super) token: SecretText,
    pub(super) prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BasicAuth {
    pub(super) username: SecretText,
    pub(super) password: SecretText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    pub(super) token: SecretText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Custom {
    #[serde(default)]
    pub(super) headers: BTreeMap<String, SecretText>,
    #[serde(default)]
    pub(super) query: BTreeMap<String, SecretText>,
}

/// serde's own message may quote the content and is dropped.
pub(super) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, SecretProblem> {
    serde_json::from_slice(json).map_err(|_| SecretProblem::Shape)
}

/// The value, if a header can carry it.
pub(super) fn value(text: &SecretText) -> Result<&str, SecretProblem> {
    let text = text.expose();
    if !text.is_empty() && text.len() <= MAX_VALUE_BYTES && !has_control_bytes(text) {
        Ok(text)
    } else {
        Err(SecretProblem::Value)
    }
}

/// The prefix, or `default`.
pub(super) fn prefix(text: Option<String>, default: &str) -> Result<String, SecretProblem> {
    let text = text.unwrap_or_else(|| default.to_owned());
    if text.len() <= MAX_NAME_BYTES && !has_control_bytes(&text) {
        Ok(text)
    } else {
        Err(SecretProblem::Value)
    }
}

/// A header that may be injected, in lower case.
pub(super) fn header_name(name: &str) -> Result<String, SecretProblem> {
    let name = name.to_ascii_lowercase();
    if name.len() <= MAX_NAME_BYTES && is_injectable_header(&name) {
        Ok(name)
    } else {
        Err(SecretProblem::Name)
    }
}

/// A parameter that may be injected, decoded.
pub(super) fn query_name(name: &str) -> Result<String, SecretProblem> {
    if (1..=MAX_NAME_BYTES).contains(&name.len()) && !has_control_bytes(name) {
        Ok(name.to_owned())
    } else {
        Err(SecretProblem::Name)
    }
}

/// `username:password`, as both sides of basic authentication use it.
pub(super) fn user_and_password(secret: &BasicAuth) -> Result<SecretText, SecretProblem> {
    let (username, password) = (half(&secret.username)?, half(&secret.password)?);
    if username.is_empty() && password.is_empty() {
        return Err(SecretProblem::Value);
    }
    if username.contains(':') {
        return Err(SecretProblem::Value);
    }
    Ok(SecretText::new([username, ":", password].concat()))
}

/// One of the two may be empty: some targets take a key for a user name.
fn half(secret: &SecretText) -> Result<&str, SecretProblem> {
    if secret.expose().is_empty() {
        return Ok("");
    }
    value(secret)
}

fn has_control_bytes(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_control())
}
