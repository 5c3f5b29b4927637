//! Base64, in both alphabets. A value can begin at three places of a group, so its first and last
//! digits may say something of its neighbours as well. Of the first two such a digit is not looked
//! for: it is one of many.

use super::reading::{DEPTH, Reading, step};

/// Bits of a digit.
const DIGIT: usize = 6;

/// How many bytes of its group are before the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shift {
    None,
    One,
    Two,
}

impl Shift {
    /// How many of the value's first bits are in a digit that it shares.
    fn shared_bits(self) -> usize {
        match self {
            Self::None => 0,
            Self::One => 4,
            Self::Two => 2,
        }
    }
}

pub(super) fn begins(value: &[u8], shift: Shift, add: &mut dyn FnMut(usize, u8)) {
    for place in 0..DEPTH {
        let digit = bits(value, shift.shared_bits() + DIGIT * place);
        for byte in (0..=u8::MAX).filter(|byte| number(*byte) == Some(digit)) {
            add(place, byte);
        }
    }
}

pub(super) fn read((value, shift): (&[u8], Shift), text: &[u8], left: &mut usize) -> Reading {
    let end = 8 * value.len();
    let mut text = text.iter();
    let mut length = 0;
    for at in (shift.shared_bits()..end).step_by(DIGIT) {
        let Some(read) = text.next() else {
            return Reading::Cut;
        };
        // What is behind the value in its last digit may be anything.
        let behind = (at + DIGIT).saturating_sub(end);
        let is_it = number(*read).is_some_and(|it| it >> behind == bits(value, at) >> behind);
        if !(step(left) && is_it) {
            return Reading::Other;
        }
        length += 1;
    }
    Reading::Whole(length)
}

pub(super) fn shares(before: u8, value: &[u8], shift: Shift) -> bool {
    let shared = shift.shared_bits();
    let first = value.first().copied().unwrap_or_default();
    shared > 0 && number(before).is_some_and(|it| it & ((1 << shared) - 1) == first >> (8 - shared))
}

/// Six bits of the value.
fn bits(value: &[u8], at: usize) -> u8 {
    let byte = |place: usize| u16::from(value.get(place).copied().unwrap_or_default());
    let two = (byte(at / 8) << 8) | byte(at / 8 + 1);
    let [_, low] = ((two >> (10 - at % 8)) & 0x3f).to_be_bytes();
    low
}

/// What a digit stands for.
fn number(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
