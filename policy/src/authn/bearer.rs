//! bearer: the prefix (case does not count) and the token.

/// What follows the prefix, if the value has it.
pub(super) fn compared<'a>(value: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let (head, token) = value.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix.as_bytes())
        .then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_matches_without_case_and_the_rest_is_the_token() {
        for (value, prefix, want) in [
            ("Bearer abc", "Bearer ", Some("abc")),
            ("bearer abc", "Bearer ", Some("abc")),
            ("BEARER Abc", "Bearer ", Some("Abc")),
            ("Bearer  abc", "Bearer ", Some(" abc")),
            ("Bearer ", "Bearer ", Some("")),
            ("Bearer", "Bearer ", None),
            ("Bearerabc", "Bearer ", None),
            ("abc", "Bearer ", None),
            ("", "Bearer ", None),
            ("Token=abc", "token=", Some("abc")),
            ("abc", "", Some("abc")),
        ] {
            let got = compared(value.as_bytes(), prefix);
            assert_eq!(got, want.map(str::as_bytes), "{value:?} {prefix:?}");
        }
    }
}
