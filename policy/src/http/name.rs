//! The one comparison of header names.
//!
//! Targets behind CGI, WSGI and their like read `X_Key` as `X-Key`. So whatever the gateway drops,
//! hides, replaces or looks for by name, it means in every spelling that such a target takes for it:
//! case does not count, and `_` is `-`.

use std::borrow::Cow;

/// Whether a target may take one name for the other.
pub(crate) fn is_twin(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && starts_like(one, other)
}

/// Whether a target may take the start of a name for the prefix.
pub(crate) fn starts_like(name: &[u8], prefix: &[u8]) -> bool {
    let mut pairs = name.iter().zip(prefix);
    name.len() >= prefix.len() && pairs.all(|(&one, &other)| fold(one) == fold(other))
}

/// The name with `-` for each `_`; None when that is the name itself.
pub(crate) fn folded(name: &str) -> Option<String> {
    name.contains('_').then(|| name.replace('_', "-"))
}

/// A twin as it was sent, in lower case as the host knows it.
pub(super) fn as_sent<'n>(twin: &[u8], name: &'n str) -> Cow<'n, str> {
    if twin.eq_ignore_ascii_case(name.as_bytes()) {
        return Cow::Borrowed(name);
    }
    // Twins of a name that is text are text.
    let mut sent = String::from_utf8_lossy(twin).into_owned();
    sent.make_ascii_lowercase();
    Cow::Owned(sent)
}

fn fold(byte: u8) -> u8 {
    match byte {
        b'_' => b'-',
        other => other.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_count_and_an_underscore_is_a_hyphen() {
        for (one, other, want) in [
            ("x-key", "x-key", true),
            ("X_Key", "x-key", true),
            ("x-a_b", "X_a-B", true),
            ("", "", true),
            ("x-key", "x-keys", false),
            ("x-key", "xkey", false),
            ("x.key", "x-key", false),
            ("x--key", "x-key", false),
            // `_` and 0x7f, `@` and the grave accent are 32 apart like letters of two cases.
            ("x\u{7f}", "x_", false),
            ("x\r", "x-", false),
        ] {
            assert_eq!(is_twin(one.as_bytes(), other.as_bytes()), want, "{one:?}");
            assert_eq!(is_twin(other.as_bytes(), one.as_bytes()), want, "{other:?}");
        }
        assert!(starts_like(b"X_RR-a", b"x-rr-") && starts_like(b"x-rr-", b"x-rr-"));
        assert!(!starts_like(b"x-rr", b"x-rr-") && !starts_like(b"ax-rr-", b"x-rr-"));
    }

    #[test]
    fn folding_is_for_names_that_differ_by_it() {
        assert_eq!(folded("X_a-b_"), Some("X-a-b-".to_owned()));
        assert_eq!(folded("x-a"), None);
    }
}
