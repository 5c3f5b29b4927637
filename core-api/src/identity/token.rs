//! Tokens: how they are made, shown and looked up. Only digests are stored.

use std::fmt;
use std::fmt::Write as _;

use http::HeaderValue;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::random::base62;

/// Length of a token's random part: 43 base62 characters hold 256 bits.
const RANDOM_CHARACTERS: usize = 43;
const USER_PREFIX: &str = "u-";
const OPERATOR_PREFIX: &str = "o-";
/// What a list shows of a token.
const SHOWN_CHARACTERS: usize = 6;

/// A token just made, to be shown once.
pub struct NewToken(Zeroizing<String>);

impl NewToken {
    /// A user token, `u-…`.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn user() -> Result<Self, getrandom::Error> {
        Self::with_prefix(USER_PREFIX)
    }

    /// An operator token, `o-…`.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn operator() -> Result<Self, getrandom::Error> {
        Self::with_prefix(OPERATOR_PREFIX)
    }

    /// A token of another kind; it authenticates nobody at the gate.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn with_prefix(prefix: &str) -> Result<Self, getrandom::Error> {
        let random = base62(RANDOM_CHARACTERS)?;
        Ok(Self(Zeroizing::new(format!("{prefix}{}", *random))))
    }

    /// The token itself: for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn digest(&self) -> String {
        digest(self.0.as_bytes())
    }

    /// What lists show.
    pub fn shown_prefix(&self) -> String {
        self.0.chars().take(SHOWN_CHARACTERS).collect()
    }
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A token as a caller presents it, by its digest.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented {
    /// `u-…`
    User(String),
    /// `o-…`
    Operator(String),
}

impl Presented {
    /// Reads `u-…`, `o-…` or either after `Bearer`.
    pub fn parse(value: &HeaderValue) -> Option<Self> {
        let text = value.to_str().ok()?.trim();
        let token = match text.split_once(' ') {
            // Names of schemes know no case (RFC 9110 §11.1).
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            Some(_) => return None,
            None => text,
        };
        if token.starts_with(USER_PREFIX) {
            Some(Self::User(digest(token.as_bytes())))
        } else if token.starts_with(OPERATOR_PREFIX) {
            Some(Self::Operator(digest(token.as_bytes())))
        } else {
            None
        }
    }
}

/// SHA-256 in hexadecimal. Tokens are random, so no salt is needed.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_one_token() {
        let plain = Presented::parse(&HeaderValue::from_static("u-abc"));
        assert_eq!(plain, Some(Presented::User(digest(b"u-abc"))));
        for same in ["Bearer u-abc", "bearer  u-abc", " u-abc "] {
            assert_eq!(
                Presented::parse(&HeaderValue::from_static(same)),
                plain,
                "{same}"
            );
        }
        let operator = Presented::parse(&HeaderValue::from_static("Bearer o-abc"));
        assert_eq!(operator, Some(Presented::Operator(digest(b"o-abc"))));
        for other in ["", "abc", "Basic u-abc", "Bearer", "Bearer abc", "i-abc"] {
            assert_eq!(
                Presented::parse(&HeaderValue::from_static(other)),
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn a_new_token_prints_as_nothing_and_is_found_by_its_digest() {
        let token = NewToken::user().unwrap();
        assert_eq!(token.expose().len(), 45);
        assert!(token.expose().starts_with(&token.shown_prefix()));
        assert_eq!(format!("{token:?}"), "[redacted]");
        let header = HeaderValue::from_str(token.expose()).unwrap();
        assert_eq!(
            Presented::parse(&header),
            Some(Presented::User(token.digest()))
        );
    }
}
