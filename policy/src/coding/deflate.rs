//! `deflate`: zlib's format (RFC 1950), or the bare DEFLATE (RFC 1951) that some servers send.

use flate2::{Decompress, FlushDecompress, Status};

use super::{
    DecodeError,
    stage::{Stage, Step},
};

/// What one stream takes: its window, of 32 KiB, and its tables.
pub(super) const MEMORY_BYTES: usize = 64 << 10;
/// The lower half of a zlib header's first byte: its method is DEFLATE.
const ZLIB_METHOD: u8 = 8;

#[derive(Debug)]
pub(super) enum Deflate {
    /// Nothing has come.
    Unbegun,
    Running(Inflate),
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self::Unbegun
    }
}

impl Stage for Deflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
        match self {
            Self::Unbegun => {
                if let Some(first) = input.first() {
                    // Bare DEFLATE that began so would be a stored block with bits set where every
                    // encoder writes padding.
                    let is_zlib = first & 0x0f == ZLIB_METHOD;
                    *self = Self::Running(Inflate::new(is_zlib));
                    return self.step(input, output);
                }
                Ok(Step::default())
            }
            Self::Running(inflate) => inflate.step(input, output),
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Unbegun => true,
            Self::Running(inflate) => inflate.has_ended,
        }
    }

    fn memory_bytes(&self) -> usize {
        MEMORY_BYTES
    }
}

/// One DEFLATE stream.
#[derive(Debug)]
pub(super) struct Inflate {
    inner: Decompress,
    pub(super) has_ended: bool,
}

impl Inflate {
    /// With or without zlib's header and checksum.
    pub(super) fn new(is_zlib: bool) -> Self {
        Self {
            inner: Decompress::new(is_zlib),
            has_ended: false,
        }
    }

    /// Starts another stream, without zlib's header.
    pub(super) fn restart(&mut self) {
        self.inner.reset(false);
        self.has_ended = false;
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
        if self.has_ended {
            return Ok(Step::default());
        }
        let (taken, given) = (self.inner.total_in(), self.inner.total_out());
        let status = self
            .inner
            .decompress(input, output, FlushDecompress::None)
            .map_err(|_| DecodeError::Corrupt)?;
        self.has_ended = match status {
            Status::StreamEnd => true,
            Status::Ok | Status::BufError => false,
        };
        Ok(Step {
            taken: grown_by(taken, self.inner.total_in()),
            given: grown_by(given, self.inner.total_out()),
        })
    }
}

fn grown_by(before: u64, now: u64) -> usize {
    usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
}
