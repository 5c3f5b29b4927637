//! How much all of a policy may be together.
//!
//! Each layer is bounded by itself, but a proxy has a hundred credentials, and a worker compiles
//! them all at once on the proxy's first call, while its other calls wait.

use prost::Message;

/// What the layers and meters of one policy may weigh together.
///
/// The heaviest take a worker 120 to 140 ms in Envoy (measured with classes of letters), and others
/// up to twice that.
pub const MAX_WEIGHT: usize = 8 << 20;

/// What a byte of a message weighs beside one of a compiled pattern: parsed texts and paths take
/// some times the room of what they are parsed from.
const ENCODED_BYTE: usize = 8;

/// Most bytes of an encoded policy: the heaviest layers and meters, and as much again for the rest.
pub(super) const MAX_ENCODED_BYTES: usize = 2 * MAX_WEIGHT / ENCODED_BYTE;

/// More than [`MAX_WEIGHT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rules, filters and meters become too large together when compiled")]
pub struct TooHeavy;

/// What a policy weighs so far: the bytes of its compiled patterns and, in proportion, of the
/// messages that its layers and meters are compiled from.
#[derive(Debug, Default)]
pub(crate) struct Weight(usize);

impl Weight {
    /// Adds messages that are about to be compiled.
    pub(super) fn add_messages<M: Message>(&mut self, messages: &[M]) -> Result<(), TooHeavy> {
        let encoded: usize = messages.iter().map(M::encoded_len).sum();
        self.add(encoded.saturating_mul(ENCODED_BYTE))
    }

    /// Adds bytes of compiled patterns.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), TooHeavy> {
        self.0 = self.0.saturating_add(bytes);
        if self.0 > MAX_WEIGHT {
            return Err(TooHeavy);
        }
        Ok(())
    }

    pub(crate) fn get(&self) -> usize {
        self.0
    }
}
