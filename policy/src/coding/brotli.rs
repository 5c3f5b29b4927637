//! `br` (RFC 7932): windows of at most 16 MiB, for which memory is taken only as it fills.

use std::fmt;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{
    DecodeError,
    decoder::{Stage, Step},
};

pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing has come.
    Unbegun,
    Running,
    Ended,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default();
        Self {
            // Strict: the format's "large window" extension is no content coding.
            state: BrotliState::new_strict(alloc, alloc, alloc),
            phase: Phase::Unbegun,
        }
    }
}

impl Stage for Brotli {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
        match self.phase {
            Phase::Unbegun if input.is_empty() => return Ok(Step::default()),
            Phase::Unbegun | Phase::Running => {}
            Phase::Ended => return Ok(Step::default()),
        }
        let mut step = Step::default();
        let result = BrotliDecompressStream(
            &mut input.len(),
            &mut step.taken,
            input,
            &mut output.len(),
            &mut step.given,
            output,
            &mut 0,
            &mut self.state,
        );
        self.phase = match result {
            BrotliResult::ResultSuccess => Phase::Ended,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => Phase::Running,
            BrotliResult::ResultFailure => return Err(DecodeError::Corrupt),
        };
        Ok(step)
    }

    fn is_complete(&self) -> bool {
        self.phase != Phase::Running
    }
}

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli")
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
