//! NDJSON: lines ended by LF, or by CRLF.

use super::{RecordError, Rewrite, hold};

#[derive(Debug, Default)]
pub(super) struct Ndjson {
    /// The start of a line whose end has not come.
    held: Vec<u8>,
}

impl Ndjson {
    pub(super) fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    pub(super) fn push<E: From<RecordError>>(
        &mut self,
        chunk: &[u8],
        max_bytes: usize,
        rewrite: Rewrite<'_, E>,
        out: &mut Vec<u8>,
    ) -> Result<(), E> {
        for part in chunk.split_inclusive(|&byte| byte == b'\n') {
            if self.held.len().saturating_add(part.len()) > max_bytes {
                return Err(RecordError::TooLarge.into());
            }
            if !part.ends_with(b"\n") {
                hold(&mut self.held, part)?;
            } else if self.held.is_empty() {
                emit(part, rewrite, out)?;
            } else {
                hold(&mut self.held, part)?;
                emit(&self.held, rewrite, out)?;
                self.held.clear();
            }
        }
        Ok(())
    }

    /// The last line may lack its end.
    pub(super) fn finish<E>(
        &mut self,
        rewrite: Rewrite<'_, E>,
        out: &mut Vec<u8>,
    ) -> Result<(), E> {
        emit(&std::mem::take(&mut self.held), rewrite, out)
    }
}

fn emit<E>(line: &[u8], rewrite: Rewrite<'_, E>, out: &mut Vec<u8>) -> Result<(), E> {
    if line.trim_ascii().is_empty() {
        out.extend_from_slice(line);
        return Ok(());
    }
    let record = line.strip_suffix(b"\n").unwrap_or(line);
    let record = record.strip_suffix(b"\r").unwrap_or(record);
    let end = line.get(record.len()..).unwrap_or_default();
    let start = out.len();
    if let Err(error) = rewrite(record, out) {
        out.truncate(start);
        return Err(error);
    }
    out.extend_from_slice(end);
    Ok(())
}
