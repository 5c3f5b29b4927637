//! As it is, or with any of its bytes escaped as in URLs (`%2f`, `+`) or in JSON (`\u002f`, `\/`).
//!
//! A value that holds such escapes itself can be read in several ways; all are tried.

use std::str;

use super::reading::{Reading, cases, digits, step};

/// Called with each byte that may be at a place. What is added is somewhat more than what can be.
type Add<'a> = &'a mut dyn FnMut(usize, u8);

/// An escape at the beginning of a text.
enum Escape {
    /// It stands for so many bytes of the value, and is so many of the text.
    Of { value: usize, text: usize },
    /// The text ends before it does.
    Cut,
    /// There is none, or for something else.
    None,
}

pub(super) fn read(value: &[u8], text: &[u8], left: &mut usize) -> Reading {
    let mut whole = None;
    let mut is_cut = false;
    // No more than comparisons are left for.
    let mut ways = vec![];
    let mut way = Some((value, text));
    while let Some((value, rest)) = way {
        let Some((wanted, values)) = value.split_first() else {
            whole = whole.max(Some(text.len().saturating_sub(rest.len())));
            way = ways.pop();
            continue;
        };
        if !step(left) {
            break;
        }
        way = match rest.split_first() {
            Some((read, rest)) if is_same(*read, *wanted) => Some((values, rest)),
            Some(_) => None,
            None => {
                is_cut = true;
                None
            }
        };
        match escape(value, rest) {
            Escape::Cut => is_cut = true,
            Escape::Of { value: of, text } => {
                let other = value.get(of..).zip(rest.get(text..));
                ways.extend(other);
            }
            Escape::None => {}
        }
        way = way.or_else(|| ways.pop());
    }
    match whole {
        Some(length) => Reading::Whole(length),
        None if is_cut => Reading::Cut,
        None => Reading::Other,
    }
}

/// Forms say `+` for a blank.
fn is_same(read: u8, wanted: u8) -> bool {
    read == wanted || (read == b'+' && wanted == b' ')
}

fn escape(value: &[u8], text: &[u8]) -> Escape {
    let first = value.first().copied().unwrap_or_default();
    match text {
        [b'%', written @ ..] => number(written, (u32::from(first), 2), (1, 1)),
        [b'\\'] => Escape::Cut,
        [b'\\', b'u', written @ ..] => match number(written, (u32::from(first), 4), (1, 2)) {
            Escape::None => character(value).map_or(Escape::None, |(code, length)| {
                number(written, (code, 4), (length, 2))
            }),
            of_byte @ (Escape::Of { .. } | Escape::Cut) => of_byte,
        },
        [b'\\', escaped, ..] if is_escapable(*escaped) && *escaped == first => {
            Escape::Of { value: 1, text: 2 }
        }
        _ => Escape::None,
    }
}

/// Compares the digits of a number, behind a mark that is so long. It stands for so many bytes of
/// the value.
fn number(written: &[u8], (number, count): (u32, u32), (value, mark): (usize, usize)) -> Escape {
    let mut text = mark;
    for (place, digit) in digits(number, count).enumerate() {
        match written.get(place) {
            None => return Escape::Cut,
            Some(read) if read.eq_ignore_ascii_case(&digit) => text += 1,
            Some(_) => return Escape::None,
        }
    }
    Escape::Of { value, text }
}

/// The first character, if it is one of two or three bytes, and how many.
fn character(value: &[u8]) -> Option<(u32, usize)> {
    (2..=3).find_map(|length| {
        let text = str::from_utf8(value.get(..length)?).ok()?;
        let first = text.chars().next()?;
        (first.len_utf8() == length).then_some((u32::from(first), length))
    })
}

fn is_escapable(byte: u8) -> bool {
    matches!(byte, b'/' | b'"' | b'\\')
}

pub(super) fn begins_plain(value: &[u8], add: Add<'_>) {
    let [first, second, third, fourth] = first_four(value);
    add(0, first);
    if first == b' ' {
        add(0, b'+');
    }
    unit(1, second, add);
    unit(2, third, add);
    // After an escape of two bytes.
    unit(3, third, add);
    unit(3, fourth, add);
}

pub(super) fn begins_percent(value: &[u8], add: Add<'_>) {
    let [first, second, ..] = first_four(value);
    marked(0, (b'%', first), add);
    unit(3, second, add);
}

pub(super) fn begins_unicode(value: &[u8], add: Add<'_>) {
    let [first, ..] = first_four(value);
    add(0, b'\\');
    add(1, b'u');
    let of_character = character(value).map(|(code, _)| code);
    for code in [u32::from(first)].into_iter().chain(of_character) {
        for (place, digit) in digits(code, 4).take(2).enumerate() {
            for digit in cases(digit) {
                add(2 + place, digit);
            }
        }
    }
}

pub(super) fn begins_backslash(value: &[u8], add: Add<'_>) {
    let [first, second, third, _] = first_four(value);
    if is_escapable(first) {
        add(0, b'\\');
        add(1, first);
        unit(2, second, add);
        unit(3, third, add);
    }
}

/// A byte of the value, in every way, from that place on.
fn unit(at: usize, byte: u8, add: Add<'_>) {
    add(at, byte);
    if byte == b' ' {
        add(at, b'+');
    }
    marked(at, (b'%', byte), add);
    add(at, b'\\');
    add(at + 1, b'u');
    add(at + 1, byte);
    // The first digit of most characters; of others any.
    let first = if byte.is_ascii() { 0..1 } else { 0..16 };
    for digit in first.flat_map(|number| digits(number, 1)) {
        for digit in cases(digit) {
            add(at + 2, digit);
        }
    }
    add(at + 3, b'0');
}

/// A byte behind a mark, in two digits.
fn marked(at: usize, (mark, byte): (u8, u8), add: Add<'_>) {
    add(at, mark);
    for (place, digit) in digits(u32::from(byte), 2).enumerate() {
        for digit in cases(digit) {
            add(at + 1 + place, digit);
        }
    }
}

fn first_four(value: &[u8]) -> [u8; 4] {
    value.first_chunk().copied().unwrap_or_default()
}
