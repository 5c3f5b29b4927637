//! Lists that are also to be had a record a line.

use axum::extract::FromRequestParts;
use http::header::ACCEPT;
use http::request::Parts;

use crate::error::ApiError;

/// The type of such an answer.
pub(crate) const LINES: &str = "application/x-ndjson";

/// What a list is asked for as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A page of JSON.
    Page,
    /// All of it, a record a line.
    Lines,
}

impl Wanted {
    fn of(accept: &str) -> Self {
        let mut types = accept.split(',').filter_map(|one| one.split(';').next());
        if types.any(|name| name.trim().eq_ignore_ascii_case(LINES)) {
            Self::Lines
        } else {
            Self::Page
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let lines = parts.headers.get_all(ACCEPT).iter();
        let mut lines = lines.filter_map(|line| line.to_str().ok());
        let is_asked = lines.any(|line| Self::of(line) == Self::Lines);
        Ok(if is_asked { Self::Lines } else { Self::Page })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sent_to_who_asks_for_them() {
        for (accept, want) in [
            ("application/x-ndjson", Wanted::Lines),
            ("text/html, Application/X-NDJSON;q=0.5", Wanted::Lines),
            ("application/json", Wanted::Page),
            ("*/*", Wanted::Page),
            ("", Wanted::Page),
        ] {
            assert_eq!(Wanted::of(accept), want, "{accept}");
        }
    }
}
