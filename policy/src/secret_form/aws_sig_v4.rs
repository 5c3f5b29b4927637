//! `awsSigV4`: requests that AWS's way signs.

use serde_json::Value;

use super::value::bare;
use crate::{
    form::{
        fields::{Fields, boolean, string},
        problem::{Fault, Invalid},
    },
    secret::SecretText,
};

/// Of a key's id, a region and a service.
const MAX_WORD_BYTES: usize = 128;

/// Whose requests to which service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSigV4 {
    /// Id of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: SecretText,
    /// Of a key that was lent.
    pub session_token: Option<SecretText>,
    /// Such as `us-east-1`.
    pub region: String,
    /// Such as `s3`.
    pub service: String,
    /// The body is not signed; it is by default.
    pub unsigned_payload: bool,
}

/// `{accessKeyId, secretAccessKey, sessionToken?, region, service, unsignedPayload?}`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<AwsSigV4> {
    let access_key_id = fields.required("accessKeyId", word);
    let secret_access_key = fields.required("secretAccessKey", bare);
    let session_token = fields.optional("sessionToken", bare);
    let region = fields.required("region", word);
    let service = fields.required("service", word);
    let unsigned_payload = fields.optional("unsignedPayload", boolean);
    Some(AwsSigV4 {
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?,
        session_token,
        region: region?,
        service: service?,
        unsigned_payload: unsigned_payload.unwrap_or(false),
    })
}

/// What stands between the slashes of a scope.
fn word(value: &Value) -> Result<String, Invalid> {
    let text = string(value)?;
    let is_word = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"/,=\"\\".contains(&byte));
    if is_word && (1..=MAX_WORD_BYTES).contains(&text.len()) {
        return Ok(text);
    }
    let text = format!("must be 1 to {MAX_WORD_BYTES} letters, digits and signs, without slash");
    Err(Invalid::new(Fault::InvalidSecret, text))
}
