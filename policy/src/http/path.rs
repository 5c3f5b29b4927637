//! The request path: judged raw, then brought into the one form that is checked and sent.
//!
//! Invariant: a [`CallPath`] holds no dot segment, and no reader that decodes more than it should
//! finds one in it.

mod hidden;

use std::borrow::Cow;

use self::hidden::hides_dot_segment;
use super::percent::{hex_value, is_unreserved, unescape};

/// `/{entry}/{proxy}{below}`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CallPath<'a> {
    /// What the first segment asks for.
    pub(crate) entry: Entry,
    /// Second segment as sent, when the first is an entry: id or alias of a proxy.
    pub(crate) proxy: Option<&'a [u8]>,
    /// What follows the proxy: empty, or a path with a leading slash.
    pub(crate) below: Cow<'a, [u8]>,
}

/// What is asked of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A call, which the target answers; also what is no entry, and names no proxy.
    Api,
    /// A call that is answered at once and made later.
    Async,
    /// What became of such a call.
    Requests,
}

/// The path can be read in more than one way, or climbs above the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmbiguousPath;

impl<'a> CallPath<'a> {
    /// Judges a raw path (without query) and normalises what is below the proxy.
    pub(crate) fn parse(raw: &'a [u8]) -> Result<Self, AmbiguousPath> {
        let is_plain = is_plain(raw);
        if !is_plain {
            judge(raw)?;
        }
        let (entry, proxy, below) = split_root(raw);
        // Resolved, it would name another proxy than the one by which Envoy chose the route.
        if [entry, proxy].into_iter().any(is_dot_segment) {
            return Err(AmbiguousPath);
        }
        let below = if is_plain {
            Cow::Borrowed(below)
        } else {
            normalise(below)?
        };
        let known = Entry::of(entry);
        Ok(Self {
            entry: known.unwrap_or(Entry::Api),
            proxy: known.map(|_| proxy),
            below,
        })
    }

    /// The target path that rules see: with a leading slash, without the target's base path.
    pub(crate) fn target_path(&self) -> &[u8] {
        if self.below.is_empty() {
            b"/"
        } else {
            &self.below
        }
    }

    /// Appends the path that the target gets.
    pub(crate) fn join_into(&self, base: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(base);
        out.extend_from_slice(&self.below);
        // An origin-form is never empty (RFC 9112 §3.2.1).
        if out.is_empty() {
            out.push(b'/');
        }
    }
}

impl Entry {
    fn of(segment: &[u8]) -> Option<Self> {
        match segment {
            b"api" => Some(Self::Api),
            b"async" => Some(Self::Async),
            b"requests" => Some(Self::Requests),
            _ => None,
        }
    }

    /// As paths begin with it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Async => "async",
            Self::Requests => "requests",
        }
    }
}

/// Nothing in the path needs judging or normalising: the way of almost every request.
fn is_plain(raw: &[u8]) -> bool {
    let mut previous = 0;
    raw.iter().all(|&byte| {
        // Where nothing is escaped only such a dot begins a dot segment.
        let is_dot_after_slash = byte == b'.' && previous == b'/';
        previous = byte;
        // From 0x80 on it may be a dot in overlong UTF-8.
        let is_special = matches!(byte, 0..=b' ' | b'#' | b'%' | b';' | b'\\' | 0x7f..);
        !is_special && !is_dot_after_slash
    })
}

/// Refuses what strict and lenient readers understand differently: what was judged must be what the
/// target reads.
fn judge(raw: &[u8]) -> Result<(), AmbiguousPath> {
    // A space ends the path and `#` starts a fragment for some readers, as control bytes do.
    let has_forbidden_byte = raw
        .iter()
        .any(|&byte| matches!(byte, 0..=b' ' | b'#' | b'\\' | 0x7f));
    // `%5c` is a separator to some targets, and `%00` the end.
    let has_forbidden_escape = raw
        .windows(3)
        .any(|window| matches!(window, [b'%', b'5', b'c' | b'C'] | [b'%', b'0', b'0']));
    let hides = raw.split(|&byte| byte == b'/').any(hides_dot_segment);
    if has_forbidden_byte || has_forbidden_escape || hides {
        Err(AmbiguousPath)
    } else {
        Ok(())
    }
}

/// First segment, second segment, and the rest with its leading slash.
fn split_root(raw: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let Some(raw) = raw.strip_prefix(b"/") else {
        return (raw, &[], &[]);
    };
    let (entry, rest) = split_before_slash(raw);
    let (proxy, below) = split_before_slash(rest.strip_prefix(b"/").unwrap_or_default());
    (entry, proxy, below)
}

fn split_before_slash(raw: &[u8]) -> (&[u8], &[u8]) {
    let at = raw
        .iter()
        .position(|&byte| byte == b'/')
        .unwrap_or(raw.len());
    raw.split_at_checked(at).unwrap_or((raw, &[]))
}

fn is_dot_segment(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

/// Resolves dot segments (RFC 3986 §5.2.4) and decodes escapes of unreserved characters.
fn normalise(below: &[u8]) -> Result<Cow<'_, [u8]>, AmbiguousPath> {
    let mut out = Vec::with_capacity(below.len());
    let mut segments = below.split(|&byte| byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            b"." => {}
            b".." => {
                let parent = out
                    .iter()
                    .rposition(|&byte| byte == b'/')
                    .ok_or(AmbiguousPath)?;
                out.truncate(parent);
            }
            _ => {
                out.push(b'/');
                decode_unreserved_into(segment, &mut out);
                continue;
            }
        }
        // `/a/.` is `/a/`: a dot segment at the end leaves its slash (2.B and 2.C there).
        if is_last {
            out.push(b'/');
        }
    }
    Ok(Cow::Owned(out))
}

fn decode_unreserved_into(segment: &[u8], out: &mut Vec<u8>) {
    let mut rest = segment;
    while let Some((&byte, tail)) = rest.split_first() {
        let [b'%', high, low, after @ ..] = rest else {
            out.push(byte);
            rest = tail;
            continue;
        };
        match unescape(*high, *low) {
            Some(plain) if is_unreserved(plain) && !completes_escape(out, plain) => {
                out.push(plain);
                rest = after;
            }
            Some(_) => {
                out.extend_from_slice(&[b'%', *high, *low]);
                rest = after;
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
}

/// Whether `plain` would turn a stray `%` before it into an escape that the caller never sent.
fn completes_escape(out: &[u8], plain: u8) -> bool {
    let is_hex = |byte: u8| hex_value(byte).is_some();
    // Real escapes are copied whole, so a `%` in the last two places is a stray one.
    match out {
        [.., b'%'] => is_hex(plain),
        [.., b'%', first] => is_hex(*first) && is_hex(plain),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
