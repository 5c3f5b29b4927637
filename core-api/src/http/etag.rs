//! Strong entity tags. A stored record's tag is its version: every stored change, also one of a
//! secret, alters it; live status shown beside the record does not.

use axum::extract::FromRequestParts;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::domain::version::Expected;
use crate::error::{ApiError, ApiResult};

/// A strong tag with its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(String);

/// What `If-Match` or `If-None-Match` named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// No such header.
    Absent,
    /// `*`
    Any,
    /// These tags; weak ones marked by their `W/`.
    Tags(Vec<String>),
}

impl Tag {
    /// The tag of a record as of `revision`.
    pub fn of_revision(revision: u64) -> Self {
        Self(format!("\"r{revision}\""))
    }

    /// The tag of an answer that is made up anew each time.
    pub fn of_content(content: &[u8]) -> Self {
        Self(format!("\"{}\"", crate::identity::token::digest(content)))
    }

    /// As a header's value.
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl Condition {
    /// The versions of a record that `If-Match` names. Strong comparison: a weak tag, or one that is
    /// none of ours, names no version.
    pub fn expected(&self) -> Expected {
        match self {
            Self::Absent | Self::Any => Expected::Any,
            Self::Tags(tags) => {
                Expected::OneOf(tags.iter().filter_map(|tag| version(tag)).collect())
            }
        }
    }

    /// `If-None-Match` says that the caller has `current` already.
    pub fn is_fresh(&self, current: &Tag) -> bool {
        match self {
            Self::Absent => false,
            Self::Any => true,
            Self::Tags(tags) => tags
                .iter()
                // Weak comparison (RFC 9110 §13.1.2).
                .any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == current.0),
        }
    }

    fn read(headers: &HeaderMap, name: &HeaderName) -> ApiResult<Self> {
        let mut tags = Vec::new();
        for line in headers.get_all(name) {
            let text = line.to_str().ok().map(str::trim);
            match text {
                Some("*") => return Ok(Self::Any),
                Some(list) => tags.extend(split(list).ok_or_else(|| malformed(name))?),
                None => return Err(malformed(name)),
            }
        }
        Ok(if headers.contains_key(name) {
            Self::Tags(tags)
        } else {
            Self::Absent
        })
    }
}

/// The other way from [`Tag::of_revision`].
fn version(tag: &str) -> Option<u64> {
    let version = tag.strip_prefix("\"r")?.strip_suffix('"')?.parse().ok()?;
    // Leading zeros or a sign would be other tags of the same version.
    (Tag::of_revision(version).0 == tag).then_some(version)
}

fn malformed(name: &HeaderName) -> ApiError {
    let text = "must be `*` or a list of quoted entity tags";
    match *name {
        IF_MATCH => ApiError::invalid("If-Match", text),
        _ => ApiError::invalid("If-None-Match", text),
    }
}

/// `"a", W/"b"`; None when it is no list of tags.
fn split(list: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    let mut rest = list.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => ("W/", quoted),
            None => ("", rest),
        };
        let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
        tags.push(format!("{weak}\"{opaque}\""));
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(tags)
}

/// `If-Match` of a request.
#[derive(Clone, Debug)]
pub struct IfMatch(pub Condition);

/// `If-None-Match` of a request.
#[derive(Clone, Debug)]
pub struct IfNoneMatch(pub Condition);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Condition::read(&parts.headers, &IF_MATCH).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Condition::read(&parts.headers, &IF_NONE_MATCH).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_compares_strongly_and_if_none_match_weakly() {
        let current = Tag::of_revision(7);
        for (line, matches, fresh) in [
            ("\"r7\"", true, true),
            ("*", true, true),
            ("\"r6\", \"r7\"", true, true),
            ("\"a,b\",\"r7\"", true, true),
            ("W/\"r7\"", false, true),
            ("\"r6\"", false, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, HeaderValue::from_static(line));
            let condition = Condition::read(&headers, &IF_MATCH).unwrap();
            assert_eq!(condition.expected().holds(7), matches, "{line}");
            assert_eq!(condition.is_fresh(&current), fresh, "{line}");
        }
        for line in ["", "r7", "\"r7", "\"a\" \"b\"", "\"a\", b"] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, HeaderValue::from_static(line));
            assert!(Condition::read(&headers, &IF_MATCH).is_err(), "{line}");
        }
    }
}
