//! The request's body as a JSON document, or as something that holds no nodes, or as something
//! that must not pass a body condition.
//!
//! Whoever reads the body behind us may be more lenient than we are. So what could be JSON to
//! anybody is JSON to us as well, or unreadable, and only what cannot be JSON has no nodes.

mod sniff;

use std::borrow::Cow;

use self::sniff::starts_like_json;
use crate::{
    coding::{Coding, DecodeError, decode_in_turns},
    effort::Effort,
    http::{HeaderLine, name::is_twin},
    memory::NoMemory,
    shares::Holder,
};

/// A request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Document<'a> {
    /// Says it is JSON, or starts like it.
    Text(Cow<'a, str>),
    /// No JSON to anybody.
    NoNodes,
    /// In a coding or an encoding that we cannot take off.
    Unreadable,
}

/// Most that a compressed body may decode to. (An uncompressed one is bounded by the proxy.)
const DECODED_BYTES: usize = 1 << 20;
/// To see whether they are UTF-8.
const BYTES_CHECKED_A_STEP: usize = 8;

impl<'a> Document<'a> {
    /// Reads a whole body that came with these header lines.
    pub(super) async fn read(
        (body, holder): (&'a [u8], Option<Holder>),
        headers: &[HeaderLine<'_>],
        effort: &mut Effort,
    ) -> Result<Self, NoMemory> {
        let Some(decoded) = decode((body, holder), headers, effort).await? else {
            return Ok(Self::Unreadable);
        };
        let types = || values(headers, b"content-type");
        if decoded.is_empty() || !(types().any(says_json) || starts_like_json(&decoded)) {
            return Ok(Self::NoNodes);
        }
        if types().any(names_another_charset) {
            return Ok(Self::Unreadable);
        }
        effort.tire(decoded.len() / BYTES_CHECKED_A_STEP);
        let text = match decoded {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        Ok(text.map_or(Self::Unreadable, Self::Text))
    }
}

/// None when the body cannot be decoded, or when it is JSON without being decoded: a target that
/// ignores the coding would read that.
async fn decode<'a>(
    (body, holder): (&'a [u8], Option<Holder>),
    headers: &[HeaderLine<'_>],
    effort: &mut Effort,
) -> Result<Option<Cow<'a, [u8]>>, NoMemory> {
    let codings: Vec<&[u8]> = values(headers, b"content-encoding").collect();
    if body.is_empty() {
        return Ok(Some(Cow::Borrowed(body)));
    }
    let Ok(coding) = Coding::parse(&codings.join(&b","[..])) else {
        return Ok(None);
    };
    if coding.is_identity() {
        return Ok(Some(Cow::Borrowed(body)));
    }
    // A lone number is no reading to be afraid of: an empty stream in brotli is the byte `7`.
    let has_structure = body.iter().any(|byte| b"{[\"".contains(byte));
    if has_structure && starts_like_json(body) && std::str::from_utf8(body).is_ok() {
        return Ok(None);
    }
    let decoded = decode_in_turns((&coding, holder), body, DECODED_BYTES, effort).await;
    match decoded {
        Ok(content) => Ok(Some(Cow::Owned(content))),
        Err(DecodeError::NoMemory(none)) => Err(none),
        Err(
            DecodeError::UnknownCoding(_)
            | DecodeError::Corrupt
            | DecodeError::Truncated
            | DecodeError::TooLarge,
        ) => Ok(None),
    }
}

fn values<'h>(headers: &'h [HeaderLine<'h>], name: &'h [u8]) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.iter();
    lines.filter_map(move |(other, value)| is_twin(other, name).then_some(*value))
}

/// `application/json`, `text/json`, `*/*+json` and whatever else names JSON.
fn says_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|&byte| byte == b';').next();
    essence
        .unwrap_or_default()
        .windows(4)
        .any(|window| window.eq_ignore_ascii_case(b"json"))
}

/// Whether the text is to be read as something else than UTF-8.
fn names_another_charset(content_type: &[u8]) -> bool {
    const UTF_8: [&[u8]; 4] = [b"utf-8", b"utf8", b"us-ascii", b"ascii"];
    let mut parameters = content_type.split(|&byte| byte == b';').skip(1);
    parameters.any(|parameter| {
        let mut halves = parameter.splitn(2, |&byte| byte == b'=');
        let name = halves.next().unwrap_or_default().trim_ascii();
        let value = halves.next().unwrap_or_default();
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b'\t');
        let value: Vec<u8> = value
            .iter()
            .copied()
            .filter(|byte| !is_quote(byte))
            .collect();
        name.eq_ignore_ascii_case(b"charset")
            && !UTF_8.iter().any(|known| value.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests;
