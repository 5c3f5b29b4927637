//! The forms of a value, and how each is compared with a text.

mod base64;
mod plain;
mod reading;

pub(super) use self::reading::{DEPTH, Reading};
use self::reading::{cases, digits, step};

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is, or escaped in part; its first byte is as it is.
    Plain,
    /// The same, its first byte percent-encoded.
    Percent,
    /// The same, its first byte a `\u` of JSON.
    Unicode,
    /// The same, its first byte behind a backslash.
    Backslash,
    /// In hexadecimal digits.
    Hex,
    /// In base64, with so many bytes of its group of three before it.
    Base64(base64::Shift),
}

/// All of them: as many as there are bits in a byte.
pub(super) const FORMS: [Form; 8] = [
    Form::Plain,
    Form::Percent,
    Form::Unicode,
    Form::Backslash,
    Form::Hex,
    Form::Base64(base64::Shift::None),
    Form::Base64(base64::Shift::One),
    Form::Base64(base64::Shift::Two),
];

impl Form {
    /// Calls `add` with each byte that may be at each of its first four places, from 0.
    pub(super) fn begins(self, value: &[u8], add: &mut dyn FnMut(usize, u8)) {
        match self {
            Self::Plain => plain::begins_plain(value, add),
            Self::Percent => plain::begins_percent(value, add),
            Self::Unicode => plain::begins_unicode(value, add),
            Self::Backslash => plain::begins_backslash(value, add),
            Self::Hex => hex_begins(value, add),
            Self::Base64(shift) => base64::begins(value, shift, add),
        }
    }

    /// Compares. Each comparison is taken off `left`; with none left it is something else.
    pub(super) fn read(self, value: &[u8], text: &[u8], left: &mut usize) -> Reading {
        match self {
            Self::Plain | Self::Percent | Self::Unicode | Self::Backslash => {
                plain::read(value, text, left)
            }
            Self::Hex => read_hex(value, text, left),
            Self::Base64(shift) => base64::read((value, shift), text, left),
        }
    }

    /// Whether the byte before it says something of the value, too.
    pub(super) fn shares(self, before: u8, value: &[u8]) -> bool {
        match self {
            Self::Base64(shift) => base64::shares(before, value, shift),
            Self::Plain | Self::Percent | Self::Unicode | Self::Backslash | Self::Hex => false,
        }
    }

    /// Whether it is read as [`Form::Plain`] is.
    pub(super) fn is_plain(self) -> bool {
        match self {
            Self::Plain | Self::Percent | Self::Unicode | Self::Backslash => true,
            Self::Hex | Self::Base64(_) => false,
        }
    }
}

fn hex_begins(value: &[u8], add: &mut dyn FnMut(usize, u8)) {
    let all = value.iter().flat_map(|byte| digits(u32::from(*byte), 2));
    for (place, digit) in all.take(DEPTH).enumerate() {
        for digit in cases(digit) {
            add(place, digit);
        }
    }
}

fn read_hex(value: &[u8], text: &[u8], left: &mut usize) -> Reading {
    let mut text = text.iter();
    for digit in value.iter().flat_map(|byte| digits(u32::from(*byte), 2)) {
        match text.next() {
            None => return Reading::Cut,
            Some(byte) if step(left) && byte.eq_ignore_ascii_case(&digit) => {}
            Some(_) => return Reading::Other,
        }
    }
    Reading::Whole(2 * value.len())
}
