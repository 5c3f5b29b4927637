//! A value as software writes it, made by other code than what reads it.

use std::ops::Range;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Each form of a value, in the variants that occur.
pub(super) fn each_way(value: &str) -> Vec<String> {
    let bytes = value.as_bytes();
    let each = |write: &dyn Fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'~';
    let json = serde_json::to_string(value).unwrap();
    let json = json.trim_matches('"').to_owned();
    let unicode: Vec<_> = value
        .chars()
        .map(|one| format!("\\u{:04x}", u32::from(one)))
        .collect();
    let unicode = unicode.concat();
    let ascii = |one: char| -> String {
        if one.is_ascii() {
            one.to_string()
        } else {
            format!("\\u{:04X}", u32::from(one))
        }
    };
    let mut ways: Vec<String> = vec![
        value.to_owned(),
        each(&|byte| {
            if is_plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        }),
        each(&|byte| {
            if is_plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02x}")
            }
        }),
        each(&|byte| format!("%{byte:02X}")),
        value.replace(' ', "+").replace('"', "%22"),
        value.replace(' ', "%20").replace('/', "%2f"),
        each(&|byte| format!("{byte:02x}")),
        each(&|byte| format!("{byte:02X}")),
        json.replace('/', "\\/"),
        json.chars().map(ascii).collect(),
        json,
        unicode.to_uppercase().replace("\\U", "\\u"),
        unicode,
        each(&|byte| format!("\\u{:04x}", u32::from(byte))),
    ];
    ways.extend([STANDARD_NO_PAD.encode(value), URL_SAFE_NO_PAD.encode(value)]);
    ways
}

/// Where the digits that say something of a value are, of base64 of so many bytes before it.
pub(super) fn in_base64(before: usize, length: usize) -> Range<usize> {
    before * 8 / 6..((before + length) * 8).div_ceil(6)
}
