//! What each coding does for a decoder, which puts them one behind the other.

use super::DecodeError;

/// Takes one coding off.
pub(super) trait Stage {
    /// Decodes from the front of `input` to the front of `output`.
    ///
    /// Nothing taken and nothing given means that more input is needed, or that none is wanted
    /// because the coding has ended.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError>;

    /// Whether the body may end here.
    fn is_complete(&self) -> bool;

    /// What it takes in memory, at most.
    fn memory_bytes(&self) -> usize;
}

/// What one step did, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// Of the input.
    pub(super) taken: usize,
    /// To the output.
    pub(super) given: usize,
}

/// As totals are counted.
pub(super) fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
