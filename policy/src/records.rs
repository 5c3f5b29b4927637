//! Streams of records, server-sent events and NDJSON, framed as they arrive.
//!
//! A record is held until it is whole and found good; nothing of it is sent before.

mod ndjson;
mod sse;

use crate::effort::LINE;

use self::{ndjson::Ndjson, sse::Sse};

/// Why a stream of records cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A record is longer than what may be held.
    #[error("a record of the stream is too long")]
    TooLarge,
    /// There is a NUL in an event.
    #[error("an event of the stream is not text")]
    NotText,
    /// A line of an event is no field.
    #[error("a line of the stream is not a field of an event")]
    NotField,
    /// There is no memory for a record.
    #[error("no memory for a record of the stream")]
    NoMemory,
    /// It failed before.
    #[error("the stream of records has failed")]
    Failed,
}

/// What is done with a record: it gets the record's text and writes what to send in its place.
///
/// An error ends the stream.
pub type Rewrite<'r, E> = &'r mut dyn FnMut(&[u8], &mut Vec<u8>) -> Result<(), E>;

/// Cuts a stream into its records and puts rewritten ones in their places. Everything else passes.
///
/// After an error nothing but what `out` holds may be sent: it ends with the last good record.
#[derive(Debug)]
pub struct Framer {
    format: Format,
    max_record_bytes: usize,
    has_failed: bool,
}

#[derive(Debug)]
enum Format {
    Sse(Sse),
    Ndjson(Ndjson),
}

/// What it takes to look for the records of a piece of a stream.
pub(crate) fn framing_steps(piece: &[u8]) -> usize {
    // A stream may be of empty lines, of which each is more work than its byte.
    let lines = memchr::memchr2_iter(b'\n', b'\r', piece).count();
    lines.saturating_mul(LINE).saturating_add(piece.len())
}

impl Framer {
    /// For server-sent events (WHATWG HTML §9.2). A record is the data of one event; an event, with
    /// its other lines, may have `max_record_bytes`.
    ///
    /// No record are empty data and `[DONE]`. A line that is no field, or one that is called data in
    /// other letters, ends the stream: somebody may read more in it than the standard does.
    pub fn sse(max_record_bytes: usize) -> Self {
        Self::new(Format::Sse(Sse::default()), max_record_bytes)
    }

    /// As [`Framer::sse`], for a stream that is only read: lines that are no fields do not end it.
    pub fn sse_to_read(max_record_bytes: usize) -> Self {
        Self::new(Format::Sse(Sse::lenient()), max_record_bytes)
    }

    /// For one record a line, blank ones aside.
    pub fn ndjson(max_record_bytes: usize) -> Self {
        Self::new(Format::Ndjson(Ndjson::default()), max_record_bytes)
    }

    fn new(format: Format, max_record_bytes: usize) -> Self {
        Self {
            format,
            max_record_bytes,
            has_failed: false,
        }
    }

    /// Takes the next bytes of the stream and appends to `out` what can be sent now.
    pub fn push<E: From<RecordError>>(
        &mut self,
        chunk: &[u8],
        rewrite: Rewrite<'_, E>,
        out: &mut Vec<u8>,
    ) -> Result<(), E> {
        let max = self.max_record_bytes;
        self.run(|format| match format {
            Format::Sse(sse) => sse.push(chunk, max, rewrite, out),
            Format::Ndjson(ndjson) => ndjson.push(chunk, max, rewrite, out),
        })
    }

    /// Ends the stream and appends what was still held: the last record, if its line end or the
    /// blank line after its event did not come.
    pub fn finish<E: From<RecordError>>(
        &mut self,
        rewrite: Rewrite<'_, E>,
        out: &mut Vec<u8>,
    ) -> Result<(), E> {
        self.run(|format| match format {
            Format::Sse(sse) => sse.finish(rewrite, out),
            Format::Ndjson(ndjson) => ndjson.finish(rewrite, out),
        })
    }

    /// Takes the next bytes of a stream that is sent as it is, and shows its records.
    pub fn read(&mut self, chunk: &[u8], look: &mut dyn FnMut(&[u8])) -> Result<(), RecordError> {
        self.push(chunk, &mut looking(look), &mut Vec::new())
    }

    /// Ends a stream that is sent as it is, and shows the last record.
    pub fn read_end(&mut self, look: &mut dyn FnMut(&[u8])) -> Result<(), RecordError> {
        self.finish(&mut looking(look), &mut Vec::new())
    }

    /// Bytes of memory that records without an end take.
    pub(crate) fn held_bytes(&self) -> usize {
        match &self.format {
            Format::Sse(sse) => sse.held_bytes(),
            Format::Ndjson(ndjson) => ndjson.held_bytes(),
        }
    }

    fn run<E: From<RecordError>>(
        &mut self,
        step: impl FnOnce(&mut Format) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.has_failed {
            return Err(RecordError::Failed.into());
        }
        let result = step(&mut self.format);
        self.has_failed = result.is_err();
        result
    }
}

/// Keeps more of a record, if there is memory for it.
fn hold(held: &mut Vec<u8>, part: &[u8]) -> Result<(), RecordError> {
    held.try_reserve(part.len())
        .map_err(|_| RecordError::NoMemory)?;
    held.extend_from_slice(part);
    Ok(())
}

fn looking(
    look: &mut dyn FnMut(&[u8]),
) -> impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), RecordError> {
    |record, _| {
        look(record);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
