//! The request's body as a JSON document, or as something that holds no nodes, or as something
//! that must not pass a body condition.
//!
//! Whoever reads the body behind us may be more lenient than we are. So what could be JSON to
//! anybody is JSON to us as well, or must not pass a condition of which such a reader could find
//! nodes; only what cannot be JSON has none.

pub(super) mod loose;
mod sniff;

use std::borrow::Cow;

use self::{loose::could_be_json, sniff::starts_like_json};
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
    /// JSON, if it is as strict as we are.
    Text {
        text: Cow<'a, str>,
        /// Says that it is JSON: then it must be.
        claims_json: bool,
    },
    /// JSON to lenient readers at most.
    Loose(Cow<'a, [u8]>),
    /// No JSON to anybody.
    NoNodes,
    /// In a coding that we cannot take off, or claims to be JSON and is no text.
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
        let claims_json = types().any(says_json);
        effort.tire(decoded.len() / BYTES_CHECKED_A_STEP);
        if decoded.is_empty() || !(claims_json || could_be_json(&decoded)) {
            return Ok(Self::NoNodes);
        }
        let is_told = !types().any(names_another_charset);
        let text = if is_told { text(decoded) } else { Err(decoded) };
        Ok(match text {
            Ok(text) => Self::Text { text, claims_json },
            Err(_) if claims_json => Self::Unreadable,
            Err(bytes) => Self::Loose(bytes),
        })
    }
}

/// The bytes as UTF-8, or as they are.
fn text(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Cow<'_, [u8]>> {
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(|_| Cow::Borrowed(bytes)),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|error| Cow::Owned(error.into_bytes())),
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
    // Lines of one name are one list (RFC 9110 §5.3).
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
    // A target behind CGI takes a twin for the header.
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
