//! The text that is signed: words as they are, and parts of the request.

use crate::{
    http::name::is_twin,
    sign::{CannotSign, Outgoing, hex},
};

/// The latest moment that somebody could mean, in seconds: the end of the year 9999.
const LAST_MS: u64 = 253_402_300_799_999;

/// A text with parts of a request in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template(Box<[Piece]>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Method,
    Path,
    Query,
    Timestamp,
    /// In lower case.
    Header(Box<str>),
    BodySha256,
}

/// Not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTemplate {
    /// A brace without its end.
    #[error("a brace is not closed")]
    Open,
    /// Nothing of that name can be put in.
    #[error("`{{{0}}}` is not known")]
    Unknown(String),
    /// Nobody knows yet what Envoy will send for it.
    #[error("header `{0}` cannot be signed")]
    Header(String),
}

/// Envoy writes these after the signature is made, or not at all.
const LATE_HEADERS: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-request-id",
];

impl Template {
    /// `{method}`, `{path}`, `{query}`, `{timestamp}`, `{header:x}` and `{bodySha256}` are put in;
    /// all else is text.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').ok_or(InvalidTemplate::Open)?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(Piece::named(name)?);
            rest = tail;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Self(pieces.into()))
    }

    /// The headers that it names, in lower case.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Header(name) => Some(&**name),
            Piece::Text(_)
            | Piece::Method
            | Piece::Path
            | Piece::Query
            | Piece::Timestamp
            | Piece::BodySha256 => None,
        })
    }

    pub(crate) fn reads_body(&self) -> bool {
        self.0.contains(&Piece::BodySha256)
    }

    /// The text for a request; the time in seconds, with the header it goes into.
    pub(super) fn fill(
        &self,
        request: &Outgoing<'_>,
        (seconds, of_time): (&str, Option<&str>),
    ) -> Result<Vec<u8>, CannotSign> {
        // A host without a clock says the far future.
        if request.now_ms > LAST_MS {
            return Err(CannotSign);
        }
        let (path, query) = request.path_and_query();
        let mut text = Vec::with_capacity(256);
        for piece in &self.0 {
            match piece {
                Piece::Text(words) => text.extend_from_slice(words.as_bytes()),
                Piece::Method => text.extend_from_slice(request.method),
                Piece::Path => text.extend_from_slice(path),
                Piece::Query => text.extend_from_slice(query),
                Piece::Timestamp => text.extend_from_slice(seconds.as_bytes()),
                Piece::Header(name) if of_time == Some(&**name) => {
                    text.extend_from_slice(seconds.as_bytes());
                }
                Piece::Header(name) => header_into(request, name, &mut text)?,
                Piece::BodySha256 => {
                    let digest = request.body_sha256.ok_or(CannotSign)?;
                    text.extend_from_slice(hex(&digest).as_bytes());
                }
            }
        }
        Ok(text)
    }
}

impl Piece {
    fn named(name: &str) -> Result<Self, InvalidTemplate> {
        Ok(match name {
            "method" => Self::Method,
            "path" => Self::Path,
            "query" => Self::Query,
            "timestamp" => Self::Timestamp,
            "bodySha256" => Self::BodySha256,
            _ => match name.strip_prefix("header:") {
                Some(header) => Self::header(header)?,
                None => return Err(InvalidTemplate::Unknown(name.to_owned())),
            },
        })
    }

    fn header(name: &str) -> Result<Self, InvalidTemplate> {
        let lower = name.to_ascii_lowercase();
        if lower.is_empty() || LATE_HEADERS.contains(&&*lower) {
            return Err(InvalidTemplate::Header(name.to_owned()));
        }
        Ok(Self::Header(lower.into()))
    }
}

/// Several lines are one, as those who read it take them (RFC 9110 §5.3).
fn header_into(request: &Outgoing<'_>, name: &str, text: &mut Vec<u8>) -> Result<(), CannotSign> {
    if name == "host" {
        text.extend_from_slice(request.host);
        return Ok(());
    }
    let is_other = |other: &[u8]| other != name.as_bytes() && is_twin(other, name.as_bytes());
    // The target may take a twin for it, which nobody signed.
    if request.headers.iter().any(|(other, _)| is_other(other)) {
        return Err(CannotSign);
    }
    let lines = request.headers.iter();
    let lines = lines.filter(|(other, _)| *other == name.as_bytes());
    for (place, (_, value)) in lines.enumerate() {
        if place > 0 {
            text.extend_from_slice(b", ");
        }
        text.extend_from_slice(value.trim_ascii());
    }
    Ok(())
}
