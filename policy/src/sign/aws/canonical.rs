//! The canonical request: one text for all ways to write a request.

use crate::{
    http::{
        percent::{decoded, encode_into},
        query::{form_decoded, name_of, parameters},
    },
    sign::Outgoing,
};

/// How a service reads paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathStyle {
    /// As the name of an object, escaped once: nothing in it is put in order.
    Plain,
    /// As it is sent, escaped once more; several slashes are one.
    Twice,
}

pub(super) struct Canonical {
    pub(super) text: Vec<u8>,
    /// Their names, as `Authorization` lists them.
    pub(super) signed_headers: String,
}

type Line<'a> = (&'a [u8], &'a [u8]);

impl Canonical {
    /// `headers` are those that are signed, in any order; `payload` stands for the body.
    pub(super) fn of(
        request: &Outgoing<'_>,
        (style, headers): (PathStyle, &[Line<'_>]),
        payload: &str,
    ) -> Self {
        let (path, query) = request.path_and_query();
        let mut text = Vec::with_capacity(1024);
        text.extend_from_slice(request.method);
        text.push(b'\n');
        path_into(path, style, &mut text);
        text.push(b'\n');
        query_into(query, &mut text);
        text.push(b'\n');
        let signed_headers = headers_into(headers, &mut text);
        text.push(b'\n');
        text.extend_from_slice(signed_headers.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(payload.as_bytes());
        Self {
            text,
            signed_headers,
        }
    }
}

fn path_into(path: &[u8], style: PathStyle, out: &mut Vec<u8>) {
    let start = out.len();
    for segment in path.split(|byte| *byte == b'/') {
        match style {
            PathStyle::Plain => {
                out.push(b'/');
                let name: Vec<u8> = decoded(segment).collect();
                encode_into(&name, out);
            }
            PathStyle::Twice if segment.is_empty() => {}
            PathStyle::Twice => {
                out.push(b'/');
                encode_into(segment, out);
            }
        }
    }
    match style {
        // Before the first slash there is nothing.
        PathStyle::Plain => drop(out.drain(start..=start)),
        PathStyle::Twice if out.len() == start || path.ends_with(b"/") => out.push(b'/'),
        PathStyle::Twice => {}
    }
}

fn query_into(query: &[u8], out: &mut Vec<u8>) {
    let sent = parameters(query).filter(|parameter| !parameter.is_empty());
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = sent
        .map(|parameter| {
            let name = name_of(parameter);
            let value = parameter.get(name.len() + 1..).unwrap_or_default();
            // What is escaped for no need is to come out as what is not.
            (again(name), again(value))
        })
        .collect();
    pairs.sort();
    for (place, (name, value)) in pairs.iter().enumerate() {
        if place > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

fn again(raw: &[u8]) -> Vec<u8> {
    let name: Vec<u8> = form_decoded(raw).collect();
    let mut out = Vec::with_capacity(raw.len());
    encode_into(&name, &mut out);
    out
}

/// Lines of one name are joined in their order. Gives the names.
fn headers_into(headers: &[Line<'_>], out: &mut Vec<u8>) -> String {
    let mut sorted: Vec<&Line<'_>> = headers.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut names = String::new();
    for group in sorted.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((name, _)) = group.first() else {
            continue;
        };
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(&String::from_utf8_lossy(name));
        out.extend_from_slice(name);
        out.push(b':');
        for (place, (_, value)) in group.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            squeezed_into(value, out);
        }
        out.push(b'\n');
    }
    names
}

/// Without white space around, and with one blank for several.
fn squeezed_into(value: &[u8], out: &mut Vec<u8>) {
    let words = value.split(u8::is_ascii_whitespace);
    for (place, word) in words.filter(|word| !word.is_empty()).enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}
