//! Where a text that is JSON to somebody begins.

/// What a text begins with, behind blanks and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root<'t> {
    /// Nothing that is JSON to anybody.
    Nothing,
    /// One scalar or more, and no container.
    Scalars,
    /// A container, perhaps behind scalars: from there on.
    Container(&'t str),
}

const WORDS: [&str; 9] = [
    "true",
    "false",
    "null",
    // From here on JavaScript's and Python's.
    "undefined",
    "NaN",
    "True",
    "False",
    "None",
    "Infinity",
];

/// What ends a comment of one line, to one reader or another.
pub(super) const COMMENT_ENDS: [&[char]; 3] = [
    &['\n', '\r', '\u{2028}', '\u{2029}'],
    &['\n', '\r'],
    &['\n'],
];

/// To the reader who finds the most.
pub(super) fn root(text: &str) -> Root<'_> {
    let roots = COMMENT_ENDS.map(|ends| root_to(text, ends));
    let most = |root: &Root<'_>| match root {
        Root::Nothing => (0, 0),
        Root::Scalars => (1, 0),
        Root::Container(text) => (2, text.len()),
    };
    roots.into_iter().max_by_key(most).unwrap_or(Root::Nothing)
}

fn root_to<'t>(text: &'t str, comment_ends: &[char]) -> Root<'t> {
    let mut rest = text;
    let (mut has_any, mut has_string) = (false, false);
    loop {
        rest = without_blanks(rest, comment_ends);
        let behind = match rest.chars().next() {
            Some('{' | '[') => return Root::Container(rest),
            Some(quote @ ('"' | '\'' | '`')) => {
                has_string = true;
                behind_string(rest, quote)
            }
            Some(_) => behind_word(rest),
            None => None,
        };
        has_any = has_any || behind.is_some();
        rest = match behind {
            Some(behind) => behind,
            // The first text is one, whatever follows. A number or word is, if nothing else follows.
            None if has_string || (has_any && rest.is_empty()) => return Root::Scalars,
            None => return Root::Nothing,
        };
    }
}

/// Whether a value or a comment may begin so.
pub(super) fn may_begin(first: char) -> bool {
    "{[\"'`/#+-.0123456789tfnuTFNI".contains(first)
}

/// What readers pass over between tokens: also marks.
pub(super) fn is_blank(one: char) -> bool {
    one <= ' ' || one.is_whitespace() || "\u{feff}\u{fffe}".contains(one)
}

/// What follows blanks and comments.
pub(super) fn without_blanks<'t>(text: &'t str, comment_ends: &[char]) -> &'t str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_blank);
        let inside = rest.strip_prefix("//").or_else(|| rest.strip_prefix('#'));
        if let Some(inside) = inside {
            let end = inside.find(comment_ends);
            rest = end.and_then(|end| inside.get(end..)).unwrap_or_default();
        } else if let Some(inside) = rest.strip_prefix("/*") {
            rest = inside.split_once("*/").map_or("", |(_, behind)| behind);
        } else {
            return rest;
        }
    }
}

fn behind_string(text: &str, quote: char) -> Option<&str> {
    let mut chars = text.chars();
    chars.next();
    while let Some(one) = chars.next() {
        if one == '\\' {
            chars.next();
        } else if one == quote {
            return Some(chars.as_str());
        }
    }
    None
}

/// Behind a number, or a word that is a value, if nothing else touches it.
fn behind_word(text: &str) -> Option<&str> {
    let is_of_word = |one: char| one.is_ascii_alphanumeric() || "+-._".contains(one);
    let behind = text.trim_start_matches(is_of_word);
    let word = text.strip_suffix(behind)?;
    let unsigned = word.trim_start_matches(['+', '-']);
    let is_number = unsigned.starts_with(|one: char| one.is_ascii_digit() || one == '.')
        && (unsigned.starts_with("0x")
            || unsigned.starts_with("0X")
            || unsigned.parse::<f64>().is_ok());
    let is_apart = match behind.chars().next() {
        None | Some('{' | '[' | '"' | '\'' | '/' | '#') => true,
        Some(one) => one <= ' ' || one.is_whitespace(),
    };
    ((is_number || WORDS.contains(&unsigned)) && is_apart).then_some(behind)
}
