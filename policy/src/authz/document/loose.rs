//! What some reader could find in a body that is not JSON for sure, and does not claim to be.
//!
//! Readers of JSON5, of JSON with comments, quotes of other kinds or none, other separators, faults
//! or more text behind the end; of UTF-16 and UTF-32; such as replace what is no text, or drop it. A
//! root needs its braces or brackets. Nothing is built: a member may be there when its name, written
//! in any way, stands before a separator.

mod root;
mod spelling;

use std::borrow::Cow;

use self::{
    root::{COMMENT_ENDS, Root, is_blank, may_begin, root, without_blanks},
    spelling::spellings,
};
use crate::{
    effort::Effort,
    json::path::{JsonPath, Segment, Selector},
};

/// Bytes that are looked at for one layer, and for one path, which is done at once. What is beyond may
/// be anything.
const MAX_LOOKED_AT: usize = 64 << 20;
const MAX_LOOKED_AT_ONCE: usize = 8 << 20;
/// A name as long as this stands before a separator in no binary by chance: it is looked for in all of
/// the text, whatever readers stop at.
const TELLING_BYTES: usize = 3;
/// To look for a name in them.
const BYTES_A_STEP: usize = 8;

/// Whether some reader could take the body for JSON.
pub(super) fn could_be_json(body: &[u8]) -> bool {
    READINGS
        .into_iter()
        .filter_map(|(decode, _)| decode(body))
        .any(|text| root(&text) != Root::Nothing)
}

/// Which of the paths could select something, to some reader.
pub(in crate::authz) async fn suspected(
    paths: &[JsonPath],
    body: &[u8],
    effort: &mut Effort,
) -> Box<[bool]> {
    let mut left = MAX_LOOKED_AT;
    let mut suspected: Box<[bool]> = paths.iter().map(|_| false).collect();
    // One after the other: each takes memory.
    for (decode, is_end) in READINGS {
        let Some(text) = decode(body) else {
            continue;
        };
        effort.tire(text.len() / BYTES_A_STEP);
        let Some(look) = Look::new(root(&text), is_end) else {
            continue;
        };
        for (path, is_suspected) in paths.iter().zip(&mut suspected) {
            effort.rest().await;
            let before = left.min(MAX_LOOKED_AT_ONCE);
            let mut rest = before;
            *is_suspected = *is_suspected || look.may_have(path, &mut rest);
            let looked_at = before.saturating_sub(rest);
            left = left.saturating_sub(looked_at);
            effort.tire(looked_at / BYTES_A_STEP);
        }
    }
    suspected
}

/// None where the text would not begin as JSON does: so most uploads are not decoded at all.
type Decode = fn(&[u8]) -> Option<Cow<'_, str>>;
/// Whether a reader stops there.
type IsEnd = fn(char) -> bool;

/// What is no text is replaced by most readers, which then stop there, unless it stands in a string
/// or a comment. Some drop it instead; those stop at what only Hjson could go on with.
const READINGS: [(Decode, IsEnd); 6] = [
    (narrow, is_lost),
    (dropping, is_wrong),
    (|body| wide(body, u16::from_le_bytes), is_lost),
    (|body| wide(body, u16::from_be_bytes), is_lost),
    (|body| wider(body, u32::from_le_bytes), is_lost),
    (|body| wider(body, u32::from_be_bytes), is_lost),
];

fn is_lost(one: char) -> bool {
    one == char::REPLACEMENT_CHARACTER
}

fn is_wrong(one: char) -> bool {
    (one.is_control() && !one.is_ascii_whitespace()) || "!%&()*<>?@^|~".contains(one)
}

fn narrow(body: &[u8]) -> Option<Cow<'_, str>> {
    // Blanks beyond ASCII, and what is no text, are passed over byte by byte.
    let mut bytes = body.iter().copied();
    let first = bytes.find(|byte| *byte > b' ' && byte.is_ascii())?;
    may_begin(first.into()).then(|| String::from_utf8_lossy(body))
}

/// None where there is nothing to drop.
fn dropping(body: &[u8]) -> Option<Cow<'_, str>> {
    match narrow(body)? {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text.replace(char::REPLACEMENT_CHARACTER, "").into()),
    }
}

fn wide(body: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Cow<'_, str>> {
    let units = body.as_chunks().0.iter().map(|bytes| unit(*bytes));
    let chars = char::decode_utf16(units);
    collected(chars.map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)))
}

fn wider(body: &[u8], unit: fn([u8; 4]) -> u32) -> Option<Cow<'_, str>> {
    let units = body.as_chunks().0.iter().map(|bytes| unit(*bytes));
    collected(units.map(|one| char::from_u32(one).unwrap_or(char::REPLACEMENT_CHARACTER)))
}

