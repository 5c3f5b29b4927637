//! Server-sent events (WHATWG HTML §9.2): lines ended by CRLF, LF or CR; a blank line ends an event.

mod event;

use memchr::memchr2;

use super::{RecordError, Rewrite, hold};

const BOM: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug, Default)]
pub(super) struct Sse {
    /// The lines of an event whose end has not come.
    held: Vec<u8>,
    /// The start of the last of them.
    line_start: usize,
    /// Whether the last byte ended a line as CR: if LF follows, it belongs to that end.
    is_after_cr: bool,
    /// Whether the stream's start was looked at for a byte order mark.
    has_begun: bool,
    lines: Lines,
}

/// Which lines an event may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lines {
    /// Fields and comments.
    #[default]
    Fields,
    /// Any.
    Any,
}

impl Sse {
    pub(super) fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    pub(super) fn lenient() -> Self {
        Self {
            lines: Lines::Any,
            ..Self::default()
        }
    }

    pub(super) fn push<E: From<RecordError>>(
        &mut self,
        chunk: &[u8],
        max_bytes: usize,
        rewrite: Rewrite<'_, E>,
        out: &mut Vec<u8>,
    ) -> Result<(), E> {
        let mut scanned = self.held.len();
        hold(&mut self.held, chunk)?;
        if !self.has_begun {
            if self.held.len() < BOM.len() && BOM.starts_with(&self.held) {
                return Ok(());
            }
            self.begin(out);
            scanned = 0;
        }
        let mut held = std::mem::take(&mut self.held);
        let lines = self.lines;
        let sent = self.scan(&held, scanned, &mut |event| {
            if event.len() > max_bytes {
                return Err(RecordError::TooLarge.into());
            }
            event::emit((event, lines), rewrite, out)
        })?;
        held.drain(..sent);
        self.line_start = self.line_start.saturating_sub(sent);
        self.held = held;
        if self.held.len() > max_bytes {
            return Err(RecordError::TooLarge.into());
        }
        Ok(())
    }

    /// The stream's end ends the last event, too: readers may take it for one.
    pub(super) fn finish<E: From<RecordError>>(
        &mut self,
        rewrite: Rewrite<'_, E>,
        out: &mut Vec<u8>,
    ) -> Result<(), E> {
        if !self.has_begun {
            self.begin(out);
        }
        event::emit((&std::mem::take(&mut self.held), self.lines), rewrite, out)
    }

    /// Lets a byte order mark at the start of the stream pass.
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.has_begun = true;
        if self.held.starts_with(BOM) {
            out.extend_from_slice(BOM);
            self.held.drain(..BOM.len());
        }
    }

    /// Emits what ends in `held`, of which the first `at` bytes were scanned before, and answers
    /// how much that is.
    fn scan<E>(
        &mut self,
        held: &[u8],
        mut at: usize,
        emit: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut start = 0;
        while let Some(offset) = next_line_end(held.get(at..).unwrap_or_default()) {
            let end = at + offset;
            let is_cr = held.get(end) == Some(&b'\r');
            let is_rest_of_crlf = self.is_after_cr && offset == 0 && !is_cr;
            let line = held.get(self.line_start..end).unwrap_or_default();
            let is_lone_comment = self.line_start == start && line.starts_with(b":");
            at = end + 1;
            self.is_after_cr = is_cr;
            // A comment before any field is of no event: it keeps the connection alive, now.
            let ends_something = if is_rest_of_crlf {
                start == end
            } else {
                line.is_empty() || is_lone_comment
            };
            if ends_something {
                emit(held.get(start..at).unwrap_or_default())?;
                start = at;
            }
            self.line_start = at;
        }
        self.is_after_cr &= at == held.len();
        Ok(start)
    }
}

fn next_line_end(text: &[u8]) -> Option<usize> {
    memchr2(b'\n', b'\r', text)
}
