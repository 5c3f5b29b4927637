//! bearer: the prefix (case does not count, and a blank may be several) and the token.

/// What follows the prefix, if the value has it.
pub(super) fn compared<'a>(value: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    prefix.bytes().try_fold(value, |rest, wanted| {
        let (byte, rest) = rest.split_first()?;
        let is_same = byte.eq_ignore_ascii_case(&wanted);
        is_same.then(|| {
            if wanted == b' ' {
                past_blanks(rest)
            } else {
                rest
            }
        })
    })
}

fn past_blanks(rest: &[u8]) -> &[u8] {
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    rest.get(blanks..).unwrap_or_default()
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
            ("Bearer  abc", "Bearer ", Some("abc")),
            ("Bearer    a  b", "Bearer ", Some("a  b")),
            ("My  Token  abc", "My Token ", Some("abc")),
            ("Bearer  ", "Bearer ", Some("")),
            (" Bearer abc", "Bearer ", None),
            ("Bearer\tabc", "Bearer ", None),
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