fn collected(chars: impl Iterator<Item = char> + Clone) -> Option<Cow<'static, str>> {
    let first = chars.clone().find(|one| !is_blank(*one))?;
    may_begin(first).then(|| chars.collect::<String>().into())
}

/// One text, from its container on; without one, nothing is in it.
#[derive(Default)]
struct Look<'t> {
    /// The ways in which names may be spelled in it.
    spellings: Vec<Cow<'t, str>>,
    /// The same of the part that readers get to, if that is not all.
    readable: Option<Vec<Cow<'t, str>>>,
    has_content: bool,
    has_array: bool,
}

impl<'t> Look<'t> {
    fn new(root: Root<'t>, is_end: IsEnd) -> Option<Self> {
        match root {
            Root::Nothing => None,
            Root::Scalars => Some(Self::default()),
            Root::Container(text) => {
                let end = visible_end(text, is_end);
                let before = end.and_then(|end| text.get(..end));
                Some(Self {
                    has_content: has_content(before.unwrap_or(text), before.is_some()),
                    has_array: before.unwrap_or(text).contains('['),
                    spellings: spellings(text),
                    readable: before.map(spellings),
                })
            }
        }
    }

    fn may_have(&self, path: &JsonPath, left: &mut usize) -> bool {
        let segments = path.segments();
        segments.is_empty()
            || (self.has_content
                && segments
                    .iter()
                    .all(|segment| self.may_have_any(segment, left)))
    }

    fn may_have_any(&self, segment: &Segment, left: &mut usize) -> bool {
        segment.selectors.iter().any(|selector| match selector {
            Selector::Name(name) => self.may_name(name, left),
            Selector::Index(_) | Selector::Slice { .. } => self.has_array,
            Selector::Any | Selector::Filter(_) => true,
        })
    }

    fn may_name(&self, name: &str, left: &mut usize) -> bool {
        let is_lost = |one: char| one.is_control() || one == char::REPLACEMENT_CHARACTER;
        // Readers replace or drop such characters, so what is left of the name nobody knows.
        if name.is_empty() || name.contains(is_lost) {
            return true;
        }
        let all = &self.spellings;
        let texts = match &self.readable {
            Some(readable) if name.len() < TELLING_BYTES => readable,
            Some(_) | None => all,
        };
        texts.iter().any(|text| names(text, name, left))
    }
}

/// Where such a character is that neither stands in a string or a comment nor begins one.
fn visible_end(text: &str, is_end: IsEnd) -> Option<usize> {
    let (end, found) = text.char_indices().find(|(_, one)| is_end(*one))?;
    let seen = text.get(..end.saturating_add(found.len_utf8()))?;
    let is_hidden =
        seen.contains(['"', '\'', '`', '#']) || seen.contains("//") || seen.contains("/*");
    (!is_hidden).then_some(end)
}

/// Whether something is in the container that `text` begins with. Where it is `cut`, what was begun
/// before the cut is nothing.
fn has_content(text: &str, is_cut: bool) -> bool {
    let mut chars = text.chars();
    chars.next();
    let rest = chars.as_str();
    let is_something = |one: char| !one.is_whitespace() && !"}],;".contains(one);
    let is_end = |one: char| "{}[],;:=\n".contains(one);
    rest.contains(is_something) && (!is_cut || rest.contains(is_end))
}

/// Whether the name stands before a separator somewhere; true when there is nothing left to look with.
fn names(text: &str, name: &str, left: &mut usize) -> bool {
    let mut rest = text;
    let mut last = None;
    while let Some((before, after)) = rest.split_once(name) {
        let Some(less) = left.checked_sub(before.len().saturating_add(name.len())) else {
            return true;
        };
        *left = less;
        last = before.chars().next_back().or(last);
        // Behind a letter or digit it is the end of another name.
        let is_whole = !last.is_some_and(char::is_alphanumeric);
        if is_whole {
            for comment_ends in COMMENT_ENDS {
                let behind = behind_name(after, comment_ends);
                let Some(less) = left.checked_sub(after.len().saturating_sub(behind.len())) else {
                    return true;
                };
                *left = less;
                if behind.starts_with([':', '=']) {
                    return true;
                }
            }
        }
        // The name may overlap with itself.
        let (Some(from), Some(first)) = (rest.get(before.len()..), name.chars().next()) else {
            return true;
        };
        last = Some(first);
        rest = from.get(first.len_utf8()..).unwrap_or_default();
    }
    *left = left.saturating_sub(rest.len());
    false
}

/// What follows the end of a name, blanks, comments, and what some readers take for a part of these.
fn behind_name<'t>(text: &'t str, comment_ends: &[char]) -> &'t str {
    let mut rest = without_blanks(text.trim_start_matches(['"', '\'', '`']), comment_ends);
    while let Some(behind) = rest.strip_prefix(['*', '/']) {
        rest = without_blanks(behind, comment_ends);
    }
    rest
}

#[cfg(test)]
mod tests;
