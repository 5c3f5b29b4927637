//! From the text of strings to what they say.

use std::borrow::Cow;

/// Appends what a string says (its text without the quotes, already validated).
///
/// A surrogate that is not part of a pair is put as the three bytes that its code point would have:
/// such a string equals none that is Unicode, and two of them are equal when they say the same.
pub(crate) fn unescape_into(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        rest = unescape_one(escape, out);
    }
    out.extend_from_slice(rest);
}

/// The value of a node as patterns and meters see it: a string decoded, with U+FFFD for lone
/// surrogates; anything else as it stands.
pub(crate) fn value_text(json: &str) -> Cow<'_, str> {
    let Some(raw) = json.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) else {
        return Cow::Borrowed(json);
    };
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    unescape_into(raw.as_bytes(), &mut bytes);
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(invalid) => lossy(invalid.as_bytes()),
    })
}

/// What [`unescape_into`] made as text: U+FFFD for each lone surrogate.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (valid, behind) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, None),
            Err(invalid) => {
                let (valid, behind) = rest
                    .split_at_checked(invalid.valid_up_to())
                    .unwrap_or((rest, &[]));
                (std::str::from_utf8(valid).unwrap_or_default(), Some(behind))
            }
        };
        text.push_str(valid);
        rest = match behind {
            Some(surrogate) => {
                text.push(char::REPLACEMENT_CHARACTER);
                // As many bytes as `push_code_point` makes of one.
                surrogate.get(3..).unwrap_or_default()
            }
            None => &[],
        };
    }
    text
}

/// Decodes the escape at the start; returns what follows it.
fn unescape_one<'r>(escape: &'r [u8], out: &mut Vec<u8>) -> &'r [u8] {
    let (byte, rest) = match escape {
        [b'\\', b'u', rest @ ..] => return unescape_unit(rest, out),
        [b'\\', byte, rest @ ..] => (*byte, rest),
        _ => return &[],
    };
    out.push(match byte {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    });
    rest
}

fn unescape_unit<'r>(digits: &'r [u8], out: &mut Vec<u8>) -> &'r [u8] {
    let Some((unit, rest)) = hex_unit(digits) else {
        return &[];
    };
    if let (0xd800..=0xdbff, Some((low @ 0xdc00..=0xdfff, behind))) =
        (unit, rest.strip_prefix(b"\\u").and_then(hex_unit))
    {
        push_code_point(0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff), out);
        return behind;
    }
    push_code_point(unit, out);
    rest
}

fn hex_unit(digits: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = digits.split_at_checked(4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

fn push_code_point(code: u32, out: &mut Vec<u8>) {
    if let Some(char) = char::from_u32(code) {
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    let low = |shift: u32| u8::try_from((code >> shift) & 0x3f).unwrap_or_default();
    out.extend_from_slice(&[0xed, 0x80 | low(6), 0x80 | low(0)]);
}

#[cfg(test)]
mod tests;
