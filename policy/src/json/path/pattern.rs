//! I-Regexp (RFC 9485) on top of the `regex` crate: linear in the text, bounded in size.

use regex::{Regex, RegexBuilder};

/// Bytes of a compiled pattern.
const MAX_PROGRAM_BYTES: usize = 64 * 1024;
/// Groups in each other.
const MAX_GROUPS: u32 = 32;
/// Bytes of a pattern.
pub(super) const MAX_PATTERN_BYTES: usize = 1024;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct RegexPattern(Regex);

impl RegexPattern {
    /// `is_whole` is `match`, else `search`.
    pub(crate) fn new(pattern: &str, is_whole: bool) -> Option<Self> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return None;
        }
        let translated = translate(pattern);
        let anchored = if is_whole {
            // In a group: of alternatives an anchor would be the first's or the last's only.
            format!(r"\A(?:{translated})\z")
        } else {
            translated
        };
        RegexBuilder::new(&anchored)
            .size_limit(MAX_PROGRAM_BYTES)
            .dfa_size_limit(MAX_PROGRAM_BYTES)
            .nest_limit(MAX_GROUPS)
            .build()
            .ok()
            .map(Self)
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// A dot of I-Regexp is neither line feed nor carriage return; the crate's only the former.
fn translate(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    let mut is_in_class = false;
    for char in pattern.chars() {
        if char == '.' && !is_escaped && !is_in_class {
            translated.push_str(r"[^\n\r]");
        } else {
            translated.push(char);
        }
        match char {
            '[' if !is_escaped => is_in_class = true,
            ']' if !is_escaped => is_in_class = false,
            _ => {}
        }
        is_escaped = char == '\\' && !is_escaped;
    }
    translated
}
