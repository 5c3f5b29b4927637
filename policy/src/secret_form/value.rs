//! The values that secrets are made of.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    authn::jwt::{InvalidExpiry, expiry_ms},
    form::{
        fields::string,
        problem::{Fault, Invalid},
    },
    secret::{SecretBytes, SecretText},
    swap::{is_header_name, is_injectable_header},
};

/// Of a secret value.
pub const MAX_VALUE_BYTES: usize = 8_192;
/// Of the name of a header or parameter, and of what is put before a value.
pub const MAX_NAME_BYTES: usize = 256;

type Checked<T> = Result<T, Invalid>;

fn invalid<T>(text: impl Into<String>) -> Checked<T> {
    Err(Invalid::new(Fault::InvalidSecret, text))
}

/// A value that is encoded before it is sent.
///
/// # Errors
/// `INVALID_SECRET`; another type.
pub fn text(value: &Value) -> Checked<SecretText> {
    let raw = raw(value)?;
    // What is `bare` goes as it is, and a control character would end its header.
    let is_legal = (1..=MAX_VALUE_BYTES).contains(&raw.len()) && !raw.chars().any(char::is_control);
    if is_legal {
        return Ok(SecretText::new(raw.to_owned()));
    }
    invalid(format!(
        "must be 1 to {MAX_VALUE_BYTES} bytes without control bytes"
    ))
}

/// A value that is sent or compared as it is, so that blanks around it would be lost.
///
/// # Errors
/// `INVALID_SECRET`; another type.
pub fn bare(value: &Value) -> Checked<SecretText> {
    let raw = raw(value)?;
    if raw.trim() == raw {
        return text(value);
    }
    invalid("must not begin or end with blanks")
}

/// A text that may be empty.
///
/// # Errors
/// `INVALID_SECRET`; another type.
pub fn text_or_empty(value: &Value) -> Checked<SecretText> {
    if raw(value)?.is_empty() {
        return Ok(SecretText::new(String::new()));
    }
    text(value)
}

/// A literal JWT: its `exp`, if any, must be a number, because it is honoured.
///
/// # Errors
/// `INVALID_SECRET`; another type.
pub fn token(value: &Value) -> Checked<SecretText> {
    match expiry_ms(raw(value)?) {
        Ok(_) => bare(value),
        Err(InvalidExpiry) => {
            invalid("must have claims that can be read, with a number as `exp`, if any")
        }
    }
}

/// A header that a target may be given, as it is written.
///
/// # Errors
/// `INVALID_SECRET`.
pub fn header_name(raw: &str) -> Checked<String> {
    if !(1..=MAX_NAME_BYTES).contains(&raw.len()) || !is_header_name(raw) {
        return invalid("must be the name of a header");
    }
    if !is_injectable_header(raw) {
        return invalid("names a header that cannot be injected");
    }
    Ok(raw.to_owned())
}

/// A parameter that a target may be given.
///
/// # Errors
/// `INVALID_SECRET`.
pub fn query_name(raw: &str) -> Checked<String> {
    if (1..=MAX_NAME_BYTES).contains(&raw.len()) && !raw.chars().any(char::is_control) {
        return Ok(raw.to_owned());
    }
    invalid(format!(
        "must be 1 to {MAX_NAME_BYTES} bytes without control bytes"
    ))
}

/// What is put before a value.
///
/// # Errors
/// `INVALID_SECRET`; another type.
pub fn prefix(value: &Value) -> Checked<String> {
    let raw = string(value)?;
    if raw.len() <= MAX_NAME_BYTES && !raw.chars().any(char::is_control) {
        return Ok(raw);
    }
    invalid(format!(
        "must be at most {MAX_NAME_BYTES} bytes without control bytes"
    ))
}

/// A key that is shared: text, or bytes after `base64:`.
///
/// # Errors
/// `INVALID_SECRET`; another type.
pub fn shared_key(value: &Value) -> Checked<SecretBytes> {
    let text = bare(value)?;
    let Some(encoded) = text.expose().strip_prefix("base64:") else {
        return Ok(SecretBytes::from(text.expose().as_bytes()));
    };
    match STANDARD.decode(encoded) {
        Ok(bytes) if !bytes.is_empty() => Ok(SecretBytes::from(bytes)),
        Ok(_) | Err(_) => invalid("must be base64 after `base64:`"),
    }
}

fn raw(value: &Value) -> Checked<&str> {
    value
        .as_str()
        .ok_or_else(|| Invalid::value("must be a string"))
}
