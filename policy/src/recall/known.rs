//! A record's call in the form in which conditions see calls, with [`MASKED`] in the place of
//! whatever is not known.

use super::RecordedCall;
use crate::{
    authz::{Call, Known},
    http::HeaderLine,
    note::{Budget, MASKED, NAME_BYTES},
};

/// What is as long was cut: a character is cut as a whole.
const CHARACTER_BYTES: usize = 3;
/// Envoy makes one for a caller who sends none, and it is not recorded.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

pub(super) fn known<T>(recorded: &RecordedCall<'_>, then: impl FnOnce(&Call<'_>, Known) -> T) -> T {
    let RecordedCall {
        method,
        path,
        headers,
        query,
        has_no_body,
        has_no_claims,
    } = *recorded;
    let budget = Budget::CALLER;
    let path = whole(path, budget.path);
    let pairs = |pairs: &'_ [(String, String)]| {
        let pairs = pairs.iter().map(|(name, value)| {
            let (name, value) = (whole(name, NAME_BYTES), whole(value, budget.value));
            (name.to_owned(), value.to_owned())
        });
        pairs.collect::<Vec<_>>()
    };
    let mut headers = pairs(headers);
    if !headers.iter().any(|(name, _)| name == FORWARDED_PROTO) {
        headers.push((FORWARDED_PROTO.to_owned(), MASKED.to_owned()));
    }
    let lines = headers.iter();
    let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let lines: Vec<HeaderLine<'_>> = lines.collect();
    let query = sent(&pairs(query));
    // Of no body there is nothing to read.
    let call = Call::new(
        method.as_bytes(),
        path.as_bytes(),
        Some(query.as_bytes()),
        &lines,
    );
    let call = call.with_body(b"");
    let known = Known {
        has_all_names: noted(recorded) < budget.all - CHARACTER_BYTES,
        has_no_body,
        has_no_claims,
    };
    then(&call, known)
}

/// A text that may have been cut is not known.
fn whole(text: &str, most: usize) -> &str {
    if text.len() > most - CHARACTER_BYTES - 1 {
        MASKED
    } else {
        text
    }
}

/// Bytes of the note that the filter made, or somewhat more.
fn noted(recorded: &RecordedCall<'_>) -> usize {
    let pairs = recorded.headers.iter().chain(recorded.query);
    let pairs = pairs.map(|(name, value)| name.len().max(1) + value.len().max(1));
    recorded.path.len() + pairs.sum::<usize>()
}

/// Parameters as they may have been sent.
fn sent(query: &[(String, String)]) -> String {
    let mut sent = String::new();
    for (name, value) in query {
        if !sent.is_empty() {
            sent.push('&');
        }
        encode(name, &mut sent);
        sent.push('=');
        encode(value, &mut sent);
    }
    sent
}

fn encode(text: &str, sent: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble))
            .copied()
            .map_or('0', char::from)
    };
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            sent.push(char::from(byte));
        } else {
            sent.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}
