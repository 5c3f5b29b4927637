//! The media type of a response's body: what its content can be taken apart as.

/// What a `Content-Type` says of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// One JSON text.
    Json,
    /// Server-sent events.
    EventStream,
    /// One JSON text a line.
    Ndjson,
    /// Anything else; also JSON that is not UTF-8, and what cannot be parsed.
    Other,
    /// Nothing.
    Missing,
}

const EVENT_STREAM: &[u8] = b"text/event-stream";
const NDJSON: [&[u8]; 3] = [
    b"application/x-ndjson",
    b"application/ndjson",
    b"application/jsonl",
];
const JSON: [&[u8]; 2] = [b"application/json", b"text/json"];
const JSON_SUFFIX: &[u8] = b"+json";

impl MediaKind {
    /// Parses the value of `Content-Type`, if there is one.
    pub fn parse(header_value: Option<&[u8]>) -> Self {
        let value = header_value.unwrap_or_default().trim_ascii();
        if value.is_empty() {
            return Self::Missing;
        }
        let essence = value.split(|&byte| byte == b';').next().unwrap_or(value);
        let kind = of_essence(essence.trim_ascii());
        let parameters = value.get(essence.len()..).unwrap_or_default();
        if kind != Self::Other && is_utf8(parameters) {
            kind
        } else {
            Self::Other
        }
    }

    /// Whether the body is a stream of records, which has no end that one could wait for.
    pub fn is_stream(self) -> bool {
        match self {
            Self::EventStream | Self::Ndjson => true,
            Self::Json | Self::Other | Self::Missing => false,
        }
    }
}

fn of_essence(essence: &[u8]) -> MediaKind {
    let is = |name: &&[u8]| essence.eq_ignore_ascii_case(name);
    if is(&EVENT_STREAM) {
        MediaKind::EventStream
    } else if NDJSON.iter().any(is) {
        MediaKind::Ndjson
    } else if JSON.iter().any(is) || has_json_suffix(essence) {
        MediaKind::Json
    } else {
        MediaKind::Other
    }
}

/// Whether this is `type/subtype+json` (RFC 6839 §3.1).
fn has_json_suffix(essence: &[u8]) -> bool {
    let mut halves = essence.splitn(2, |&byte| byte == b'/');
    let (top, sub) = (
        halves.next().unwrap_or_default(),
        halves.next().unwrap_or_default(),
    );
    let name_bytes = sub.len().saturating_sub(JSON_SUFFIX.len());
    let (name, suffix) = sub.split_at_checked(name_bytes).unwrap_or_default();
    suffix.eq_ignore_ascii_case(JSON_SUFFIX) && is_token(top) && is_token(name)
}

fn is_token(text: &[u8]) -> bool {
    let is_token_byte =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_token_byte)
}

/// Whether none of the parameters (`;name=value`, each) names another charset than UTF-8. Those that
/// cannot be parsed might.
fn is_utf8(mut rest: &[u8]) -> bool {
    while let Some((_, parameter)) = rest.split_first() {
        let Some((name, value, after)) = split_parameter(parameter) else {
            return false;
        };
        // JSON is UTF-8 (RFC 8259 §8.1), and so are events: anything else cannot be filtered.
        if name.eq_ignore_ascii_case(b"charset")
            && !value.eq_ignore_ascii_case(b"utf-8")
            && !value.eq_ignore_ascii_case(b"utf8")
        {
            return false;
        }
        rest = after;
    }
    true
}

/// Name and value of the parameter at the start, and what follows from its `;` on.
fn split_parameter(text: &[u8]) -> Option<(&[u8], Vec<u8>, &[u8])> {
    let text = text.trim_ascii_start();
    let name_bytes = text.iter().position(|byte| matches!(byte, b'=' | b';'));
    let (name, rest) = text.split_at_checked(name_bytes.unwrap_or(text.len()))?;
    let (value, after) = match rest {
        [b'=', b'"', quoted @ ..] => unquote(quoted)?,
        [b'=', plain @ ..] => {
            let end = plain.iter().position(|&byte| byte == b';');
            let (value, after) = plain.split_at_checked(end.unwrap_or(plain.len()))?;
            (value.trim_ascii().to_vec(), after)
        }
        after => (Vec::new(), after),
    };
    let after = after.trim_ascii_start();
    matches!(after, [] | [b';', ..]).then_some((name.trim_ascii(), value, after))
}

/// The text up to the closing quote, without its backslashes, and what follows.
fn unquote(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    loop {
        rest = match rest {
            [b'"', after @ ..] => return Some((text, after)),
            [b'\\', byte, after @ ..] | [byte, after @ ..] => {
                text.push(*byte);
                after
            }
            [] => return None,
        };
    }
}

#[cfg(test)]
mod tests;
