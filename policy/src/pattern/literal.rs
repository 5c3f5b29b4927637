//! Patterns that are plain text with or without anchors, found in what the parser made of them.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Plain text to be found: anywhere, or at one or both ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    text: Box<str>,
    case: Case,
    is_at_start: bool,
    is_at_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Sensitive,
    /// The text is folded.
    Ignored,
    /// So it is, and `_` is `-` besides.
    Twins,
}

/// Searching without case is quadratic at worst, so only short texts are searched in that way.
const SEARCHED_IGNORING_CASE_BYTES: usize = 32;

impl Literal {
    /// None when the pattern needs the regex engine.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        let mut pieces = Vec::new();
        flatten(hir, &mut pieces);
        let mut pieces = strip_repetitions(&pieces);
        let is_at_start = take_first(&mut pieces, Look::Start);
        let is_at_end = take_last(&mut pieces, Look::End);
        let (text, case) = plain_text(pieces)?;
        let is_searched = !is_at_start && !is_at_end;
        if is_searched && case != Case::Sensitive && text.len() > SEARCHED_IGNORING_CASE_BYTES {
            return None;
        }
        Some(Self {
            text: text.into(),
            case,
            is_at_start,
            is_at_end,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        let wanted = &*self.text;
        match (self.case, self.is_at_start, self.is_at_end) {
            (Case::Sensitive, true, true) => text == wanted,
            (Case::Sensitive, true, false) => text.starts_with(wanted),
            (Case::Sensitive, false, true) => text.ends_with(wanted),
            (Case::Sensitive, false, false) => text.contains(wanted),
            (Case::Ignored, ..) => self.is_folded_match(text.chars().map(fold)),
            (Case::Twins, ..) => self.is_folded_match(text.chars().map(fold_twin)),
        }
    }

    fn is_folded_match(&self, text: impl DoubleEndedIterator<Item = char> + Clone) -> bool {
        let wanted = self.text.chars();
        match (self.is_at_start, self.is_at_end) {
            (true, true) => text.eq(wanted),
            (true, false) => begins(text, wanted),
            (false, true) => begins(text.rev(), wanted.rev()),
            (false, false) => {
                self.text.is_empty() || {
                    let mut rest = text;
                    std::iter::from_fn(|| {
                        let here = rest.clone();
                        rest.next().map(|_| here)
                    })
                    .any(|here| begins(here, wanted.clone()))
                }
            }
        }
    }
}

fn begins(mut text: impl Iterator<Item = char>, mut wanted: impl Iterator<Item = char>) -> bool {
    wanted.all(|char| text.next() == Some(char))
}

/// ASCII letters in lower case, and the two characters beyond ASCII that Unicode takes for one.
fn fold(char: char) -> char {
    match char {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => char.to_ascii_lowercase(),
    }
}

/// As [`fold`], for names of headers.
fn fold_twin(char: char) -> char {
    match char {
        '_' => '-',
        other => fold(other),
    }
}

fn flatten<'h>(hir: &'h Hir, pieces: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Empty => {}
        // Nobody asks for what it captures.
        HirKind::Capture(capture) => flatten(&capture.sub, pieces),
        HirKind::Concat(parts) => parts.iter().for_each(|part| flatten(part, pieces)),
        HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Alternation(_) => pieces.push(hir),
    }
}

/// What may be absent at an open end of the pattern decides nothing.
fn strip_repetitions<'p, 'h>(mut pieces: &'p [&'h Hir]) -> &'p [&'h Hir] {
    let is_optional = |piece: &Hir| matches!(piece.kind(), HirKind::Repetition(repetition) if repetition.min == 0);
    while let Some((first, rest)) = pieces.split_first()
        && is_optional(first)
    {
        pieces = rest;
    }
    while let Some((last, rest)) = pieces.split_last()
        && is_optional(last)
    {
        pieces = rest;
    }
    pieces
}

fn take_first(pieces: &mut &[&Hir], look: Look) -> bool {
    match pieces.split_first() {
        Some((first, rest)) if *first.kind() == HirKind::Look(look) => {
            *pieces = rest;
            true
        }
        Some(_) | None => false,
    }
}

fn take_last(pieces: &mut &[&Hir], look: Look) -> bool {
    match pieces.split_last() {
        Some((last, rest)) if *last.kind() == HirKind::Look(look) => {
            *pieces = rest;
            true
        }
        Some(_) | None => false,
    }
}

fn plain_text(pieces: &[&Hir]) -> Option<(String, Case)> {
    let mut text = String::new();
    let mut case = Case::Sensitive;
    for piece in pieces {
        match piece.kind() {
            HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Class(class) => {
                if is_twins(class) {
                    case = Case::Twins;
                    text.push('-');
                    continue;
                }
                if case == Case::Sensitive {
                    case = Case::Ignored;
                }
                text.push(folded_letter(class)?);
            }
            HirKind::Empty
            | HirKind::Look(_)
            | HirKind::Repetition(_)
            | HirKind::Capture(_)
            | HirKind::Concat(_)
            | HirKind::Alternation(_) => return None,
        }
    }
    // Letters in either case beside letters in one case only are the engine's.
    let is_uniform = match case {
        Case::Sensitive => true,
        Case::Ignored => pieces.iter().all(|piece| !holds_cased_text(piece)),
        Case::Twins => pieces
            .iter()
            .all(|piece| !holds_cased_text(piece) && !holds_one_twin(piece)),
    };
    is_uniform.then_some((text, case))
}

fn holds_cased_text(piece: &Hir) -> bool {
    holds(piece, |byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
}

fn holds_one_twin(piece: &Hir) -> bool {
    holds(piece, |byte| matches!(byte, b'-' | b'_'))
}

/// Whether there is such a byte in plain text.
fn holds(piece: &Hir, is_such: impl Fn(u8) -> bool) -> bool {
    match piece.kind() {
        HirKind::Literal(literal) => literal.0.iter().copied().any(is_such),
        HirKind::Empty
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Capture(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => false,
    }
}

/// Whether the class holds `-` and `_`, and nothing else.
fn is_twins(class: &Class) -> bool {
    let Class::Unicode(class) = class else {
        return false;
    };
    let ranges = class.ranges().iter();
    ranges
        .map(|range| (range.start(), range.end()))
        .eq([('-', '-'), ('_', '_')])
}

/// The letter whose spellings (all that fold to it, and no others) the class holds.
fn folded_letter(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let mut chars = Vec::new();
    for range in class.ranges() {
        if range.len() > 4 {
            return None;
        }
        chars.extend(range.start()..=range.end());
    }
    let folded = fold(*chars.first()?);
    let spellings = match folded {
        'k' | 's' => 3,
        'a'..='z' => 2,
        _ => return None,
    };
    (chars.len() == spellings && chars.into_iter().all(|char| fold(char) == folded))
        .then_some(folded)
}

#[cfg(test)]
mod tests;
