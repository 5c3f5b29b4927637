//! A request whose framing, method and path are in order, whatever the proxy.

use super::RequestBody;
use crate::{
    authz,
    denial::{Asynchronous, Denial},
    http::{
        ALLOWED_METHODS, Lines, RequestHead,
        path::{CallPath, Entry},
        query::is_sendable,
    },
};

/// A head whose framing and path are in order, whatever the proxy.
pub(super) struct Call<'a> {
    pub(super) method: &'a [u8],
    /// `:path` as sent.
    pub(super) raw: &'a [u8],
    pub(super) path: CallPath<'a>,
    pub(super) query: Option<&'a [u8]>,
}

impl<'a> Call<'a> {
    /// As rules and meters see it.
    pub(super) fn judged<'c>(
        &'c self,
        head: &RequestHead<'c>,
        body: RequestBody<'c>,
        claims: Option<&'c str>,
    ) -> authz::Call<'c> {
        let path = self.path.target_path();
        let mut judged = authz::Call::new(self.method, path, self.query, head.lines);
        if let Some(claims) = claims {
            judged = judged.with_claims(claims);
        }
        match body {
            RequestBody::Unread => judged,
            RequestBody::Whole(bytes) => judged.with_body(bytes),
        }
    }

    pub(super) fn parse(head: &RequestHead<'a>) -> Result<Self, Denial> {
        let Lines::One(method) = head.method else {
            return Err(Denial::BadRequest);
        };
        // Envoy joins several Host lines with a comma, which no authority holds.
        match head.authority {
            Lines::None => {}
            Lines::One(authority) if !authority.contains(&b',') => {}
            Lines::One(_) | Lines::Several => return Err(Denial::BadRequest),
        }
        // Before the path: CONNECT has none, and is 405.
        if !ALLOWED_METHODS
            .iter()
            .any(|allowed| allowed.as_bytes() == method)
        {
            return Err(Denial::MethodNotAllowed);
        }
        let Lines::One(raw) = head.path else {
            return Err(Denial::BadRequest);
        };
        let (path, query) = split_query(raw);
        let path = CallPath::parse(path).map_err(|_| Denial::PathAmbiguous)?;
        if !is_sendable(query.unwrap_or_default()) {
            return Err(Denial::BadRequest);
        }
        check(path.entry, method, raw)?;
        // Of all upgrades Envoy passes WebSockets only, which nobody can make later.
        if path.entry != Entry::Api && head.count("upgrade") > 0 {
            return Err(Denial::BadRequest);
        }
        Ok(Self {
            method,
            raw,
            path,
            query,
        })
    }
}

fn split_query(raw: &[u8]) -> (&[u8], Option<&[u8]>) {
    match raw.iter().position(|&byte| byte == b'?') {
        Some(at) => (raw.get(..at).unwrap_or_default(), raw.get(at + 1..)),
        None => (raw, None),
    }
}

/// Says whether a request of that entry may have that method, and that path with its query.
fn check(entry: Entry, method: &[u8], raw: &[u8]) -> Result<(), Denial> {
    // RFC 3986 has none of these in a URL; who keeps requests takes no others.
    let is_odd = |byte: &u8| matches!(byte, b'<' | b'>' | b'"' | b'`' | 0x7f..);
    if entry != Entry::Api && raw.iter().any(is_odd) {
        return Err(Denial::BadRequest);
    }
    let denial = match (entry, method) {
        (Entry::Async, b"HEAD" | b"OPTIONS") => Asynchronous::MethodNotAllowed,
        (Entry::Requests, b"GET" | b"DELETE") | (Entry::Api | Entry::Async, _) => return Ok(()),
        (Entry::Requests, _) => Asynchronous::StatusMethodNotAllowed,
    };
    Err(Denial::Asynchronous(denial))
}
