//! JWTs that are signed here: by which a client shows who it is (RFC 7523), and those of targets. No
//! I/O.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::private_key::{CannotSign, JwsKey};
use serde_json::{Map, Value};

/// When, and which one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issue<'a> {
    /// Seconds since 1970.
    pub(super) now_s: u64,
    /// From then on.
    pub(super) ttl_s: u64,
    /// Never used before.
    pub(super) id: &'a str,
}

/// A signed JWT with this header, JSON text, and these claims besides `iat`, `exp` and `jti`.
pub(super) fn sign(
    key: &JwsKey,
    header: &str,
    issue: Issue<'_>,
    mut claims: Map<String, Value>,
) -> Result<SecretText, CannotSign> {
    claims.insert("iat".to_owned(), issue.now_s.into());
    claims.insert(
        "exp".to_owned(),
        issue.now_s.saturating_add(issue.ttl_s).into(),
    );
    claims.insert("jti".to_owned(), issue.id.into());
    let claims = Value::Object(claims).to_string();
    let text = [header, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let text = text.join(".");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes())?);
    Ok(SecretText::new(format!("{text}.{signature}")))
}
