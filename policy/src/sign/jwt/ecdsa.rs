//! The two forms of an ECDSA signature: DER, which hosts make, and the fixed one of RFC 7518 §3.4.

/// Both numbers in `width` bytes each; none when that is no such signature.
pub(super) fn fixed(der: &[u8], width: usize) -> Option<Vec<u8>> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let (content, rest) = value(der, SEQUENCE)?;
    let (r, after) = value(content, INTEGER)?;
    let (s, end) = value(after, INTEGER)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut fixed = Vec::with_capacity(2 * width);
    for number in [r, s] {
        let start = number.iter().position(|byte| *byte != 0)?;
        let digits = number.get(start..)?;
        let zeros = width.checked_sub(digits.len())?;
        fixed.resize(fixed.len() + zeros, 0);
        fixed.extend_from_slice(digits);
    }
    Some(fixed)
}

/// The content of the first element, which has that tag, and what follows.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, content) = match der {
        // Of P-521 only both numbers together are longer than 127 bytes.
        [first, 0x81, length, content @ ..] if *first == tag && *length >= 0x80 => {
            (length, content)
        }
        [first, length, content @ ..] if *first == tag && *length < 0x80 => (length, content),
        _ => return None,
    };
    content.split_at_checked(usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_their_width() {
        let long = [
            vec![0x30, 0x81, 0x88],
            number(&[0x7f; 66]),
            number(&[1; 66]),
        ]
        .concat();
        for (der, width, want) in [
            (&[0x30, 6, 2, 1, 5, 2, 1, 7][..], 2, Some(vec![0, 5, 0, 7])),
            (&[0x30, 7, 2, 2, 0, 0x80, 2, 1, 7], 1, Some(vec![0x80, 7])),
            (&[0x30, 7, 2, 2, 1, 0x80, 2, 1, 7], 1, None),
            (&[0x30, 6, 2, 1, 0, 2, 1, 7], 1, None),
            (&[0x30, 6, 2, 1, 5, 2, 1, 7, 0], 1, None),
            (&[0x30, 7, 2, 1, 5, 2, 1, 7, 0], 1, None),
            (&[0x30, 6, 2, 1, 5, 3, 1, 7], 1, None),
            (&[0x30, 9, 2, 1, 5, 2, 1, 7], 1, None),
            (&[0x30, 0x81, 6, 2, 1, 5, 2, 1, 7], 1, None),
            (&[], 1, None),
            (&long, 66, Some([[0x7f; 66], [1; 66]].concat())),
        ] {
            assert_eq!(fixed(der, width), want, "{der:?}");
        }
    }

    fn number(digits: &[u8]) -> Vec<u8> {
        let length = u8::try_from(digits.len()).unwrap();
        [&[2, length], digits].concat()
    }
}
