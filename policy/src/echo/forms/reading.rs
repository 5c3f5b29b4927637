//! What a comparison comes to, and what all of them need.

/// As many bytes of a form are looked at before it is compared.
pub(crate) const DEPTH: usize = 4;

/// What a text begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The value, so many bytes of the text long.
    Whole(usize),
    /// All that there is of the text may be the value's beginning.
    Cut,
    /// Something else.
    Other,
}

/// Takes a comparison. False: there is none left.
pub(crate) fn step(left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    *left > 0
}

/// The digits of a number, from the highest.
pub(crate) fn digits(number: u32, count: u32) -> impl Iterator<Item = u8> {
    (0..count).rev().map(move |place| {
        let digit = (number >> (4 * place)) & 0xf;
        char::from_digit(digit, 16).map_or(b'0', |digit| u8::try_from(digit).unwrap_or(b'0'))
    })
}

/// Both cases of a digit.
pub(crate) fn cases(digit: u8) -> [u8; 2] {
    [digit, digit.to_ascii_uppercase()]
}
