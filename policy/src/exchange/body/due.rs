//! What came of a body and is not passed on yet.

use super::echo::EchoSearch;
use crate::{
    denial::Denial,
    holding::{Pool, Share},
    shares::Holder,
};

/// What one part may become, because all of it is kept before any passes.
const MAX_OUT_BYTES: usize = 32 << 20;
/// What a portion should cost, in steps: much less than a turn.
const PORTION_STEPS: u64 = 64 << 10;
/// What a portion may be long, in bytes.
const PORTION_BYTES: std::ops::RangeInclusive<u64> = 16..=64 << 10;

/// What is to be worked on, and what was made of the rest.
#[derive(Debug)]
pub(super) struct Due {
    /// As it came.
    pub(super) input: Bytes,
    /// Without its codings.
    pub(super) decoded: Bytes,
    /// What passes when nothing is left to be done.
    pub(super) out: Vec<u8>,
    /// Nothing more comes.
    pub(super) is_end: bool,
    /// There is something to be done in another turn.
    pub(super) is_waiting: bool,
    /// Length of the next portion.
    portion: u64,
    share: Share,
}

/// Bytes that are taken from their front.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    bytes: Vec<u8>,
    taken: usize,
}

impl Due {
    /// Of a response to that holder.
    pub(super) fn of(holder: Holder) -> Self {
        Self {
            input: Bytes::default(),
            decoded: Bytes::default(),
            out: Vec::new(),
            is_end: false,
            is_waiting: false,
            // Short: nobody knows yet what its bytes cost.
            portion: 1 << 10,
            share: Share::new(Pool::Responses, holder),
        }
    }

    /// Input that has to wait.
    pub(super) fn keep(&mut self, input: &[u8]) -> Result<(), Denial> {
        self.input.extend(input)?;
        self.count()
    }

    /// Nobody works on what has come.
    pub(super) fn forget_input(&mut self) {
        self.input = Bytes::default();
        self.decoded = Bytes::default();
    }

    /// Makes room for so much more of what passes.
    pub(super) fn make_room(&mut self, bytes: usize) -> Result<(), Denial> {
        let room = self.out.capacity().saturating_sub(self.out.len());
        if room >= bytes {
            return Ok(());
        }
        // A list would double, and its holder might not get that much.
        let more = bytes.max(self.out.len() / 4);
        self.out
            .try_reserve_exact(more)
            .map_err(|_| Denial::Overloaded)
    }

    /// Cuts off what is to be worked on next.
    pub(super) fn next_portion<'p>(&self, piece: &'p [u8]) -> (&'p [u8], &'p [u8]) {
        let length = usize::try_from(self.portion).unwrap_or(usize::MAX);
        piece.split_at_checked(length).unwrap_or((piece, &[]))
    }

    /// Says what a portion of that length cost, which is what the next should be like.
    pub(super) fn was_portion(&mut self, bytes: usize, steps: u64) -> Result<(), Denial> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let fitting = bytes.saturating_mul(PORTION_STEPS) / steps.max(1);
        let (least, most) = PORTION_BYTES.into_inner();
        self.portion = fitting.clamp(least, most.min(self.portion.saturating_mul(4)));
        self.count()
    }

    /// What passes, and whether it is the last. What may be the beginning of a value stays.
    pub(super) fn pass_on(&mut self, echo: Option<&mut EchoSearch>) -> (Vec<u8>, bool) {
        let kept = echo.map(|echo| echo.keep(&mut self.out));
        let out = std::mem::replace(&mut self.out, kept.unwrap_or_default());
        // Nothing is held of it any more, and to hold nothing is always allowed.
        let _nothing = self.share.set(0);
        self.is_waiting = false;
        (out, self.is_end)
    }

    fn count(&mut self) -> Result<(), Denial> {
        if self.out.len() > MAX_OUT_BYTES {
            return Err(Denial::ResponseTooLarge);
        }
        let waiting = [&self.input, &self.decoded].map(|bytes| bytes.bytes.capacity());
        let waiting = waiting.iter().sum::<usize>();
        self.share.set(waiting.saturating_add(self.out.capacity()))
    }
}

impl Bytes {
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<(), Denial> {
        self.bytes
            .try_reserve(bytes.len())
            .map_err(|_| Denial::Overloaded)?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Without so many of the front.
    pub(super) fn without(mut self, taken: usize) -> Self {
        self.taken = self.taken.saturating_add(taken);
        if self.is_empty() {
            return Self::default();
        }
        // What was taken goes when it is as much as what is left to move.
        if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self
    }
}
