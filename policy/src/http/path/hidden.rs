//! Dot segments that only a lenient reader sees.

use super::{super::percent::hex_value, is_dot_segment};

/// Whether some reader finds `.` or `..` in a segment that is neither: by decoding escapes (any
/// number of times, overlong UTF-8 and `%u00XX` included), by taking the result's slashes and
/// backslashes as separators, or by cutting at `;`.
pub(super) fn hides_dot_segment(segment: &[u8]) -> bool {
    if !segment
        .iter()
        .any(|&byte| matches!(byte, b'%' | b';' | 0x80..))
    {
        return false;
    }
    let read = fold_overlong(&decode_fully(segment));
    read.split(|&byte| matches!(byte, b'/' | b'\\'))
        .filter_map(|piece| piece.split(|&byte| byte == b';').next())
        .any(is_dot_segment)
}

/// Decodes escapes until none is left.
fn decode_fully(segment: &[u8]) -> Vec<u8> {
    // The decoded text in reverse: its last byte is the leftmost.
    let mut reversed: Vec<u8> = Vec::with_capacity(segment.len());
    // From the end it takes linear time whatever the nesting, and comes to the same as repeated
    // passes, because escapes never overlap.
    for &byte in segment.iter().rev() {
        reversed.push(byte);
        while let Some((length, plain)) = leading_escape(&reversed) {
            reversed.truncate(reversed.len() - length);
            reversed.push(plain);
        }
    }
    reversed.reverse();
    reversed
}

/// Length and meaning of the escape at the end of reversed text.
fn leading_escape(reversed: &[u8]) -> Option<(usize, u8)> {
    match *reversed {
        [.., low, high, b'%'] if hex_value(high).is_some() => {
            Some((3, (hex_value(high)? << 4) | hex_value(low)?))
        }
        [.., low, high, b'0', b'0', b'u' | b'U', b'%'] => {
            Some((6, (hex_value(high)? << 4) | hex_value(low)?))
        }
        _ => None,
    }
}

/// Reads overlong UTF-8 forms of ASCII, which a careful decoder refuses, as what they spell.
fn fold_overlong(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rest.len());
    loop {
        let ascii = |high: u8, low: u8| ((high & 1) << 6) | (low & 0x3f);
        rest = match *rest {
            // Careless decoders take any byte for a continuation.
            [0xc0 | 0xc1, low, ref tail @ ..] => {
                let lead = rest.first().copied().unwrap_or_default();
                out.push(ascii(lead, low));
                tail
            }
            [0xe0, high @ (0x80 | 0x81), low, ref tail @ ..]
            | [0xf0, 0x80, high @ (0x80 | 0x81), low, ref tail @ ..] => {
                out.push(ascii(high, low));
                tail
            }
            [byte, ref tail @ ..] => {
                out.push(byte);
                tail
            }
            [] => return out,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::percent::decoded;

    fn decode_repeatedly(segment: &[u8]) -> Vec<u8> {
        let mut current = segment.to_vec();
        loop {
            let next: Vec<u8> = decoded(&current).collect();
            if next == current {
                return next;
            }
            current = next;
        }
    }

    proptest! {
        #[test]
        fn decoding_from_the_end_equals_repeated_passes(
            segment in proptest::collection::vec(
                proptest::sample::select(b"%%%%%%2225e36dD4.".to_vec()), 0..40),
        ) {
            prop_assert_eq!(decode_fully(&segment), decode_repeatedly(&segment));
        }
    }

    #[test]
    fn deep_nesting_takes_linear_time() {
        let mut segment = b"%".to_vec();
        segment.extend(b"25".repeat(200_000));
        segment.extend(b"2e%2e");
        assert!(hides_dot_segment(&segment));
    }

    #[test]
    fn overlong_forms_are_read_as_ascii() {
        for (raw, want) in [
            (&b"\xc0\xae"[..], &b"."[..]),
            (b"\xc0\xaf", b"/"),
            (b"\xc1\x9c", b"\\"),
            (b"\xc0\x2e", b"."),
            (b"\xe0\x80\xae", b"."),
            (b"\xe0\x81\x9c", b"\\"),
            (b"\xf0\x80\x80\xae", b"."),
            ("é€😀".as_bytes(), "é€😀".as_bytes()),
            (b"\xc0", b"\xc0"),
            (b"\xe0\x80", b"\xe0\x80"),
        ] {
            assert_eq!(fold_overlong(raw), want, "{raw:x?}");
        }
    }
}
