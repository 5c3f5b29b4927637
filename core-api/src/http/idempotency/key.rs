//! The value of `Idempotency-Key`: bare, or a string as draft-ietf-httpapi-idempotency-key-header
//! writes it (RFC 8941, 3.3.3). Both forms of one text are one key.

use http::HeaderValue;

use crate::error::{ApiError, ApiResult};

const MAX_BYTES: usize = 255;

/// The key of a request, None without one.
///
/// # Errors
/// Not 1 to 255 visible ASCII characters, a string that does not end, or more than one line.
pub fn parse_key<'a>(
    mut lines: impl Iterator<Item = &'a HeaderValue>,
) -> ApiResult<Option<String>> {
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => key(only).map(Some).ok_or_else(invalid),
        (Some(_), Some(_)) => Err(invalid()),
    }
}

fn key(line: &HeaderValue) -> Option<String> {
    let text = line.to_str().ok()?;
    let key = match text.strip_prefix('"') {
        Some(rest) => unquoted(rest)?,
        None => text.to_owned(),
    };
    let is_legal =
        (1..=MAX_BYTES).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    is_legal.then_some(key)
}

/// The text of a string whose opening quote is gone. Nothing may follow its end.
fn unquoted(rest: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(text),
            '\\' => text.push(
                chars
                    .next()
                    .filter(|escaped| matches!(escaped, '"' | '\\'))?,
            ),
            plain => text.push(plain),
        }
    }
}

fn invalid() -> ApiError {
    ApiError::invalid(
        "Idempotency-Key",
        "must be 1 to 255 visible ASCII characters, bare or as a quoted string",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bare_or_quoted() {
        let longest = "k".repeat(MAX_BYTES);
        let quoted_longest = format!("\"{longest}\"");
        for (line, want) in [
            ("k-1", Some("k-1")),
            ("!~", Some("!~")),
            (r#""k-1""#, Some("k-1")),
            (r#""a\"b\\c""#, Some(r#"a"b\c"#)),
            (r#"a"b\c"#, Some(r#"a"b\c"#)),
            (longest.as_str(), Some(longest.as_str())),
            (quoted_longest.as_str(), Some(longest.as_str())),
            ("", None),
            (r#""""#, None),
            (r#"""#, None),
            (r#""open"#, None),
            (r#""a"b""#, None),
            (r#""a"; p=1"#, None),
            (r#""a\n""#, None),
            (r#""a\"#, None),
            (r#""a b""#, None),
            ("a b", None),
            (&format!("{longest}k"), None),
            (&format!("\"{longest}k\""), None),
        ] {
            let line = HeaderValue::from_str(line).unwrap();
            let key = parse_key(std::iter::once(&line)).ok().flatten();
            assert_eq!(key.as_deref(), want, "{line:?}");
        }
        let twice = [
            HeaderValue::from_static("a"),
            HeaderValue::from_static("\"a\""),
        ];
        assert!(parse_key(twice.iter()).is_err());
    }
}
