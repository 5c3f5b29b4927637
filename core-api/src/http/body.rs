//! Request bodies: content type, size, JSON, and how POST, PUT and PATCH come to the same form.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes};
use axum::extract::{FromRequest, Request};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::json::parse_object;
use crate::error::{ApiError, Code};
use requestrocket_policy::form::problem::{Fault, Problems};

/// A larger body is refused.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// A body that has not arrived by then is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON object that a caller sent. It may hold secrets and prints as nothing.
#[derive(Clone)]
pub struct Body {
    object: Map<String, Value>,
    is_patch: bool,
}

/// A body brought into the form of PUT, for a record that exists. It prints as nothing.
pub struct Update {
    /// What to read: server-set and immutable members are checked and gone.
    pub object: Map<String, Value>,
    /// The members that the caller wrote.
    named: BTreeSet<String>,
    is_patch: bool,
}

impl Update {
    /// The caller left this member as it is.
    pub fn keeps(&self, name: &str) -> bool {
        self.is_patch && !self.named.contains(name)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body([redacted])")
    }
}

impl fmt::Debug for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Update([redacted])")
    }
}

impl Body {
    /// The object as sent, for POST.
    pub fn into_object(self) -> Map<String, Value> {
        self.object
    }

    /// Drops members that come with every answer but are not stored.
    pub fn ignore(&mut self, name: &str, is_ours: impl FnOnce(&Value) -> bool) {
        if self.object.get(name).is_some_and(is_ours) {
            self.object.remove(name);
        }
    }

    /// Changes what was sent before anything reads it.
    pub fn rewrite(&mut self, change: impl FnOnce(&mut Map<String, Value>)) {
        change(&mut self.object);
    }

    /// It is a merge patch.
    pub fn is_patch(&self) -> bool {
        self.is_patch
    }

    /// Takes a member out before anything else reads the body.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name)
    }

    /// The caller wrote this member.
    pub fn names(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// For PUT the body itself, for PATCH its merge (RFC 7396) onto `current`, which is the
    /// record as GET shows it. `fixed` members may be repeated but not changed; `whole` ones are
    /// taken as sent, never merged.
    pub fn onto(
        mut self,
        current: &Map<String, Value>,
        fixed: &[&str],
        whole: &[&str],
        problems: &mut Problems,
    ) -> Update {
        for name in fixed {
            let sent = self.object.remove(*name);
            if sent.is_some_and(|sent| current.get(*name) != Some(&sent)) {
                problems.add(Fault::FieldImmutable, *name, "cannot be changed");
            }
        }
        let named = self.object.keys().cloned().collect();
        if !self.is_patch {
            return Update {
                object: self.object,
                named,
                is_patch: false,
            };
        }
        let mut object = current.clone();
        object.retain(|name, _| !fixed.contains(&name.as_str()));
        for (name, value) in self.object {
            if whole.contains(&name.as_str()) || !object.contains_key(&name) {
                // A null for an unknown member stays, so that it is refused and not swallowed.
                object.insert(name, value);
            } else if let Some(member) = object.get_mut(&name) {
                merge(member, value);
            }
        }
        Update {
            object,
            named,
            is_patch: true,
        }
    }
}

/// RFC 7396. Nulls at the first level stay: the readers treat them as absent.
fn merge(member: &mut Value, patch: Value) {
    match (member, patch) {
        (Value::Object(object), Value::Object(patch)) => {
            for (name, value) in patch {
                match object.get_mut(&name) {
                    Some(member) if !value.is_null() => merge(member, value),
                    // Unknown members stay visible even when null.
                    _ => {
                        object.insert(name, value);
                    }
                }
            }
        }
        (member, patch) => *member = patch,
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let is_patch = request.method() == Method::PATCH;
        let (parts, body) = request.into_parts();
        check_content_type(&parts.headers, is_patch)?;
        let bytes = read_all(&parts.headers, body).await?;
        let object = parse_object(&bytes)
            .map_err(|invalid| ApiError::new(Code::InvalidJson, invalid.to_string()))?;
        Ok(Self { object, is_patch })
    }
}

/// Reads a body to its end.
///
/// # Errors
/// It is too large, too slow, or the connection broke.
pub(super) async fn read_all(headers: &HeaderMap, body: HttpBody) -> Result<Bytes, ApiError> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    // Refused before any of it is read.
    if declared.is_some_and(|length: u64| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    let collected = Limited::new(body, MAX_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::new(Code::InvalidJson, "the body ended too early")),
        Err(_) => Err(ApiError::new(
            Code::RequestTimeout,
            "the body did not arrive in time",
        )),
    }
}

fn too_large() -> ApiError {
    ApiError::new(Code::BodyTooLarge, "the body is larger than 1 MiB")
}

fn check_content_type(headers: &HeaderMap, is_patch: bool) -> Result<(), ApiError> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let is_plain = headers
        .get(CONTENT_ENCODING)
        .is_none_or(|coding| coding == "identity");
    let is_json = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().is_ok_and(|text| is_json_type(text, is_patch)),
        _ => false,
    };
    if is_json && is_plain {
        return Ok(());
    }
    let text = if is_patch {
        "the body must be application/merge-patch+json or application/json, not encoded"
    } else {
        "the body must be application/json, not encoded"
    };
    Err(ApiError::new(Code::UnsupportedMediaType, text))
}

fn is_json_type(text: &str, is_patch: bool) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (is_patch && essence == "application/merge-patch+json");
    is_json
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            // Others mean nothing in JSON (RFC 8259 §11).
            _ => true,
        })
}

#[cfg(test)]
mod tests;
