//! The query string: the `Authorization` parameter and removal without touching another byte.

use std::borrow::Cow;

use super::percent::decoded;
use crate::secret::SecretBytes;

/// The values of the `Authorization` parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// No parameter of that name.
    Nothing,
    /// Parameters, but none with a value.
    Blank,
    /// One value.
    One(SecretBytes),
    /// More than one value.
    Several,
}

const AUTHORIZATION: &[u8] = b"authorization";

/// Whether a parameter (`name=value`) is an `Authorization` parameter: any case, any escapes.
pub(crate) fn is_authorization(parameter: &[u8]) -> bool {
    // Most names differ in the first byte.
    if !matches!(parameter, [b'a' | b'A' | b'%', ..]) {
        return false;
    }
    decoded(name_of(parameter))
        .map(|byte| byte.to_ascii_lowercase())
        .eq(AUTHORIZATION.iter().copied())
}

/// Whether a parameter's decoded name is `name`; `+` may stand for itself or for a space.
pub(crate) fn is_named(parameter: &[u8], name: &[u8]) -> bool {
    let raw = name_of(parameter);
    decoded(raw).eq(name.iter().copied()) || form_decoded(raw).eq(name.iter().copied())
}

/// Whether the query can be passed on: no byte in it ends a request target for some reader.
pub(crate) fn is_sendable(query: &[u8]) -> bool {
    !query
        .iter()
        .any(|&byte| matches!(byte, 0..=b' ' | b'#' | 0x7f))
}

/// What the `Authorization` parameters of a query carry.
pub(crate) fn carried(query: &[u8]) -> Carried {
    let mut carried = Carried::Nothing;
    for parameter in parameters(query).filter(|parameter| is_authorization(parameter)) {
        let value = credential_value(parameter);
        let is_blank = value
            .expose()
            .iter()
            .all(|byte| matches!(byte, b' ' | b'\t'));
        carried = match carried {
            Carried::Nothing | Carried::Blank if is_blank => Carried::Blank,
            Carried::Nothing | Carried::Blank => Carried::One(value),
            kept if is_blank => kept,
            Carried::One(_) | Carried::Several => Carried::Several,
        };
    }
    carried
}

/// Appends a query (with its `?`) less the parameters to drop and plus the given ones at its end.
///
/// A dropped parameter takes one neighbouring `&` along; without a parameter left there is no `?`.
pub(crate) fn rewrite_into<'p>(
    query: Option<&[u8]>,
    is_dropped: &dyn Fn(&[u8]) -> bool,
    appended: impl Iterator<Item = &'p [u8]>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    if let Some(query) = query {
        out.push(b'?');
        copy_kept(query, is_dropped, out);
    }
    for parameter in appended {
        match out.len().saturating_sub(start) {
            0 => out.push(b'?'),
            1 => {}
            _ => out.push(b'&'),
        }
        out.extend_from_slice(parameter);
    }
}

/// Copies the kept parameters; takes the `?` before them back when dropping left none.
fn copy_kept(query: &[u8], is_dropped: &dyn Fn(&[u8]) -> bool, out: &mut Vec<u8>) {
    let start = out.len();
    let mut has_dropped = false;
    let mut has_kept = false;
    let mut is_first = true;
    for parameter in parameters(query) {
        if is_dropped(parameter) {
            has_dropped = true;
            continue;
        }
        if !is_first {
            out.push(b'&');
        }
        is_first = false;
        has_kept |= !parameter.is_empty();
        out.extend_from_slice(parameter);
    }
    if has_dropped && !has_kept {
        out.truncate(start.saturating_sub(1));
    }
}

pub(crate) fn parameters(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|&byte| byte == b'&')
}

/// Decoded name and value of a parameter: `+` is a space, without `=` the value is empty, and what
/// is no UTF-8 becomes U+FFFD.
pub(crate) fn pair(parameter: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    let name = name_of(parameter);
    let value = parameter.get(name.len() + 1..).unwrap_or_default();
    (form_text(name), form_text(value))
}

fn form_text(raw: &[u8]) -> Cow<'_, str> {
    if !raw.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return String::from_utf8_lossy(raw);
    }
    let bytes: Vec<u8> = form_decoded(raw).collect();
    let text = String::from_utf8(bytes);
    Cow::Owned(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

pub(crate) fn name_of(parameter: &[u8]) -> &[u8] {
    parameter
        .split(|&byte| byte == b'=')
        .next()
        .unwrap_or_default()
}

pub(crate) fn form_decoded(raw: &[u8]) -> impl Iterator<Item = u8> + '_ {
    // An escaped plus is a plus, so spaces are put in before the escapes are decoded.
    raw.split_inclusive(|&byte| byte == b'+').flat_map(|run| {
        let (text, space) = match run {
            [text @ .., b'+'] => (text, Some(b' ')),
            text => (text, None),
        };
        decoded(text).chain(space)
    })
}

/// The decoded value. A plus directly after the word `Bearer` or `Basic` is the space that a form
/// encoder wrote; any other plus is a plus.
fn credential_value(parameter: &[u8]) -> SecretBytes {
    let raw = parameter
        .get(name_of(parameter).len() + 1..)
        .unwrap_or_default();
    let value: Vec<u8> = match raw.iter().position(|&byte| byte == b'+') {
        Some(plus) if is_scheme_word(raw.get(..plus).unwrap_or_default()) => {
            let (word, rest) = raw.split_at_checked(plus).unwrap_or((raw, &[]));
            let rest = rest.get(1..).unwrap_or_default();
            decoded(word).chain([b' ']).chain(decoded(rest)).collect()
        }
        Some(_) | None => decoded(raw).collect(),
    };
    SecretBytes::from(value)
}

fn is_scheme_word(raw: &[u8]) -> bool {
    let is = |word: &[u8]| {
        decoded(raw)
            .map(|byte| byte.to_ascii_lowercase())
            .eq(word.iter().copied())
    };
    is(b"bearer") || is(b"basic")
}

#[cfg(test)]
mod tests;
