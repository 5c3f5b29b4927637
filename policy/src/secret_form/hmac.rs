//! `hmac`: a keyed hash over a text that the credential lays out.

use serde_json::Value;

use super::value::{header_name, prefix, shared_key};
use crate::{
    form::{
        fields::{Fields, string},
        problem::{Fault, Invalid},
    },
    http::name::is_twin,
    secret::SecretBytes,
    sign::{Hash, Template},
    swap::is_injectable_header,
};

const MAX_TEMPLATE_BYTES: usize = 1_024;

/// What is signed, and where the signature goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hmac {
    /// The key.
    pub key: SecretBytes,
    /// SHA-256 by default.
    pub hash: Hash,
    /// A text with parts of the request in it.
    pub string_to_sign: String,
    /// The body's hash is one of them.
    pub reads_body: bool,
    /// Base64 instead of hexadecimal digits.
    pub is_base64: bool,
    /// Gets the signature.
    pub header: String,
    /// Put before it; empty by default.
    pub prefix: String,
    /// Gets the time, in seconds.
    pub timestamp_header: Option<String>,
}

/// `{key, hash?, stringToSign, encoding?, header, prefix?, timestampHeader?}`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Hmac> {
    let key = fields.required("key", shared_key);
    let hash = fields.optional("hash", |value| match value.as_str() {
        Some("sha256") => Ok(Hash::Sha256),
        Some("sha512") => Ok(Hash::Sha512),
        _ => Err(Invalid::value("must be `sha256` or `sha512`")),
    });
    let template = fields.required("stringToSign", template);
    let is_base64 = fields.optional("encoding", |value| match value.as_str() {
        Some("hex") => Ok(false),
        Some("base64") => Ok(true),
        _ => Err(Invalid::value("must be `hex` or `base64`")),
    });
    let name = |value: &Value| header_name(&string(value)?);
    let header = fields.required("header", name);
    let prefix = fields.optional("prefix", prefix);
    let timestamp_header = fields.optional("timestampHeader", name);
    let (string_to_sign, reads_body) = template?;
    let header = header?;
    // A target that takes `_` for `-` would find two lines of one header.
    let is_same = |time: &String| is_twin(time.as_bytes(), header.as_bytes());
    if timestamp_header.as_ref().is_some_and(is_same) {
        fields.problem(
            Fault::InvalidSecret,
            "timestampHeader",
            "must not be `header`",
        );
    }
    Some(Hmac {
        key: key?,
        hash: hash.unwrap_or(Hash::Sha256),
        string_to_sign,
        reads_body,
        is_base64: is_base64.unwrap_or(false),
        header,
        prefix: prefix.unwrap_or_default(),
        timestamp_header,
    })
}

/// The text, and whether the body's hash is in it.
fn template(value: &Value) -> Result<(String, bool), Invalid> {
    let text = string(value)?;
    let invalid = |text: String| Invalid::new(Fault::InvalidSecret, text);
    if !(1..=MAX_TEMPLATE_BYTES).contains(&text.len()) {
        return Err(invalid(format!("must be 1 to {MAX_TEMPLATE_BYTES} bytes")));
    }
    let template = Template::parse(&text).map_err(|error| invalid(error.to_string()))?;
    let mut names = template.headers();
    let is_kept = |name: &str| name != "host" && !is_injectable_header(name);
    if let Some(name) = names.find(|name| is_kept(name)) {
        return Err(invalid(format!("header `{name}` cannot be signed")));
    }
    let reads_body = template.reads_body();
    Ok((text, reads_body))
}
