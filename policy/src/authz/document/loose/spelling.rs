//! The ways in which a name may stand in a text.

use std::borrow::Cow;

/// What ends a line, to JSON5 too (ECMA-262 §12.3).
const LINE_ENDS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

/// The text as it is; and, where that differs, with every escape decoded and without what readers
/// may drop. A backslash at the end of a line is dropped with that in strings, but not in comments.
pub(super) fn spellings(text: &str) -> Vec<Cow<'_, str>> {
    let mut spellings = vec![Cow::Borrowed(text)];
    if !text.contains(|one| one == '\\' || is_dropped(one)) {
        return spellings;
    }
    // Before escapes are looked for: it may stand within one.
    let kept: String = text.chars().filter(|one| !is_dropped(*one)).collect();
    spellings.push(decoded(&kept, "").into());
    let ends_lines = |(at, _): (usize, &str)| {
        kept.get(at + 1..)
            .is_some_and(|it| it.starts_with(LINE_ENDS))
    };
    if kept.match_indices('\\').any(ends_lines) {
        spellings.push(decoded(&kept, "\n").into());
    }
    spellings
}

fn is_dropped(one: char) -> bool {
    one == char::REPLACEMENT_CHARACTER || (one.is_control() && !one.is_ascii_whitespace())
}

fn decoded(text: &str, line_end: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut high = None;
    let mut rest = text;
    while let Some(one) = rest.chars().next() {
        let behind = rest.get(one.len_utf8()..).unwrap_or_default();
        if one != '\\' {
            out.push(one);
            rest = behind;
            continue;
        }
        // Whether a backslash before it takes an escape its meaning depends on where a string began.
        if let Some((code, behind)) = code_point(behind) {
            push(&mut out, &mut high, code);
            rest = behind;
        } else if let Some(behind) = behind.strip_prefix(LINE_ENDS) {
            out.push_str(line_end);
            rest = behind.strip_prefix('\n').unwrap_or(behind);
        } else if behind.starts_with('\\')
            && code_point(behind.get(1..).unwrap_or_default()).is_none()
        {
            out.push('\\');
            rest = behind.get(1..).unwrap_or_default();
        } else {
            rest = behind;
        }
    }
    out
}

/// A half of a pair waits for the other.
fn push(out: &mut String, high: &mut Option<u32>, code: u32) {
    match (high.take(), code) {
        (_, 0xd800..=0xdbff) => *high = Some(code),
        (Some(high), 0xdc00..=0xdfff) => {
            let pair = 0x1_0000 + (((high & 0x3ff) << 10) | (code & 0x3ff));
            out.extend(char::from_u32(pair));
        }
        (_, code) => out.extend(char::from_u32(code).filter(|one| !is_dropped(*one))),
    }
}

/// `uXXXX`, `u{X}`, `UXXXXXXXX`, `xXX`, or up to three octal digits, and what follows.
fn code_point(text: &str) -> Option<(u32, &str)> {
    let hex = |behind: &'_ str, length: usize| {
        let digits = behind.get(..length)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
    };
    if let Some(behind) = text.strip_prefix("u{") {
        let (digits, behind) = behind.split_once('}')?;
        let code = hex(digits, digits.len()).filter(|_| digits.len() <= 8)?;
        return Some((code, behind));
    }
    for (letter, length) in [('u', 4), ('U', 8), ('x', 2)] {
        if let Some(behind) = text.strip_prefix(letter) {
            return Some((hex(behind, length)?, behind.get(length..)?));
        }
    }
    let behind = text.trim_start_matches(|one| matches!(one, '0'..='7'));
    let digits = text.len().saturating_sub(behind.len()).min(3);
    let code = u32::from_str_radix(text.get(..digits)?, 8).ok()?;
    Some((code, text.get(digits..)?))
}
