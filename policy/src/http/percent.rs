//! Percent-encoding (RFC 3986 §2.1), on bytes.

/// The byte that `%` and these two stand for.
pub(crate) fn unescape(high: u8, low: u8) -> Option<u8> {
    Some((hex_value(high)? << 4) | hex_value(low)?)
}

/// Unreserved characters mean the same escaped and unescaped (RFC 3986 §2.3).
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The bytes with their escapes decoded once; what is no escape stays as written.
pub(crate) fn decoded(mut rest: &[u8]) -> impl Iterator<Item = u8> + '_ {
    std::iter::from_fn(move || {
        if let [b'%', high, low, tail @ ..] = rest
            && let Some(byte) = unescape(*high, *low)
        {
            rest = tail;
            return Some(byte);
        }
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        Some(byte)
    })
}

/// Appends `raw` with everything but unreserved characters escaped.
pub(crate) fn encode_into(raw: &[u8], out: &mut Vec<u8>) {
    for &byte in raw {
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', hex_digit(byte >> 4), hex_digit(byte & 0x0f)]);
        }
    }
}

pub(crate) fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'A' + nibble - 10
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decoding_leaves_what_is_no_escape() {
        for (raw, want) in [
            (&b""[..], &b""[..]),
            (b"abc", b"abc"),
            (b"%41%62", b"Ab"),
            (b"%2f%2F", b"//"),
            (b"%", b"%"),
            (b"%4", b"%4"),
            (b"%4g", b"%4g"),
            (b"%%41", b"%A"),
            (b"%2541", b"%41"),
            (b"a+b", b"a+b"),
            (b"%ff", b"\xff"),
        ] {
            assert_eq!(decoded(raw).collect::<Vec<_>>(), want, "{raw:?}");
        }
    }

    #[test]
    fn encoding_escapes_all_but_unreserved_characters() {
        for (raw, want) in [
            (&b"aZ09-._~"[..], &b"aZ09-._~"[..]),
            (b" &=+%/?#", b"%20%26%3D%2B%25%2F%3F%23"),
            ("é".as_bytes(), b"%C3%A9"),
            (b"\x00\xff", b"%00%FF"),
        ] {
            let mut out = Vec::new();
            encode_into(raw, &mut out);
            assert_eq!(out, want, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(raw: Vec<u8>) {
            let mut out = Vec::new();
            encode_into(&raw, &mut out);
            prop_assert!(out.is_ascii());
            prop_assert_eq!(decoded(&out).collect::<Vec<_>>(), raw);
        }
    }
}
