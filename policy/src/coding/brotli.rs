//! `br` (RFC 7932): windows of at most 16 MiB, for which memory is taken only as it fills.

mod memory;

use std::fmt;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState};

use self::memory::Memory;

use super::{
    DecodeError,
    stage::{Stage, Step},
};
use crate::memory::NoMemory;

pub(super) struct Brotli {
    state: BrotliState<Memory, Memory, Memory>,
    memory: Memory,
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
        let memory = Memory::default();
        let [bytes, numbers, codes] = [(); 3].map(|()| memory.clone());
        Self {
            // Strict: the format's "large window" extension is no content coding.
            state: BrotliState::new_strict(bytes, numbers, codes),
            memory,
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
            BrotliResult::ResultFailure if self.memory.is_refused() => {
                return Err(NoMemory.into());
            }
            BrotliResult::ResultFailure => return Err(DecodeError::Corrupt),
        };
        Ok(step)
    }

    fn is_complete(&self) -> bool {
        self.phase != Phase::Running
    }

    fn memory_bytes(&self) -> usize {
        self.memory.bytes()
    }
}

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli")
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
