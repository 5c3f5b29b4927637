//! One event: its data is found, and put back.

use std::borrow::Cow;

use memchr::memchr;

use super::Lines;
use crate::records::{RecordError, Rewrite};

/// What several services end their streams with, in the place of a record.
const DONE: &[u8] = b"[DONE]";
/// What a data field is written as.
const FIELD: &[u8] = b"data: ";

/// Sends an event, or other lines, with its record rewritten.
pub(super) fn emit<E: From<RecordError>>(
    (event, allowed): (&[u8], Lines),
    rewrite: Rewrite<'_, E>,
    out: &mut Vec<u8>,
) -> Result<(), E> {
    let Some(record) = record(event, allowed)? else {
        out.extend_from_slice(event);
        return Ok(());
    };
    let start = out.len();
    let put = put_back(event, &mut |out| rewrite(&record, out), out);
    if put.is_err() {
        out.truncate(start);
    }
    put
}

fn record(event: &[u8], allowed: Lines) -> Result<Option<Cow<'_, [u8]>>, RecordError> {
    // UTF-16 and its like have no fields that we could see, but callers might.
    if memchr(0, event).is_some() {
        return Err(RecordError::NotText);
    }
    if allowed == Lines::Fields && !lines(event).all(|(line, _)| is_field(line)) {
        return Err(RecordError::NotField);
    }
    let data = data(event);
    Ok(match data.trim_ascii() {
        b"" | DONE => None,
        _ => Some(data),
    })
}

/// The lines, each with what ends it.
fn lines(mut rest: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let bytes = super::next_line_end(rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(bytes)?;
        let end_bytes = match after {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
        let (end, after) = after.split_at_checked(end_bytes)?;
        rest = after;
        Some((line, end))
    })
}

/// Whether nobody can take the line for something else than a comment, or a field with a name of its
/// own: what only looks like data would pass as it is.
fn is_field(line: &[u8]) -> bool {
    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
    let is_name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let is_like_data = name != b"data" && name.eq_ignore_ascii_case(b"data");
    name.iter().all(is_name_byte) && !is_like_data
}

/// The value of a data field.
fn data_value(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data")? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        [_, ..] => None,
    }
}

/// The values of the data fields, joined by LF.
fn data(event: &[u8]) -> Cow<'_, [u8]> {
    let mut values = lines(event).filter_map(|(line, _)| data_value(line));
    let first = values.next().unwrap_or_default();
    values.fold(Cow::Borrowed(first), |data, value| {
        let mut data = data.into_owned();
        data.push(b'\n');
        data.extend_from_slice(value);
        Cow::Owned(data)
    })
}

/// The event with the record that `write` writes: in the place of its first data field, and with
/// its line end.
fn put_back<E>(
    event: &[u8],
    write: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), E>,
    out: &mut Vec<u8>,
) -> Result<(), E> {
    let mut is_put_back = false;
    for (line, end) in lines(event) {
        if data_value(line).is_none() {
            // The lines between may be gone: a CR and an LF that now meet were two line ends.
            if line.is_empty() && end == b"\n" && out.ends_with(b"\r") {
                out.push(b'\n');
            }
            out.extend_from_slice(line);
            out.extend_from_slice(end);
        } else if !is_put_back {
            is_put_back = true;
            out.extend_from_slice(FIELD);
            let start = out.len();
            write(out)?;
            begin_every_line(out, start, end);
            out.extend_from_slice(end);
        }
    }
    Ok(())
}

/// Makes a data field of every line of the text from `start` on.
fn begin_every_line(out: &mut Vec<u8>, start: usize, end: &[u8]) {
    // The last line of a stream may lack its end.
    let end = if end.is_empty() { b"\n" } else { end };
    let text = out.get(start..).unwrap_or_default();
    if super::next_line_end(text).is_none() {
        return;
    }
    let text = out.split_off(start);
    for (n, line) in text.split(|byte| matches!(byte, b'\n' | b'\r')).enumerate() {
        if n > 0 {
            out.extend_from_slice(end);
            out.extend_from_slice(FIELD);
        }
        out.extend_from_slice(line);
    }
}
